"""Payouts of a merchant's own account go to the merchant's bank: our statement brings none, and misses none."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.database import Database
from tests.bank.statements import camt, entry
from tests.merchants.onboarding import participating
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

DUE = date(2026, 11, 20)


async def paid_out(database: Database, provider: str, payout: str, *, status: str = "paid") -> None:
    """Let a gateway have paid out 50.00, and the ledger have booked that it left."""
    at = datetime.combine(DUE - timedelta(days=2), time(3), UTC)
    moved: dict[str, Any] = {
        "id": f"txn_{payout}", "type": "payout", "category": "payout", "pocket": "payments", "source": payout,
        "kind": "payout_out", "amount_minor": -5000, "fee_minor": 0, "currency": "EUR", "payout": "",
        "exchange_rate": "", "available_on": None, "created_at": at.isoformat(),
    }  # fmt: skip
    found = {
        "id": payout, "amount_minor": 5000, "currency": "EUR", "status": status, "is_automatic": False,
        "trace": f"TRACE{payout}", "arrives": int(at.timestamp()) + 2 * 86_400, "created": int(at.timestamp()),
    }  # fmt: skip
    await database.call("store_movements", provider_id=provider, rows={"rows": [moved]})
    done = await database.call(
        "confirm_movement", provider_id=provider, movement_id=moved["id"], found=found, reconciliation_id=None
    )
    assert done == {"outcome": "matched"}


async def in_transit(merchant: Merchant) -> dict[str, int]:
    rows = await merchant.run("select ledger_account, debit_minor - credit_minor as held from duly.trial_balance()")
    return {row.ledger_account: row.held for row in rows if row.ledger_account.startswith("payouts_in_transit")}


@pytest.fixture
async def two_books(merchant: Merchant) -> None:
    """A platform's provider, and that of a merchant's own account."""
    await participating(merchant, "cafe")
    await merchant.run("insert into duly.providers (id, gateway, mode) values ('cafe', 'stripe', 'test')")
    await merchant.run("select duly.assign_provider('cafe', 'cafe')")


@pytest.mark.usefixtures("two_books")
async def test_a_line_of_our_bank_brings_our_payout_though_a_merchant_has_one_of_that_amount_and_day(
    cli: CommandLine, merchant: Merchant, database: Database, tmp_path: Path
) -> None:
    await paid_out(database, "stripe", "po_ours")
    await paid_out(database, "cafe", "po_theirs")

    lines = [entry(reference, "50.00", text="STRIPE", day=DUE) for reference in ("B1", "B2")]
    imported = await cli.json("import", "bank", camt(tmp_path, *lines))

    assert (imported["summary"]["payout"], imported["summary"]["suspense"]) == (1, 1)
    assert await in_transit(merchant) == {"payouts_in_transit:stripe": 0, "payouts_in_transit:cafe": 5000}


@pytest.mark.usefixtures("two_books")
async def test_what_the_gateway_has_paid_to_a_merchants_bank_is_not_missed_on_our_statement(
    merchant: Merchant, database: Database
) -> None:
    await paid_out(database, "stripe", "po_ours")
    await paid_out(database, "cafe", "po_theirs")
    await paid_out(database, "cafe", "po_on_its_way", status="in_transit")

    for provider in ("stripe", "cafe"):
        await merchant.run("select duly.find_late_payouts(:provider, '2026-12-01', null)", provider=provider)

    found = await merchant.run("select provider_id, object, kind from duly.discrepancies order by 1, 2")
    assert [tuple(row) for row in found] == [
        ("cafe", "po_on_its_way", "payout_not_arrived"),
        ("stripe", "po_ours", "payout_not_arrived"),
    ]
