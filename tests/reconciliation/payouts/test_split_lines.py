"""Payouts that the bank's statement shows in several lines or less a fee: a person names the lines, and it ties out."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.bank.statements import camt, entry
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.payouts.test_early_lines import IN_THE_BANK, suspended
from tests.reconciliation.payouts.test_payouts import (
    held,
    in_the_bank,
    late_payouts,
    paid_out,
    pulled,
    today,
    trace_of,
)
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "as the bank wrote")


async def in_lines(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, folder: Path, *amounts: str
) -> tuple[str, list[str]]:
    """Let a payout of 23.97 arrive in lines of these amounts; return it, and the payments that they have become."""
    payout = str((await paid_out(reconciling, period))["id"])
    reconciling.sandbox.complete_payout(payout)
    await reconciling.reconcile()
    trace, day = await trace_of(reconciling, payout), today(reconciling)
    lines = [entry(f"B{place}", amount, text=trace, day=day) for place, amount in enumerate(amounts)]
    imported = await cli.json("import", "bank", camt(folder, *lines))
    return payout, [one["number"] for one in imported["entries"]]


@pytest.mark.parametrize(
    ("amounts", "fee"),
    [
        pytest.param(("20.00", "3.97"), 0, marks=pytest.mark.nightly),
        pytest.param(("20.00", "3.47"), 50, marks=pytest.mark.nightly),
        (("23.47",), 50),
    ],
)
async def test_a_payout_in_several_lines_or_less_a_fee_is_ended_by_naming_its_payments(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path, amounts: tuple[str, ...], fee: int
) -> None:
    payout, payments = await in_lines(cli, reconciling, period, tmp_path, *amounts)
    kept = ("--fee", f"{fee / 100:.2f}") if fee else ()
    await late_payouts(reconciling, 20)

    ended = await cli.json("reconcile", "payout", payout, *payments, *kept, *WHO)
    certificates = [await reconciling.reconcile() for _ in range(2)]

    assert (ended["lines_minor"], ended["fee_minor"]) == (2397 - fee, fee)
    assert await held(reconciling) == IN_THE_BANK | {"bank": 2397 - fee}
    assert (await suspended(reconciling), await reconciling.wrong()) == (0, [])
    assert [(one.open_discrepancies, one.in_transit) for one in certificates] == [(0, ())] * 2
    (late,) = await reconciling.discrepancies()
    assert (late.kind, late.state, late.actor, late.reason) == ("payout_not_arrived", "resolved", "maria", WHO[3])
    # Whoever sends it again is refused, and a statement that is imported once more brings nothing.
    assert "payout_is_in_transit" in (await cli("reconcile", "payout", payout, *payments, *kept, *WHO)).stderr


async def test_what_does_not_come_to_the_payout_is_refused_and_nothing_is_written(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout, payments = await in_lines(cli, reconciling, period, tmp_path, "20.00", "3.47")
    before = await held(reconciling)
    asked = {
        "lines_come_to_payout": (payout, *payments),
        "payment_named_once": (payout, payments[0], payments[0]),
        "payment_is_in_suspense": (
            payout,
            await reconciling.merchant.value("select transaction_id from duly.gateway_requests"),
        ),
        "transaction_exists": (payout, "PAY-9"),
        "payments_of_payout": (payout,),
        "payout_exists": ("po_none", *payments),
        "amount_collectable": (payout, *payments, "--fee", "-0.50"),
        "amount_is_decimal": (payout, *payments, "--fee", "much"),
    }

    refused = {rule: (await cli("reconcile", "payout", *given, *WHO)).stderr for rule, given in asked.items()}
    nobody = await cli("reconcile", "payout", payout, *payments, "--actor", " ", "--reason", "r")

    assert [rule for rule, printed in refused.items() if f"({rule})" not in printed] == []
    assert "command_says_who_and_why" in nobody.stderr
    assert (await held(reconciling), await suspended(reconciling)) == (before, 2347)


async def test_a_debit_of_the_bank_for_a_payout_is_ended_by_its_day_and_fee(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await in_the_bank(reconciling, cli, tmp_path, period)
    reconciling.sandbox.fail_payout(str(payout["id"]))
    await reconciling.reconcile()
    await late_payouts(reconciling, 30)
    day = f"{today(reconciling) + timedelta(days=1)}"
    payment = str(await reconciling.merchant.value("select transaction_id from duly.gateway_requests"))

    refused = [
        (await cli("reconcile", "payout", str(payout["id"]), *given, *WHO)).stderr
        for given in ((), ("--on", day, payment))
    ]
    await cli.json("reconcile", "payout", str(payout["id"]), "--on", day, "--fee", "5.00", *WHO)

    assert ["day_of_debit" in refused[0], "debit_has_no_payment" in refused[1]] == [True, True]
    assert await held(reconciling) == {
        "bank": -500,
        "gateway_clearing:stripe": 2397,
        "payouts_in_transit:stripe": 0,
    }
    assert [(one.kind, one.state) for one in await reconciling.discrepancies()] == [("payout_sent_back", "resolved")]
    assert await reconciling.wrong() == []


@pytest.mark.nightly
async def test_a_debit_that_fills_the_gateways_balance_in_two_lines_is_ended_by_its_day(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    payout = await pulled(reconciling, period)
    await reconciling.reconcile()

    await cli.json("reconcile", "payout", str(payout["id"]), "--on", f"{today(reconciling)}", *WHO)

    assert {
        name: minor for name, minor in (await held(reconciling)).items() if name != "payouts_in_transit:stripe"
    } == {
        "bank": payout["amount"],
        "gateway_clearing:stripe": 0,
    }
    assert await reconciling.wrong() == []
