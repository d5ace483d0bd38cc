"""A sandbox of these tests' own: the gateway's clock, which others set forward, must be right for its books."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from sandbox.stripe.app import build_app
from sandbox.stripe.control.client import AT_ONCE
from sandbox.stripe.core import SandboxConfig
from sandbox.stripe.server import running_app
from tests.support.builders import API_KEY


@pytest.fixture(scope="session")
def stripe_app() -> Starlette:
    """A sandbox whose clock nobody else has set, and where what moves is booked at once unless a test says so."""
    return build_app(SandboxConfig(API_KEY, "whsec_duly", delays=AT_ONCE))


@pytest.fixture(scope="session")
def stripe_address(stripe_app: Starlette) -> Iterator[str]:
    """The base URL at which it is served."""
    with running_app(stripe_app) as base_url:
        yield base_url
