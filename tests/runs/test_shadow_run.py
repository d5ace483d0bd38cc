"""A shadow run does the whole run against a gateway that does nothing, and compares it with the last real one."""

import pytest
from temporalio.client import WorkflowHandle

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.runs.dry_runs import DryRunActivities
from models.gateway.gateway_request import CollectOutcome, CollectRequest
from models.runs.dry_run import DifferenceKind
from models.runs.process_run import Certificate, Comparison
from models.workflow_ids import shadow_run_id
from sandbox.stripe.control.client import SandboxControl
from tests.support.builders import Merchant
from tests.support.run_control import members, owing
from tests.support.running_duly import RunningDuly
from workflows.runs.payment_run import PaymentRun

NEXT = "2026-12"
SHADOW = shadow_run_id("monthly", NEXT)
WRITTEN = ("gateway_requests", "gateway_attempts", "collections", "financial_transactions", "transfers")


@pytest.fixture
def dry_runs(database: Database) -> DryRunActivities:
    return DryRunActivities(database)


async def rows(merchant: Merchant) -> dict[str, int]:
    return {table: await merchant.value(f"select count(*) from duly.{table}") for table in WRITTEN}


async def shadow(duly: RunningDuly) -> Certificate:
    run: WorkflowHandle[PaymentRun, Certificate] = await duly.start_run(period=NEXT, is_shadow=True)
    return await run.result()


async def test_it_charges_nobody_and_writes_nothing_but_itself(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    await owing(merchant, 3)
    await merchant.account("acc_without_card", cards=(), owes_minor=700)
    before, asked = await rows(merchant), stripe_sandbox.request_counts()

    certificate = await shadow(duly)

    assert members(certificate) == {"charged": 3, "skipped": 1}
    assert await rows(merchant) == before
    assert stripe_sandbox.request_counts() == asked
    assert await merchant.value("select sum(balance_minor) from duly.account_balances") == 3700


@pytest.mark.nightly
async def test_it_tells_who_is_new_or_gone_and_whose_amount_or_card_has_changed(
    duly: RunningDuly, merchant: Merchant, dry_runs: DryRunActivities
) -> None:
    for account in ("acc_amount", "acc_card", "acc_gone", "acc_same"):
        await merchant.account(account, owes_minor=1000)
    await merchant.account("acc_gone_card", owes_minor=1000)
    await duly.run()
    await merchant.invoice("acc_amount", 1200)
    await merchant.invoice("acc_card", 1000)
    await merchant.run("update duly.cards set state = 'replaced' where account_id in ('acc_card', 'acc_gone_card')")
    await merchant.card("acc_card", "pm_card_mastercard", order=2)
    await merchant.invoice("acc_gone_card", 1000)
    await merchant.invoice("acc_same", 1000)
    await merchant.account("acc_new", owes_minor=800)

    certificate = await shadow(duly)
    differences = await dry_runs.differences(SHADOW)

    counts = {"amount": 1, "card": 1, "gone": 2, "new": 1, "same": 1}
    assert certificate.comparison == Comparison("run/monthly/2026-11", counts)
    assert [(d.account_id, d.difference, d.reason) for d in differences] == [
        ("acc_amount", DifferenceKind.AMOUNT, ""),
        ("acc_card", DifferenceKind.CARD, ""),
        ("acc_gone", DifferenceKind.GONE, "owes_nothing"),
        ("acc_gone_card", DifferenceKind.GONE, "no_card"),
        ("acc_new", DifferenceKind.NEW, ""),
    ]
    assert (differences[0].before_minor, differences[0].amount_minor) == (1000, 1200)
    assert (differences[1].before_card, differences[1].card) == ("visa 4242", "mastercard 4444")


async def test_its_differences_come_in_pages(duly: RunningDuly, merchant: Merchant, dry_runs: DryRunActivities) -> None:
    accounts = await owing(merchant, 3)
    await shadow(duly)

    first = await dry_runs.differences(SHADOW, limit=2)
    second = await dry_runs.differences(SHADOW, after=first[-1].account_id, limit=2)

    assert [d.account_id for d in (*first, *second)] == accounts


async def test_without_a_certified_run_everybody_is_new(duly: RunningDuly, merchant: Merchant) -> None:
    await owing(merchant, 2)

    certificate = await shadow(duly)

    assert certificate.comparison == Comparison("", {"new": 2})


async def test_a_shadow_may_be_cast_again_and_the_real_run_follows(duly: RunningDuly, merchant: Merchant) -> None:
    await owing(merchant, 1)
    first = await shadow(duly)
    await merchant.account("acc_late", owes_minor=500)

    second = await shadow(duly)
    real = await duly.run(period=NEXT)

    assert (first.members, second.members) == (1, 2)
    assert members(real) == {"charged": 2}
    assert await merchant.value("select sum(balance_minor) from duly.account_balances") == 0


async def test_nothing_can_be_charged_through_a_shadow(
    duly: RunningDuly, merchant: Merchant, collecting: CollectActivities
) -> None:
    await owing(merchant, 1)
    await shadow(duly)

    result = await collecting.collect(CollectRequest("acc_00", NEXT, "stripe", SHADOW))

    assert result.outcome is CollectOutcome.NOTHING_OWED


async def test_a_real_run_beside_it_owns_what_the_shadow_sees(duly: RunningDuly, merchant: Merchant) -> None:
    await owing(merchant, 1)
    await merchant.run("select duly.freeze_payment_run('run/monthly/2026-11', 'monthly', '2026-11', '2026-12-01')")

    certificate = await shadow(duly)

    assert [(total.outcome, total.reason) for total in certificate.totals] == [("skipped", "in_collection")]
