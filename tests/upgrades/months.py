"""A month of a deployed release: billed, collected, and compared with the gateway's books."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from activities.database import Database, create_engine
from activities.gateway.stripe_gateway import StripeGateway
from models.workflow_ids import payment_run_id
from tests.support.invariants import complaints
from tests.upgrades.deployed_release import DeployedRelease

BILLING, PAYMENT = "plans", "monthly"
# Of forty generated accounts, the fewest whose cards are always charged.
PAYING_ACCOUNTS = 30


async def bill(duly: DeployedRelease, code: Path, period: str) -> None:
    """Bill a month with the command line of a release."""
    await duly.command(code, "billing", "start", BILLING, period, "--not-due-yet", "--wait")


async def start_payments(duly: DeployedRelease, code: Path, period: str) -> WorkflowHandle[Any, Any]:
    """Start a month's payments with the command line of a release, and return the run."""
    await duly.command(code, "runs", "start", PAYMENT, period, "--not-due-yet")
    return duly.client.get_workflow_handle(payment_run_id(PAYMENT, period))


async def until_gateway_has_had(duly: DeployedRelease, operation: str, calls: int = 1) -> None:
    """Wait until an operation was called so often; TimeoutError says how often it was."""
    async with asyncio.timeout(90):
        while duly.control.request_counts().get(operation, 0) < calls:  # noqa: ASYNC110  # another process's state
            await asyncio.sleep(0.05)


async def no_money_differs(duly: DeployedRelease, periods: Iterable[str]) -> None:
    """Months are paid, each receivable once, and gateway and ledger agree."""
    settings = duly.stack.settings
    key = settings.stripe_api_key.get_secret_value()
    gateway = StripeGateway(key, api_base=settings.stripe_api_base, timeout_seconds=20)
    database = Database(create_engine(settings.database_url, pool=2), timeout_seconds=30)
    try:
        assert await complaints(duly.control, database, gateway) == []
        for period in periods:
            assert await payments_of(database, period) >= PAYING_ACCOUNTS
    finally:
        await gateway.close()
        await database.dispose()


async def payments_of(database: Database, period: str) -> int:
    """Count a month's payments that the gateway has made."""
    [row] = await database.rows(
        "select count(*) from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id"
        " where r.kind = 'payment' and r.period = :period and a.outcome = 'succeeded'",
        period=period,
    )
    return int(row[0])
