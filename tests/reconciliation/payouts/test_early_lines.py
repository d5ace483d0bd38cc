"""Lines of the bank that come before Duly knows of their payouts, and payouts that nothing tells apart."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.bank.statements import camt, entry
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.payouts.test_payouts import held, paid_out, today
from tests.support.command_line import CommandLine

IN_THE_BANK = {"bank": 2397, "gateway_clearing:stripe": 0, "payouts_in_transit:stripe": 0}


async def suspended(reconciling: ReconciliationClient) -> int:
    """Return what lies in suspense, in minor units."""
    return -int(await reconciling.merchant.balance("acc_suspense_eur"))


async def test_a_payout_whose_line_came_before_anybody_knew_of_it_is_taken_out_of_suspense(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await paid_out(reconciling, period)
    file = camt(tmp_path, entry("B1", "23.97", text="STRIPE PAYMENTS", day=today(reconciling)))
    early = await cli.json("import", "bank", file)
    reconciling.sandbox.complete_payout(str(payout["id"]))

    certificates = [await reconciling.reconcile() for _ in range(2)]
    again = await cli.json("import", "bank", file)

    assert (early["summary"]["suspense"], again["summary"]["unchanged"]) == (1, 1)
    assert await held(reconciling) == IN_THE_BANK
    assert [(one.open_discrepancies, one.in_transit) for one in certificates] == [(0, ())] * 2
    assert (await suspended(reconciling), await reconciling.wrong()) == (0, [])


@pytest.mark.nightly
async def test_money_in_suspense_that_names_no_gateway_or_was_moved_to_its_owner_is_left_there(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await paid_out(reconciling, period)
    owner, day = await reconciling.merchant.account(), today(reconciling)
    lines = entry("B1", "23.97", text="for my order", day=day), entry("B2", "23.97", text="STRIPE", day=day)
    imported = await cli.json("import", "bank", camt(tmp_path, *lines))
    moved = next(one["number"] for one in imported["entries"] if one["line"] != imported["entries"][0]["line"])
    await cli.json("transactions", "move", moved, owner, "--actor", "maria", "--reason", "it is theirs")
    reconciling.sandbox.complete_payout(str(payout["id"]))

    await reconciling.reconcile()

    assert (await suspended(reconciling), await reconciling.merchant.balance(owner)) == (2397, -2397)
    assert (await held(reconciling))["payouts_in_transit:stripe"] == 2397


async def test_two_payouts_of_a_day_and_an_amount_are_brought_by_two_lines_that_nothing_tells_apart(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payouts = [await paid_out(reconciling, period)]
    await reconciling.paid(await reconciling.merchant.account(), period)
    payouts += reconciling.sandbox.pay_out()
    for payout in payouts:
        reconciling.sandbox.complete_payout(str(payout["id"]))
    await reconciling.reconcile()
    day = today(reconciling) + timedelta(days=2)

    lines = [entry(reference, "23.97", text="STRIPE", day=day) for reference in ("B1", "B2", "B3")]
    imported = await cli.json("import", "bank", camt(tmp_path, *lines))

    # The third is nobody's that Duly knows of.
    assert (imported["summary"]["payout"], imported["summary"]["suspense"]) == (2, 1)
    assert (await held(reconciling))["payouts_in_transit:stripe"] == 0
