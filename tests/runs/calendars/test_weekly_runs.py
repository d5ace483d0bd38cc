"""Runs of weeks and days: what they collect is named by its month, each invoice is charged once."""

from activities.database import Database
from models.runs.process_run import ItemOutcome
from sandbox.stripe.control.client import SandboxControl
from tests.runs.test_who_is_due import define
from tests.support.attempts import charged
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly

ENDED = "select account_id, period, run_id, state from duly.gateway_requests order by created_at"


async def test_an_account_is_charged_in_each_week_for_what_was_billed_since_and_once_for_each_invoice(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account("acc_1", owes_minor=2500)
    await define(merchant, "weekly")

    first = await duly.run("weekly", "2026-W47")
    nothing = await duly.run("weekly", "2026-11-24")
    await merchant.invoice(account, 700)
    second = await duly.run("weekly", "2026-W48")

    assert [(one.members, one.period) for one in (first, nothing, second)] == [
        (1, "2026-W47"),
        (0, "2026-11-24"),
        (1, "2026-W48"),
    ]
    assert [tuple(row) for row in await merchant.run(ENDED)] == [
        (account, "2026-11", "run/weekly/2026-W47", "posted"),
        (account, "2026-11-2", "run/weekly/2026-W48", "posted"),
    ]
    assert charged(stripe_sandbox) == (2, 3200)


async def test_a_month_and_its_weeks_do_not_charge_the_same_invoice(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    await merchant.account("acc_1", owes_minor=2500)
    await merchant.account("acc_2", answers=[declined("insufficient_funds")], owes_minor=700)
    await define(merchant, "weekly")

    weekly, monthly = await duly.run("weekly", "2026-W48"), await duly.run()

    assert sorted((total.outcome, total.members) for total in weekly.totals) == [
        (ItemOutcome.CHARGED, 1),
        (ItemOutcome.IN_DUNNING, 1),
    ]
    assert [(total.reason, total.members) for total in monthly.totals] == [("in_collection", 1)]
    await duly.collected("acc_2", "2026-11")
    assert charged(stripe_sandbox) == (2, 3200)


async def test_a_week_is_supplemented_and_shadowed_like_a_month(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    await merchant.account("acc_1", owes_minor=2500)
    await define(merchant, "weekly")
    await duly.run("weekly", "2026-W48")
    await merchant.account("acc_2", owes_minor=700)

    shadow = await (await duly.start_run("weekly", "2026-W48", is_shadow=True)).result()
    supplement = await duly.run("weekly", "2026-W48", supplement=1)

    assert [(total.outcome, total.amount_minor) for total in shadow.totals] == [(ItemOutcome.CHARGED, 700)]
    assert (supplement.run_id, supplement.members) == ("run/weekly/2026-W48/supplement-1", 1)
