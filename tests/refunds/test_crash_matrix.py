"""Die before and after every effect of a refund: asked again, it is paid once and posted once."""

import asyncio
from contextlib import suppress
from itertools import product

import pytest
from aiolimiter import AsyncLimiter
from temporalio.exceptions import ApplicationError

from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.refunds.refunds import RefundActivities
from models.gateway.gateway_request import RequestKind
from models.refunds.refund import RefundAttempt, RefundOrder, RefundOutcome, RefundResult
from sandbox.stripe.control.client import Fault, FaultKind
from tests.fixtures.refunds import RefundClient
from tests.support.crashes import Crash, CrashTrigger, KilledError, Moment, killable

SCENARIOS = {
    "success": (None, ("open_refund", "refund", "record_refund")),
    "lost response": (FaultKind.RESPONSE_LOST, ("open_refund", "refund", "record_unanswered", "record_refund")),
    "lost request": (FaultKind.REQUEST_LOST, ("open_refund", "refund", "record_unanswered", "record_refund")),
    "burnt key after the effect": (
        FaultKind.STORED_500_AFTER_EFFECT,
        ("open_refund", "refund", "record_unanswered", "find_refund", "record_refund"),
    ),
}


async def until_answered(activities: RefundActivities, request: RefundAttempt) -> RefundResult:
    """Ask again and again, as Temporal does."""
    async with asyncio.timeout(60):
        while True:
            with suppress(ApplicationError):
                return await activities.refund(request)


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize("kind", [RequestKind.REFUND, RequestKind.PAYMENT_CANCELLATION])
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_killed_anywhere_a_refund_is_paid_once_and_posted_once(
    refunds: RefundClient, database: Database, gateway: StripeGateway, scenario: str, kind: RequestKind
) -> None:
    fault, steps = SCENARIOS[scenario]
    healthy = RefundActivities(database, gateway, Clocks(database, gateway), AsyncLimiter(1000, 1), "stripe")
    crashes = [Crash(step, moment) for step, moment in product(steps, Moment)]
    outcomes = {}

    for number, crash in enumerate(crashes):
        [payment] = await refunds.paid(2500)
        amount = 1000 if kind is RequestKind.REFUND else 0
        request = RefundAttempt(RefundOrder(f"rf_crash_{number}", payment, amount, kind))
        if fault:
            refunds.sandbox.clear_faults()
            refunds.sandbox.add_fault(Fault(operation="POST /v1/refunds", kind=fault, times=1))
        trigger = CrashTrigger(crash)
        killed = RefundActivities(*killable(database, gateway, trigger), AsyncLimiter(1000, 1), "stripe")
        with pytest.raises(KilledError):
            await until_answered(killed, request)
        outcomes[str(crash)] = (await until_answered(healthy, request)).outcome

    assert outcomes == dict.fromkeys(map(str, crashes), RefundOutcome.REFUNDED)
    assert refunds.sandbox.movements().totals[0].refunds.count == len(crashes)
    assert await refunds.wrong() == []
