"""A dry run tells who would be charged, what, on which card, and why others are passed over; it writes nothing."""

from collections.abc import Sequence

import pytest

from activities.database import Database, RuleBrokenError
from activities.runs.dry_runs import DryRunActivities
from models.runs.dry_run import DryRunMember, DryRunRequest
from models.runs.process_run import ItemOutcome
from tests.support.builders import PERIOD, Merchant, declined
from tests.support.running_duly import RunningDuly

WRITTEN = ("process_runs", "run_items", "gateway_requests", "gateway_attempts", "collections", "financial_transactions")


@pytest.fixture
def dry_runs(database: Database) -> DryRunActivities:
    return DryRunActivities(database)


async def dry_run(dry_runs: DryRunActivities, *, limit: int = 100) -> list[DryRunMember]:
    members: list[DryRunMember] = []
    after = ""
    while True:
        page = await dry_runs.dry_run_page(DryRunRequest("monthly", PERIOD, after, limit))
        members += page.members
        if not page.after:
            return members
        after = page.after


async def rows(merchant: Merchant) -> dict[str, int]:
    return {table: await merchant.value(f"select count(*) from duly.{table}") for table in WRITTEN}


async def customers(merchant: Merchant) -> Sequence[str]:
    """Somebody for every reason to be charged or passed over."""
    return [
        await merchant.account("acc_1", owes_minor=2500),
        await merchant.account("acc_2", cards=("pm_card_mastercard",), currency="JPY", owes_minor=900),
        await merchant.account("acc_3", cards=(), owes_minor=1000),
        await merchant.account("acc_4", owes_minor=10),
        await merchant.account("acc_5"),
    ]


async def test_it_tells_who_would_be_charged_and_why_others_would_not(
    merchant: Merchant, dry_runs: DryRunActivities
) -> None:
    await customers(merchant)
    before = await rows(merchant)

    members = await dry_run(dry_runs)

    assert [(m.account_id, m.amount_minor, m.currency, m.card, m.reason) for m in members] == [
        ("acc_1", 2500, "EUR", "visa 4242", ""),
        ("acc_2", 900, "JPY", "mastercard 4444", ""),
        ("acc_3", 1000, "EUR", "", "no_card"),
        ("acc_4", 10, "EUR", "visa 4242", "below_minimum"),
    ]
    assert await rows(merchant) == before


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_of_any_size_tell_the_same(merchant: Merchant, dry_runs: DryRunActivities, limit: int) -> None:
    await customers(merchant)

    assert await dry_run(dry_runs, limit=limit) == await dry_run(dry_runs)


async def test_the_run_then_does_what_the_dry_run_told(
    duly: RunningDuly, merchant: Merchant, dry_runs: DryRunActivities
) -> None:
    await customers(merchant)
    predicted = await dry_run(dry_runs)

    certificate = await duly.run()

    charged = {t.currency: t.amount_minor for t in certificate.totals if t.outcome is ItemOutcome.CHARGED}
    skipped = sorted(t.reason for t in certificate.totals if t.outcome is ItemOutcome.SKIPPED)
    assert charged == {m.currency: m.amount_minor for m in predicted if m.is_charged}
    assert skipped == sorted(m.reason for m in predicted if not m.is_charged)


async def test_what_a_collection_owns_is_passed_over(
    duly: RunningDuly, merchant: Merchant, dry_runs: DryRunActivities
) -> None:
    account = await merchant.account("acc_1", answers=[declined("insufficient_funds")], owes_minor=2500)
    collection = await duly.start_collection(account, "2026-10")
    await collection.execute_update("first_outcome")

    members = await dry_run(dry_runs)

    assert [(m.account_id, m.reason) for m in members] == [("acc_1", "in_collection")]


async def test_a_definition_that_may_not_run_is_refused(merchant: Merchant, dry_runs: DryRunActivities) -> None:
    with pytest.raises(RuleBrokenError, match="there is no payment run definition 'yearly'"):
        await dry_runs.dry_run_page(DryRunRequest("yearly", PERIOD))
    with pytest.raises(RuleBrokenError, match="is not a month"):
        await dry_runs.dry_run_page(DryRunRequest("monthly", "2026"))
    await merchant.run("update duly.run_definitions set state = 'not_effective' where id = 'monthly'")
    with pytest.raises(RuleBrokenError, match="is not effective"):
        await dry_runs.dry_run_page(DryRunRequest("monthly", PERIOD))
