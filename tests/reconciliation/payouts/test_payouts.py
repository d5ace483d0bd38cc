"""Payouts leave clearing for what is in transit, their lines add up, and the bank's statement brings them in."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from sandbox.stripe.control.client import Delays
from tests.bank.statements import camt, entry
from tests.fixtures.reconciling import ReconciliationClient
from tests.support.command_line import CommandLine

REVERSAL = "<RvslInd>true</RvslInd>"
AT_ONCE = Delays(balance_transaction=0, withdrawal=0, funds=0, payout=86_400)


async def paid_out(reconciling: ReconciliationClient, period: str) -> dict[str, object]:
    """Let a customer pay 25.00 and the gateway pay out what is left of it."""
    reconciling.sandbox.set_delays(AT_ONCE)
    account = await reconciling.merchant.account()
    await reconciling.paid(account, period)
    (payout,) = reconciling.sandbox.pay_out()
    return payout


async def trace_of(reconciling: ReconciliationClient, payout: object) -> str:
    """Return what the bank's line names a payout by."""
    trace = await reconciling.merchant.value("select trace from duly.gateway_payouts where id = :id", id=payout)
    return f"STRIPE PAYMENTS {trace}"


async def in_the_bank(
    reconciling: ReconciliationClient, cli: CommandLine, folder: Path, period: str
) -> dict[str, object]:
    """Let a payout of 23.97 arrive, and the bank's statement show it."""
    payout = await paid_out(reconciling, period)
    reconciling.sandbox.complete_payout(str(payout["id"]))
    await reconciling.reconcile()
    await cli.json("import", "bank", camt(folder, entry("B1", "23.97", text=await trace_of(reconciling, payout["id"]))))
    return payout


async def pulled(reconciling: ReconciliationClient, period: str) -> dict[str, object]:
    """Refund 25.00 that were paid out already, and let the gateway fill its balance from our bank account."""
    await paid_out(reconciling, period)
    charge = await reconciling.merchant.value(
        "select charge_reference from duly.gateway_attempts where outcome = 'succeeded'"
    )
    await reconciling.stripe.v1.refunds.create_async({"charge": charge})
    (payout,) = reconciling.sandbox.pay_out()
    return payout


def today(reconciling: ReconciliationClient) -> date:
    """Return the gateway's day."""
    return datetime.fromtimestamp(reconciling.sandbox.now(), UTC).date()


async def late_payouts(reconciling: ReconciliationClient, days: int) -> list[str]:
    """Return the kinds of discrepancy that a reconciliation so many days later would list of payouts."""
    found = text("select duly.find_late_payouts('stripe', current_date + cast(:days as integer), null)")
    async with reconciling.owner_engine.begin() as connection:
        await connection.execute(found, {"days": days})
    return [found.kind for found in await reconciling.discrepancies()]


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


@pytest.mark.nightly
async def test_a_transfer_of_the_same_amount_from_somebody_else_closes_no_payout(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    await paid_out(reconciling, period)
    await reconciling.reconcile()

    imported = await cli.json("import", "bank", camt(tmp_path, entry("B1", "23.97", text="for my order")))

    assert (imported["summary"]["payout"], imported["summary"]["suspense"]) == (0, 1)


@pytest.mark.nightly
async def test_a_payout_that_the_bank_sends_back_is_on_the_balance_again(
    reconciling: ReconciliationClient, period: str
) -> None:
    payout = await paid_out(reconciling, period)
    await reconciling.reconcile()
    reconciling.sandbox.fail_payout(str(payout["id"]))

    certificate = await reconciling.reconcile()

    assert certificate.open_discrepancies == 0
    assert await held(reconciling) == {"gateway_clearing:stripe": 2397, "payouts_in_transit:stripe": 0}


@pytest.mark.nightly
async def test_a_line_of_a_payout_that_comes_with_another_amount_is_refused(
    cli: CommandLine, reconciling: ReconciliationClient, period: str, tmp_path: Path
) -> None:
    await in_the_bank(reconciling, cli, tmp_path, period)

    result = await cli("import", "bank", camt(tmp_path, entry("B1", "23.98", text="STRIPE PAYMENTS")), "--json")

    assert [one["rule"] for one in result.document["problems"]] == ["bank_reference_once"]


@pytest.mark.nightly
async def test_the_trace_of_a_payout_that_was_made_before_the_days_that_are_read_is_found(
    reconciling: ReconciliationClient, period: str
) -> None:
    payout = await paid_out(reconciling, period)
    await reconciling.reconcile()
    async with reconciling.owner_engine.begin() as connection:
        await connection.execute(text("update duly.gateway_payouts set created_at = created_at - interval '40 days'"))
    reconciling.sandbox.complete_payout(str(payout["id"]))
    await reconciling.reconcile()

    assert (await trace_of(reconciling, payout["id"])).startswith("STRIPE PAYMENTS TRACE")


async def test_the_fee_of_a_payout_and_that_of_its_return_are_booked_by_themselves_and_one_may_be_given_back(
    reconciling: ReconciliationClient, period: str
) -> None:
    payout = str((await paid_out(reconciling, period))["id"])
    found = {
        "id": payout,
        "amount_minor": 2397,
        "currency": "EUR",
        "status": "failed",
        "is_automatic": False,
        "trace": "",
    }
    found |= {"arrives": int(reconciling.sandbox.now()), "created": int(reconciling.sandbox.now())}
    moved = {
        "type": "payout", "category": "payout", "pocket": "payments", "source": payout, "currency": "EUR", "payout": "",
        "exchange_rate": "", "available_on": None, "created_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    out = moved | {"id": "txn_out", "kind": "payout_out", "amount_minor": -2397, "fee_minor": 24}
    back = moved | {"id": "txn_back", "kind": "payout_back", "amount_minor": 2397, "fee_minor": -24}
    await reconciling.database.call("store_movements", provider_id="stripe", rows={"rows": [out, back]})

    outcomes = [
        await reconciling.database.call(
            "confirm_movement", provider_id="stripe", movement_id=id_, found=found, reconciliation_id=None
        )
        for id_ in ("txn_out", "txn_back")
    ]

    assert outcomes == [{"outcome": "matched"}] * 2
    fees = await reconciling.merchant.run(
        "select kind, amount_minor from duly.gateway_bookings where gateway_reference = :id and kind like 'fee%'"
        " order by 1",
        id=payout,
    )
    assert [tuple(row) for row in fees] == [("fee", 24), ("fee_refund", 24)]
