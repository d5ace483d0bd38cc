"""Many refunds of one payment, asked for side by side."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import WorkflowUpdateFailedError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.refunds.refund import RefundResult
from sandbox.stripe.control.client import SandboxControl
from tests.fixtures.refunds import RefundClient
from tests.refunds.test_refunds import refunds_at_the_gateway
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly


@pytest.fixture
def standing_refunds(
    standing_duly: RunningDuly,
    merchant: Merchant,
    database: Database,
    gateway: StripeGateway,
    owner_engine: AsyncEngine,
    stripe_sandbox: SandboxControl,
) -> RefundClient:
    """A client on the development server. The server whose clock jumps loses answers when many are asked for at once.

    It answers `executeMultiOperation` for a workflow that has ended meanwhile with a NullPointerException.
    """
    return RefundClient(standing_duly, merchant, database, gateway, owner_engine, stripe_sandbox)


async def test_refunds_at_once_never_come_to_more_than_was_paid(standing_refunds: RefundClient, period: str) -> None:
    refunds = standing_refunds
    [payment] = await refunds.paid(400, account=await refunds.merchant.account(f"acc-{period}"))

    results = await asyncio.gather(
        *(refunds.start(payment, 30, name=f"rf-{period}-{number}") for number in range(40)), return_exceptions=True
    )

    refused = [one for one in results if isinstance(one, WorkflowUpdateFailedError)]
    paid = [one for one in results if isinstance(one, RefundResult)]
    assert (len(paid), len(refused)) == (13, 27)
    assert await refunds_at_the_gateway(refunds) == (13, 390)
    assert await refunds.wrong() == []
