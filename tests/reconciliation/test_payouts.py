"""Payouts leave clearing for what is in transit, their lines add up, and the bank's statement brings them in."""

from pathlib import Path

from sandbox.stripe.control.client import Delays
from tests.bank.statements import camt, entry
from tests.fixtures.reconciling import ReconciliationClient
from tests.support.command_line import CommandLine

AT_ONCE = Delays(balance_transaction=0, withdrawal=0, funds=0, payout=86_400)


async def paid_out(reconciling: ReconciliationClient, period: str) -> dict[str, object]:
    """Let a customer pay 25.00 and the gateway pay out what is left of it."""
    reconciling.sandbox.set_delays(AT_ONCE)
    account = await reconciling.merchant.account()
    await reconciling.paid(account, period)
    (payout,) = reconciling.sandbox.pay_out()
    return payout


async def held(reconciling: ReconciliationClient) -> dict[str, int]:
    """Return what the ledger says lies where, without the customers' accounts."""
    rows = await reconciling.merchant.run("select ledger_account, debit_minor - credit_minor from duly.trial_balance()")
    return {
        name: minor for name, minor in rows if name.split(":")[0] in {"bank", "gateway_clearing", "payouts_in_transit"}
    }


async def test_a_payout_moves_from_clearing_into_transit_and_its_lines_add_up(
    reconciling: ReconciliationClient, period: str
) -> None:
    payout = await paid_out(reconciling, period)
    reconciling.sandbox.complete_payout(str(payout["id"]))

    certificate = await reconciling.reconcile()

    assert (certificate.open_discrepancies, payout["amount"]) == (0, 2397)
    assert await held(reconciling) == {"gateway_clearing:stripe": 0, "payouts_in_transit:stripe": 2397}
    assert [(one.payouts, one.amount_minor) for one in certificate.in_transit] == [(1, 2397)]
    assert await reconciling.merchant.value("select lines_minor from duly.gateway_payouts") == 2397


async def test_the_line_of_the_bank_statement_closes_a_payout_once(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await paid_out(reconciling, period)
    reconciling.sandbox.complete_payout(str(payout["id"]))
    await reconciling.reconcile()
    trace = await reconciling.merchant.value("select trace from duly.gateway_payouts")
    file = camt(tmp_path, entry("B1", "23.97", text=f"STRIPE PAYMENTS {trace}"))

    first = await cli.json("import", "bank", file)
    await cli.json("import", "bank", file)

    assert first["summary"]["payout"] == 1
    assert await held(reconciling) == {
        "bank": 2397,
        "gateway_clearing:stripe": 0,
        "payouts_in_transit:stripe": 0,
    }


async def test_a_transfer_of_the_same_amount_from_somebody_else_closes_no_payout(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    await paid_out(reconciling, period)
    await reconciling.reconcile()

    imported = await cli.json("import", "bank", camt(tmp_path, entry("B1", "23.97", text="for my order")))

    assert (imported["summary"]["payout"], imported["summary"]["suspense"]) == (0, 1)


async def test_a_payout_that_the_bank_sends_back_is_on_the_balance_again(
    reconciling: ReconciliationClient, period: str
) -> None:
    payout = await paid_out(reconciling, period)
    await reconciling.reconcile()
    reconciling.sandbox.fail_payout(str(payout["id"]))

    certificate = await reconciling.reconcile()

    assert certificate.open_discrepancies == 0
    assert await held(reconciling) == {"gateway_clearing:stripe": 2397, "payouts_in_transit:stripe": 0}


async def test_a_payout_that_comes_back_after_the_statement_had_shown_it_is_listed_until_a_person_ends_it(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    payout = await paid_out(reconciling, period)
    reconciling.sandbox.complete_payout(str(payout["id"]))
    await reconciling.reconcile()
    trace = await reconciling.merchant.value("select trace from duly.gateway_payouts")
    await cli.json("import", "bank", camt(tmp_path, entry("B1", "23.97", text=f"STRIPE PAYMENTS {trace}")))
    reconciling.sandbox.fail_payout(str(payout["id"]))

    certificates = [await reconciling.reconcile() for _ in range(2)]
    (found,) = await reconciling.discrepancies()
    await cli.json("reconcile", "resolve", found.id, "--as", "explained", "--actor", "maria", "--reason", "corrected")
    last = await reconciling.reconcile()

    assert (found.kind, found.object, found.amount_minor) == ("payout_sent_back", payout["id"], 2397)
    assert [one.open_discrepancies for one in (*certificates, last)] == [1, 1, 0]
