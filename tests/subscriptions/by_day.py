"""Subscriptions that are billed by day, as the tests of this folder make and bill them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from activities.database import Database
from activities.runs.billing import BillingActivities
from models.runs.process_run import BillingPageRequest
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "the customer called")


async def create(cli: CommandLine, account: str, *words: str) -> str:
    made = await cli.json(
        "subscriptions", "create", account, "plan", "--price", "30.00", "--starts-on", "2026-11-01", *WHO, *words
    )
    return str(made["subscription"])


async def bill(database: Database, period: str) -> dict[str, Any]:
    """Bill a month as the workflow does; return the certificate."""
    run_id, billing = f"billing/plans/{period}", BillingActivities(database)
    await database.call(
        "freeze_billing_run",
        run_id=run_id,
        definition_id="plans",
        period=period,
        starts_on=date.fromisoformat(f"{period}-01"),
    )
    await billing.bill_page(BillingPageRequest(run_id, period, "", 100))
    certificate: dict[str, Any] = await database.call("certify_run", run_id=run_id)
    return certificate


async def lines(merchant: Merchant, account: str) -> Sequence[tuple[str, str, int]]:
    rows = await merchant.run(
        "select t.classification, l.description, l.net_minor from duly.transaction_lines l"
        " join duly.financial_transactions t on t.id = l.transaction_id where t.account_id = :account"
        " order by t.account_version, l.position",
        account=account,
    )
    return [tuple(row) for row in rows]
