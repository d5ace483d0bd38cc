"""Subscriptions that change while they are billed, or that an older release meets: nothing is billed twice."""

from datetime import date

import pytest
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter

from activities.database import Database, DatabaseUnavailableError, RuleBrokenError, SchemaMismatchError
from activities.runs.billing import BillingActivities
from models.period import Period
from models.runs.process_run import BillingPageRequest
from models.subscriptions.billing import BillableSubscription
from models.subscriptions.documents import Bill, bill_of
from tests.subscriptions.by_day import WHO, create, lines
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


@pytest.fixture
async def account(merchant: Merchant) -> str:
    """An account without a card."""
    return await merchant.account(cards=[])


async def test_a_worker_of_the_release_before_leaves_what_is_billed_by_day_to_a_newer_one(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    await merchant.subscription(account, price_minor=3000)
    await create(cli, account, "--id", "s1")
    await database.call(
        "freeze_billing_run", run_id="b", definition_id="plans", period="2026-11", starts_on=date(2026, 11, 1)
    )

    with pytest.raises(SchemaMismatchError):
        await database.rows("select * from duly.billing_page('b', '', 100)")


async def test_an_import_of_the_release_before_cannot_change_what_is_billed_by_day(
    cli: CommandLine, account: str, database: Database
) -> None:
    await create(cli, account, "--id", "s1")

    with pytest.raises(RuleBrokenError) as refused:
        await database.rows("update duly.subscriptions set price_minor = 1 returning id")

    assert refused.value.type == "subscription_changed_by_command"


async def test_an_invoice_that_was_worked_out_before_a_change_is_worked_out_again(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    subscription = await merchant.subscription(account, price_minor=3000)
    await cli.json("subscriptions", "change", subscription, "--quantity", "2", *WHO)

    with pytest.raises(SchemaMismatchError):
        await database.call("bill_members", run_id="b", batch=Jsonb([{"member_id": subscription}]))

    assert await merchant.balance(account) == 0


async def test_what_is_changed_while_its_bill_is_worked_out_is_worked_out_again(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    await create(cli, account, "--id", "s1")
    await database.call(
        "freeze_billing_run", run_id="b", definition_id="plans", period="2026-11", starts_on=date(2026, 11, 1)
    )
    (read,) = await database.call("subscriptions_to_bill", run_id="b", after="", limit=10)
    worked_out = bill_of(TypeAdapter(BillableSubscription).validate_python(read), Period.parse("2026-11"))
    late = Jsonb([TypeAdapter(Bill).dump_python(worked_out, mode="json")])
    await cli.json("subscriptions", "change", "s1", "--quantity", "2", "--from", "2026-11-01", *WHO)

    with pytest.raises(DatabaseUnavailableError):
        await database.call("bill_by_day", run_id="b", batch=late)
    page = await BillingActivities(database).bill_page(BillingPageRequest("b", "2026-11", "", 10))

    assert (page.billed, page.skipped) == (1, 0)
    assert [net for _, _, net in await lines(merchant, account)] == [6000]
