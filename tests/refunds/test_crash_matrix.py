"""Die before and after every effect of a refund: asked again, it is paid once and posted once."""

import asyncio
from contextlib import suppress
from itertools import product

import pytest
from aiolimiter import AsyncLimiter
from temporalio.exceptions import ApplicationError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from activities.refunds.refunds import RefundActivities
from models.gateway.gateway_request import RequestKind
from models.refunds.refund import RefundAttempt, RefundOrder, RefundOutcome, RefundResult
from sandbox.stripe.control.client import Fault, FaultKind
from tests.fixtures.refunds import Till
from tests.support.crashes import Crash, Fuse, FusedDatabase, FusedGateway, KilledError, Moment

SCENARIOS = {
    "success": (None, ("open_refund", "refund", "record_refund")),
    "lost response": (FaultKind.RESPONSE_LOST, ("open_refund", "refund", "record_unanswered", "record_refund")),
    "lost request": (FaultKind.REQUEST_LOST, ("open_refund", "refund", "record_unanswered", "record_refund")),
    "burnt key after the effect": (
        FaultKind.STORED_500_AFTER_EFFECT,
        ("open_refund", "refund", "record_unanswered", "find_refund", "record_refund"),
    ),
}


async def until_answered(activities: RefundActivities, asking: RefundAttempt) -> RefundResult:
    """Ask again and again, as Temporal does."""
    async with asyncio.timeout(20):
        while True:
            with suppress(ApplicationError):
                return await activities.refund(asking)


@pytest.mark.parametrize("kind", [RequestKind.REFUND, RequestKind.PAYMENT_CANCELLATION])
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_killed_anywhere_a_refund_is_paid_once_and_posted_once(
    till: Till, database: Database, gateway: StripeGateway, scenario: str, kind: RequestKind
) -> None:
    fault, steps = SCENARIOS[scenario]
    healthy = RefundActivities(database, gateway, AsyncLimiter(1000, 1))
    crashes = [Crash(step, moment) for step, moment in product(steps, Moment)]
    outcomes = {}

    for number, crash in enumerate(crashes):
        [payment] = await till.paid(2500)
        amount = 1000 if kind is RequestKind.REFUND else 0
        asking = RefundAttempt(RefundOrder(f"rf_crash_{number}", payment, amount, kind))
        if fault:
            till.sandbox.clear_faults()
            till.sandbox.add_fault(Fault(operation="POST /v1/refunds", kind=fault, times=1))
        fuse = Fuse(crash)
        mortal = RefundActivities(FusedDatabase(database, fuse), FusedGateway(gateway, fuse), AsyncLimiter(1000, 1))
        with pytest.raises(KilledError):
            await until_answered(mortal, asking)
        outcomes[str(crash)] = (await until_answered(healthy, asking)).outcome

    assert outcomes == dict.fromkeys(map(str, crashes), RefundOutcome.REFUNDED)
    assert till.sandbox.movements().totals[0].refunds.count == len(crashes)
    assert await till.wrong() == []
