"""A gateway that a test of a run's control opens when it wants to."""

from collections.abc import AsyncIterator

import pytest

from sandbox.stripe.control.client import SandboxControl
from tests.support.gateways import GatedGateway


@pytest.fixture
async def gated(stripe_sandbox: SandboxControl) -> AsyncIterator[GatedGateway]:
    """A gateway that lets nobody through until its gate is opened."""
    gateway = GatedGateway(stripe_sandbox)
    yield gateway
    gateway.gate.set()
    await gateway.close()
