"""A reward whose refund had no answer while the database's clock is wrong: it is paid back once, whatever is lost."""

from datetime import timedelta

import pytest

from models.reductions.reduction import ReductionState
from sandbox.servers.shown_clock import ShownClock
from sandbox.stripe.control.client import FaultKind
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient
from tests.support.attempts import never_answer
from tests.support.wrong_clocks import HOUR

REFUNDS = "POST /v1/refunds"


@pytest.mark.nightly
@pytest.mark.parametrize("lost", [FaultKind.REQUEST_LOST, FaultKind.RESPONSE_LOST])
@pytest.mark.parametrize("off", [HOUR, -HOUR])
async def test_a_reward_without_an_answer_is_paid_back_once_though_the_clock_says_that_hours_have_passed(
    refunds: RefundClient, database_clock: ShownClock, gateway_clock: ShownClock, off: int, lost: FaultKind
) -> None:
    rewards = ReductionClient(refunds, refunds.database)
    await rewards.open()
    account = await refunds.merchant.account()
    await refunds.paid(2500, account=account)
    never_answer(refunds.sandbox, lost, operation=REFUNDS)

    await rewards.award(account, 500, name="award_1")
    database_clock.set(off)
    await refunds.duly.environment.sleep(timedelta(hours=2))
    refunds.sandbox.clear_faults()
    await refunds.duly.environment.sleep(timedelta(hours=2))
    during = refunds.sandbox.movements().totals[0].refunds.count
    # What was sent at a wrong time of day is certain to be absent once that time is over by a right clock.
    for clock in (database_clock, gateway_clock):
        clock.set(2 * HOUR)
    ended = await rewards.ended("award_1")

    assert during <= 1
    assert ended.state is ReductionState.GRANTED
    [total] = refunds.sandbox.movements().totals
    assert (total.refunds.count, total.refunds.amount_minor) == (1, 500)
    assert await refunds.wrong() == []
