"""Refund runs: once a day, what is due goes back, and the certificate counts everybody once."""

from datetime import date

import pytest

from activities.database import Database
from activities.reductions.reductions import open_reduction
from models.reductions.reduction import Award
from models.runs.refund_run import RefundCertificate, RefundRunRequest
from tests.fixtures.refunds import Till
from tests.reductions.rewarding import Club
from workflows.runs.refund_run import RefundRun
from workflows.visibility import WORKFLOW_QUEUE, refund_run_id

DAY = date(2026, 11, 26)


@pytest.fixture
async def club(till: Till, database: Database) -> Club:
    """A café that takes part."""
    club = Club(till, database)
    await club.open()
    return club


async def run(till: Till, day: date = DAY) -> RefundCertificate:
    return await till.duly.client.execute_workflow(
        RefundRun.run, RefundRunRequest("stripe", day), id=refund_run_id("stripe", f"{day}"), task_queue=WORKFLOW_QUEUE
    )


def counted(certificate: RefundCertificate) -> list[tuple[str, str, int, int]]:
    return [(total.kind, total.outcome, total.members, total.refunded_minor) for total in certificate.totals]


async def test_awards_that_are_due_go_back_and_those_on_hold_wait(club: Club, till: Till, database: Database) -> None:
    [payment] = await till.paid(2500)
    account = await till.account_of(payment)
    cash = await till.merchant.account(cards=[])
    await open_reduction(database, Award("award_due", "cafe", account, 500, "EUR"))
    await open_reduction(database, Award("award_cash", "cafe", cash, 200, "EUR"))
    await club.open(hold_days=7)
    await open_reduction(database, Award("award_later", "cafe", account, 300, "EUR"))

    certificate = await run(till)

    assert (certificate.members, counted(certificate)) == (
        2,
        [("reward", "credited", 1, 0), ("reward", "refunded", 1, 500)],
    )
    assert await till.merchant.value("select state from duly.reductions where award_id = 'award_later'") == "awarded"
    assert await till.wrong() == []


async def test_accounts_in_credit_get_their_money_back_where_the_rules_say_so(till: Till) -> None:
    await till.merchant.run("update duly.refund_rules set refunds_credit = true")
    payments = await till.paid(700, 500)
    account = await till.account_of(payments[0])
    for number, amount in enumerate((700, 500)):
        await till.merchant.run(
            "select duly.create_payment(:key, :account, :amount, 'EUR', 'cash')",
            key=f"again:{number}",
            account=account,
            amount=amount,
        )

    certificate = await run(till)

    assert counted(certificate) == [("credit", "refunded", 1, 1200)]
    assert await till.merchant.balance(account) == 0
    assert till.sandbox.movements().totals[0].refunds.count == 2
    assert await till.wrong() == []


async def test_without_the_rule_credit_is_left_to_the_bank(till: Till) -> None:
    [payment] = await till.paid(700)
    await till.merchant.run(
        "select duly.create_payment('again', :account, 700, 'EUR', 'cash')", account=await till.account_of(payment)
    )

    assert (await run(till)).members == 0


async def test_a_day_has_one_run_and_a_second_one_certifies_the_same(
    club: Club, till: Till, database: Database
) -> None:
    [payment] = await till.paid(2500)
    await open_reduction(database, Award("award_due", "cafe", await till.account_of(payment), 500, "EUR"))

    first = await run(till)
    await open_reduction(database, Award("award_new", "cafe", await till.account_of(payment), 500, "EUR"))
    second = await run(till)

    assert first == second
    assert till.sandbox.movements().totals[0].refunds.count == 1
