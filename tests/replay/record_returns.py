"""Records the histories of refunds, reductions and disputes, as `record.py` does those of collecting. By hand:

.venv/bin/pytest tests/replay/record_returns.py
"""

from datetime import timedelta

from activities.database import Database
from activities.reductions.reductions import open_reduction
from models.disputes.dispute import Dispute
from models.reductions.reduction import Award
from sandbox.stripe.control.client import Fault, FaultKind
from tests.disputes.test_disputes import WHO, decided, disputed, workflow_of
from tests.fixtures.refunds import Till, till
from tests.reductions.rewarding import Club
from tests.refunds.test_refund_runs import DAY, run
from tests.replay.histories import keep
from workflows.visibility import refund_run_id

__all__ = ["till"]


async def test_reduction(till: Till, database: Database) -> None:
    club = Club(till, database)
    await club.open(hold_days=2)
    account = await till.merchant.account(cards=["pm_card_visa"])
    await till.paid(2500, account=account)
    [sale] = await till.paid(1000, account=account)
    await club.award(account, 500, name="award_long", payment_id=sale)
    await till.duly.environment.sleep(3 * 24 * 3600)
    [refund] = (await till.merchant.stripe.v1.refunds.list_async({})).data
    till.sandbox.fail_refund(refund.id)
    await club.ended("award_long")
    await keep("back_end_reduction-held_back_and_remedied", club.workflow("award_long"))

    await club.award(account, 300, name="award_returned", payment_id=sale)
    await till.duly.environment.sleep(3 * 24 * 3600)
    await till.cancel(sale, name="rf_sale")
    await club.ended("award_returned")
    await keep("back_end_reduction-clawed_back", club.workflow("award_returned"))


async def test_refund(till: Till) -> None:
    [payment] = await till.paid(2500)
    till.sandbox.add_fault(Fault(operation="POST /v1/refunds", kind=FaultKind.RESPONSE_LOST, calls=(1, 2, 3)))
    first = await till.start(payment, 1000, name="rf_unknown_first")
    till.sandbox.clear_faults()
    await till.duly.environment.sleep(120)
    [refund] = (await till.merchant.stripe.v1.refunds.list_async({})).data
    till.sandbox.fail_refund(refund.id)
    await till.ended("rf_unknown_first")
    assert first.gateway_reference == ""
    await keep("refund-unknown_then_paid_then_back", till.workflow("rf_unknown_first"))


async def test_cancellation(till: Till) -> None:
    await till.merchant.run("update duly.refund_rules set collects_reopened = true")
    [payment] = await till.paid(2500)
    await till.cancel(payment, name="rf_cancel")
    await till.ended("rf_cancel")
    await keep("refund-cancellation_collected_again", till.workflow("rf_cancel"))


async def test_dispute(till: Till) -> None:
    [payment, other] = await till.paid(2500, 1000)
    lost = await disputed(till, payment)
    await till.duly.environment.sleep(timedelta(days=7))
    await decided(till, lost, won=False)
    await keep("dispute-reminded_and_lost", workflow_of(till, lost))

    accepted = await disputed(till, other)
    await workflow_of(till, accepted).execute_update("accept", WHO, result_type=Dispute)
    await workflow_of(till, accepted).result()
    await keep("dispute-accepted", workflow_of(till, accepted))


async def test_refund_run(till: Till, database: Database) -> None:
    await till.merchant.run("update duly.refund_rules set refunds_credit = true")
    club = Club(till, database)
    await club.open()
    [payment] = await till.paid(2500)
    account = await till.account_of(payment)
    await open_reduction(database, Award("award_of_run", "cafe", account, 500, "EUR"))
    await till.merchant.run("select duly.create_payment('cash', :account, 300, 'EUR', 'cash')", account=account)
    await run(till)
    await keep(
        "refund_run-a_reward_and_a_credit", till.duly.client.get_workflow_handle(refund_run_id("stripe", f"{DAY}"))
    )
