"""Payouts that come back from the bank, and those that take money out of it: the statement's lines close them."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from activities.database import Database
from sandbox.past.bank import PastBank
from tests.bank.statements import camt, entry
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.payouts.test_payouts import (
    AT_ONCE,
    REVERSAL,
    held,
    in_the_bank,
    late_payouts,
    paid_out,
    pulled,
    today,
    trace_of,
)
from tests.support.command_line import CommandLine


@pytest.mark.nightly
async def test_a_payout_that_comes_back_after_the_statement_had_shown_it_is_closed_by_the_banks_debit(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await in_the_bank(reconciling, cli, tmp_path, period)
    reconciling.sandbox.fail_payout(str(payout["id"]))

    certificate = await reconciling.reconcile()
    in_between = await held(reconciling)
    debit = camt(tmp_path, entry("B2", "23.97", side="DBIT", text="RETURN STRIPE PAYMENTS", day=today(reconciling)))
    imports = [await cli.json("import", "bank", debit) for _ in range(2)]
    last = await reconciling.reconcile()

    assert [(one.payouts, one.amount_minor) for one in certificate.in_transit] == [(1, -2397)]
    assert in_between == {"bank": 2397, "gateway_clearing:stripe": 2397, "payouts_in_transit:stripe": -2397}
    assert [one["entries"][0]["outcome"] for one in imports] == ["payout", "unchanged"]
    assert await held(reconciling) == {"bank": 0, "gateway_clearing:stripe": 2397, "payouts_in_transit:stripe": 0}
    assert (certificate.open_discrepancies, last.open_discrepancies, last.in_transit) == (0, 0, ())


@pytest.mark.nightly
async def test_a_statement_that_shows_a_payout_come_and_go_closes_it_whatever_the_order_of_its_lines(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await paid_out(reconciling, period)
    reconciling.sandbox.complete_payout(str(payout["id"]))
    reconciling.sandbox.fail_payout(str(payout["id"]))
    await reconciling.reconcile()
    trace = await trace_of(reconciling, payout["id"])
    lines = entry("B2", "23.97", side="DBIT", text=trace), entry("B1", "23.97", text=trace)

    imported = await cli.json("import", "bank", camt(tmp_path, *lines))

    assert imported["summary"]["payout"] == 2
    assert await held(reconciling) == {"bank": 0, "gateway_clearing:stripe": 2397, "payouts_in_transit:stripe": 0}


async def test_the_next_payout_has_what_came_back_among_its_lines(
    reconciling: ReconciliationClient, period: str
) -> None:
    payout = await paid_out(reconciling, period)
    reconciling.sandbox.fail_payout(str(payout["id"]))
    (again,) = reconciling.sandbox.pay_out()
    reconciling.sandbox.complete_payout(str(again["id"]))

    certificate = await reconciling.reconcile()

    assert (again["amount"], certificate.open_discrepancies) == (2397, 0)
    assert await held(reconciling) == {"gateway_clearing:stripe": 0, "payouts_in_transit:stripe": 2397}


@pytest.mark.nightly
async def test_a_payout_that_somebody_cancels_is_on_the_balance_again(
    reconciling: ReconciliationClient, period: str
) -> None:
    reconciling.sandbox.set_delays(AT_ONCE)
    await reconciling.paid(await reconciling.merchant.account(), period)
    payout = await reconciling.stripe.v1.payouts.create_async({"amount": 500, "currency": "eur"})
    await reconciling.reconcile()
    await reconciling.stripe.v1.payouts.cancel_async(payout.id)

    certificate = await reconciling.reconcile()

    assert (certificate.open_discrepancies, certificate.in_transit) == (0, ())
    assert await held(reconciling) == {"gateway_clearing:stripe": 2397, "payouts_in_transit:stripe": 0}


@pytest.mark.nightly
async def test_a_balance_below_zero_is_filled_from_the_bank_and_the_statements_debit_closes_it(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await pulled(reconciling, period)
    reconciling.sandbox.complete_payout(str(payout["id"]))
    await reconciling.reconcile()
    certificate = await reconciling.reconcile()
    trace = await trace_of(reconciling, payout["id"])

    imported = await cli.json("import", "bank", camt(tmp_path, entry("B1", "25.00", side="DBIT", text=trace)))

    assert (payout["amount"], certificate.open_discrepancies) == (-2500, 0)
    assert [(one.payouts, one.amount_minor) for one in certificate.in_transit] == [(2, 2397 - 2500)]
    assert imported["entries"][0]["outcome"] == "payout"
    assert await held(reconciling) == {
        "bank": -2500,
        "gateway_clearing:stripe": 0,
        "payouts_in_transit:stripe": 2397,
    }


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("has_left", [False, True], ids=["before the bank paid", "after the bank had paid"])
async def test_a_debit_that_our_bank_refuses_is_missing_on_the_balance_again(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path, *, has_left: bool
) -> None:
    payout = await pulled(reconciling, period)
    reconciling.sandbox.complete_payout(str(payout["id"]))
    reconciling.sandbox.fail_payout(str(payout["id"]))
    await reconciling.reconcile()
    trace = await trace_of(reconciling, payout["id"])
    lines: list[Any] = [entry("B1", "25.00", side="DBIT", text=trace), entry("B2", "25.00", text=trace, more=REVERSAL)]

    imported = await cli.json("import", "bank", camt(tmp_path, *lines)) if has_left else {"summary": {"payout": 2}}
    certificate = await reconciling.reconcile()

    assert imported["summary"]["payout"] == 2
    assert certificate.open_discrepancies == 0
    assert {"bank": 0} | await held(reconciling) == {
        "bank": 0,
        "gateway_clearing:stripe": -2500,
        "payouts_in_transit:stripe": 2397,
    }


@pytest.mark.nightly
async def test_a_payout_that_only_the_gateway_has_back_is_listed_after_a_week_until_the_bank_shows_it(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await in_the_bank(reconciling, cli, tmp_path, period)
    reconciling.sandbox.fail_payout(str(payout["id"]))
    await reconciling.reconcile()

    listed = [await late_payouts(reconciling, days) for days in (6, 9)]
    trace = await trace_of(reconciling, payout["id"])
    await cli.json("import", "bank", camt(tmp_path, entry("B2", "23.97", side="DBIT", text=trace)))
    certificate = await reconciling.reconcile()

    assert listed == [[], ["payout_sent_back"]]
    assert certificate.open_discrepancies == 0


@pytest.mark.nightly
async def test_a_payout_that_only_the_bank_has_sent_back_is_listed_after_a_week_until_the_gateway_has_it(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await in_the_bank(reconciling, cli, tmp_path, period)
    trace = await trace_of(reconciling, payout["id"])
    await cli.json("import", "bank", camt(tmp_path, entry("B2", "23.97", side="DBIT", text=trace)))

    listed = await late_payouts(reconciling, 400)
    reconciling.sandbox.fail_payout(str(payout["id"]))
    certificate = await reconciling.reconcile()

    assert listed == ["payout_not_returned"]
    assert certificate.open_discrepancies == 0
    assert await held(reconciling) == {"bank": 0, "gateway_clearing:stripe": 2397, "payouts_in_transit:stripe": 0}


@pytest.mark.nightly
async def test_a_debit_of_somebody_elses_closes_no_payout(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await in_the_bank(reconciling, cli, tmp_path, period)
    day = today(reconciling)
    debits = [entry(f"B-{text}", "23.97", side="DBIT", text=text, day=day) for text in ("STRIPE fees", "rent")]

    before = await cli.json("import", "bank", camt(tmp_path, debits[0]))
    reconciling.sandbox.fail_payout(str(payout["id"]))
    await reconciling.reconcile()
    after = await cli.json("import", "bank", camt(tmp_path, debits[1]))

    assert [one["entries"][0]["outcome"] for one in (before, after)] == ["debit", "debit"]


async def test_the_statements_of_the_demo_have_what_the_gateway_takes_from_the_bank(
    reconciling: ReconciliationClient, database: Database, period: str, tmp_path: Path
) -> None:
    payout = await pulled(reconciling, period)
    reconciling.sandbox.complete_payout(str(payout["id"]))
    await reconciling.reconcile()
    assert payout["amount"] == -2500

    # In the last month of a quarter somebody unknown pays too.
    await PastBank(database, tmp_path).statement(date(2026, 11, 30), by_transfer=[], too_much=[])

    books = await held(reconciling)
    assert (books["bank"], books["payouts_in_transit:stripe"]) == (2397 - 2500, 0)
