"""Payouts of one day and amount whose lines come in any order: each is brought once."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.bank.statements import camt, entry
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.payouts.test_payouts import held, paid_out, today, trace_of
from tests.support.command_line import CommandLine


async def equal_payouts(reconciling: ReconciliationClient, period: str, number: int) -> list[str]:
    """Let the gateway make payouts of 23.97 each, all known and on their way."""
    payouts = [await paid_out(reconciling, period)]
    for _ in range(number - 1):
        await reconciling.paid(await reconciling.merchant.account(), period)
        payouts += reconciling.sandbox.pay_out()
    ids = [str(payout["id"]) for payout in payouts]
    for payout in ids:
        reconciling.sandbox.complete_payout(payout)
    await reconciling.reconcile()
    return ids


@pytest.mark.parametrize("order", [(2, 0, 1), pytest.param((1, 2, 0), marks=pytest.mark.nightly)])
async def test_of_three_equal_payouts_a_line_without_a_name_never_brings_the_one_that_another_line_names(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path, order: tuple[int, ...]
) -> None:
    payouts = await equal_payouts(reconciling, period, 3)
    traces = [await trace_of(reconciling, payout) for payout in payouts]
    texts = ["STRIPE PAYMENTS", traces[order[1]], traces[order[0]]]
    day = today(reconciling) + timedelta(days=2)

    lines = [entry(f"B{place}", "23.97", text=text, day=day) for place, text in enumerate(texts)]
    imported = await cli.json("import", "bank", camt(tmp_path, *lines))
    await reconciling.reconcile()

    assert (imported["summary"]["payout"], imported["summary"]["suspense"]) == (3, 0)
    assert await held(reconciling) == {"bank": 3 * 2397, "gateway_clearing:stripe": 0, "payouts_in_transit:stripe": 0}
    arrived = "select count(distinct arrived_key) from duly.gateway_payouts"
    assert await reconciling.merchant.value(arrived) == 3
