"""Merchants that the platform pays: it takes their customers' payments on its own account and passes them on."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from models.reconciliation.reconciliation import ReconciliationCertificate
from tests.merchants.providers.conftest import ConnectedMerchant, Platform, connected
from tests.merchants.providers.test_application_fees import both_reconciled


def paid_by_the_platform(platform: Platform, id: str) -> AbstractAsyncContextManager[ConnectedMerchant]:
    """Connect a merchant of the flow destination, and have the worker of its provider, which has the same name."""
    return connected(platform, id, flow="destination")


@pytest.fixture
async def shop(platform: Platform) -> AsyncIterator[ConnectedMerchant]:
    """A merchant that the platform pays."""
    async with paid_by_the_platform(platform, f"shop-{platform.period}") as merchant:
        yield merchant


async def customer_of(platform: Platform, merchant: ConnectedMerchant, account: str = "") -> str:
    """Open an account with a card at the platform, whose payments are taken for a merchant."""
    theirs = platform.own.merchant
    account = account or await theirs.account()
    await theirs.run("select duly.assign_payer(:m, :a, 'maria', 'it buys there')", m=merchant.id, a=account)
    return account


async def reconciled(platform: Platform, *merchants: ConnectedMerchant) -> list[ReconciliationCertificate]:
    """Let the transfers follow, and reconcile the merchants' accounts and the platform's."""
    await both_reconciled(platform)
    return await both_reconciled(platform, *merchants)


async def books(platform: Platform, *names: str) -> dict[str, int]:
    """The balances of ledger accounts that are not zero: debits less credits, in minor units."""
    rows = await platform.own.merchant.run(
        "select ledger_account, debit_minor - credit_minor as minor from duly.trial_balance()"
        " where split_part(ledger_account, ':', 1) = any(:names)",
        names=list(names),
    )
    return {row.ledger_account: row.minor for row in rows if row.minor}


async def transfers(platform: Platform) -> list[tuple[str, int, int, int]]:
    """Where the transfers of each payment stand, the oldest first: state, captured, refunded, lost in minor units."""
    rows = await platform.own.merchant.run(
        "select state, captured_minor, refunded_minor, lost_minor from duly.merchant_transfers order by id"
    )
    return [tuple(row) for row in rows]


async def retried(platform: Platform) -> None:
    """Let what waits for its next try be due, and what was sent long ago."""
    run = platform.own.merchant.run
    await run("update duly.merchant_transfers set next_try_at = clock_timestamp() where state <> 'settled'")
    await run("update duly.merchant_transfer_moves set sent_at = sent_at - interval '10 minutes' where state = 'sent'")
