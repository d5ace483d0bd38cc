"""Nothing is dated by a database whose clock is wrong: what waits says why, and goes on by itself."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from activities.collections.ownership import CollectionActivities
from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.messages.reminders import ReminderActivities
from activities.recovery.dating import DATED, compare_with_this_machine, note_clocks, why_not_dated
from activities.reductions.reductions import ReductionActivities
from activities.runs.billing import BillingActivities
from activities.runs.payment_runs import RunActivities
from activities.runs.refund_runs import RefundRunActivities
from models.runs.process_run import RunRequest
from models.workflow_ids import WORKFLOW_QUEUE
from sandbox.servers.shown_clock import ShownClock
from tests.support.builders import PERIOD, Merchant
from tests.support.running_duly import RunningDuly
from tests.support.wrong_clocks import DAY, HOUR
from workflows.runs.billing_run import BillingRun

INVOICES = "select count(*) from duly.financial_transactions where classification = 'invoice'"


async def last_failure(handle: WorkflowHandle[Any, Any]) -> str:
    """Return why the activity that a workflow waits for has failed last."""
    described = await handle.describe()
    return next((one.last_failure.message for one in described.raw_description.pending_activities), "")


@pytest.mark.parametrize("ahead", [DAY, pytest.param(-HOUR, marks=pytest.mark.nightly)])
async def test_a_billing_run_waits_for_the_databases_clock_says_so_and_goes_on_by_itself(
    duly: RunningDuly,
    merchant: Merchant,
    database: Database,
    gateway: StripeGateway,
    database_clock: ShownClock,
    ahead: int,
) -> None:
    await merchant.subscription(await merchant.account(), price_minor=1000)
    database_clock.set(ahead)
    clocks = Clocks(database, gateway)
    await note_clocks(database, "stripe", clocks)

    handle = await duly.client.start_workflow(
        BillingRun.run,
        RunRequest("plans", PERIOD, not_due_yet=True, over_nobody=True),
        id=f"billing/plans/{PERIOD}",
        task_queue=WORKFLOW_QUEUE,
    )
    await duly.environment.sleep(timedelta(hours=2))
    billed, waits_for = await merchant.value(INVOICES), await last_failure(handle)
    database_clock.set(0)
    await note_clocks(database, "stripe", clocks)
    certificate = await handle.result()

    assert (billed, await merchant.value(INVOICES)) == (0, 1)
    assert waits_for.startswith("the clock of the database is ")
    assert certificate.members == 1


async def test_no_money_expires_by_a_clock_that_is_wrong(
    database: Database, gateway: StripeGateway, merchant: Merchant, database_clock: ShownClock
) -> None:
    clocks = Clocks(database, gateway)
    why = "select duly.why_not_dated()"
    database_clock.set(DAY)
    unseen = await merchant.value(why)
    await note_clocks(database, "stripe", clocks)
    seen = str(await merchant.value(why))
    vouchers = await merchant.run("select * from duly.expire_vouchers('', 100)")
    # Nobody has compared them since: one that stopped holds nothing for ever.
    database_clock.set(DAY + 2 * HOUR)
    stale = await merchant.value(why)
    await note_clocks(database, "stripe", clocks)
    database_clock.set(0)
    await note_clocks(database, "stripe", clocks)

    assert (unseen, stale, await merchant.value(why)) == (None, None, None)
    assert "ahead of that of the gateway of stripe" in seen
    assert [tuple(one) for one in vouchers] == [(None, 0)]


def test_what_is_held_by_its_name_is_an_activity_of_ours() -> None:
    held = (
        *(BillingActivities.freeze_billing_run, BillingActivities.bill_page, BillingActivities.certify_billing_run),
        *(RunActivities.freeze_payment_run, RefundRunActivities.freeze_refund_run, ReminderActivities.write_reminders),
        *(ReductionActivities.credit_reduction, CollectionActivities.close_collection),
    )

    assert {one.__name__ for one in held} == DATED


@pytest.mark.parametrize(
    ("database_off", "gateway_off", "culprit"),
    [(HOUR, 0, "the database"), (0, HOUR, "the gateway"), (HOUR, HOUR, "this machine"), (HOUR, -HOUR, ""), (0, 0, "")],
)
async def test_of_three_clocks_the_one_that_two_others_disagree_with_is_named(
    database: Database,
    gateway: StripeGateway,
    database_clock: ShownClock,
    gateway_clock: ShownClock,
    database_off: int,
    gateway_off: int,
    culprit: str,
) -> None:
    database_clock.set(database_off)
    gateway_clock.set(gateway_off)

    assert (await Clocks(database, gateway).measure()).culprit == culprit


async def test_where_no_gateway_is_compared_the_databases_clock_is_held_against_the_workers(
    database: Database, gateway: StripeGateway, merchant: Merchant, database_clock: ShownClock
) -> None:
    agreed = await why_not_dated(database)
    database_clock.set(HOUR)
    apart = await why_not_dated(database)
    database_clock.set(0)
    # What a gateway has confirmed lately is right, whatever this machine believes.
    await note_clocks(database, "stripe", Clocks(database, gateway))
    _, is_compared = await compare_with_this_machine(database)

    assert (agreed, is_compared, await why_not_dated(database)) == (None, True, None)
    assert str(apart).endswith("s ahead of that of this machine")
