"""Reminders of invoices: by the rule's days, once each, and of nothing that is nobody's to remind of."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.database import Database
from activities.messages.reminders import ReminderActivities, reminders_at
from models.workflow_ids import REMINDERS, WORKFLOW_QUEUE
from sandbox.servers.mail import Mailbox
from settings import Settings
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from workflows.messages.reminders import Reminders


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Settings:
    """Settings of a merchant who writes to customers."""
    return settings.model_copy(update={"smtp_url": mailbox.url})


async def owing(merchant: Merchant, *, locale: str = "en", **options: object) -> tuple[str, str, datetime]:
    """A customer who pays by themselves and owes 25.00; return account, invoice, and noon of the due date."""
    account = await merchant.account(cards=[], **options)  # type: ignore[arg-type]
    await merchant.run(
        "update duly.accounts set email = id || '@example.com', locale = :locale where id = :id",
        id=account,
        locale=locale,
    )
    invoice = await merchant.invoice(account, 2500, currency=str(options.get("currency", "EUR")))
    due = await merchant.value("select due_on from duly.financial_transactions where id = :id", id=invoice)
    return account, invoice, datetime(due.year, due.month, due.day, 12, tzinfo=UTC)


async def ids_at(database: Database, moment: datetime) -> list[str]:
    return [row.message_id for row in await reminders_at(database, moment)]


async def test_the_rule_says_on_which_days(merchant: Merchant, database: Database) -> None:
    _, invoice, due = await owing(merchant)
    days: dict[str, int] = {}

    for day in range(-5, 23):
        for row in await reminders_at(database, due + timedelta(days=day)):
            days.setdefault(row.message_id, day)

    assert days == {
        f"invoice_due/{invoice}/3": -3,
        f"invoice_overdue/{invoice}/1": 1,
        f"invoice_overdue/{invoice}/7": 7,
        f"invoice_overdue/{invoice}/14": 14,
    }


async def test_nobody_is_reminded_twice_of_the_same(merchant: Merchant, database: Database) -> None:
    _, _, due = await owing(merchant)
    reminding = ReminderActivities(database)

    written = [await reminding.write_reminders(due + timedelta(days=day)) for day in (1, 1, 2, 7)]

    assert written == [1, 0, 0, 1]


async def test_the_day_is_that_of_the_accounts_own_clock(merchant: Merchant, database: Database) -> None:
    _, invoice, due = await owing(merchant, time_zone="Pacific/Auckland")
    before_midnight_there = due - timedelta(hours=2)

    assert await ids_at(database, before_midnight_there + timedelta(hours=24)) == [f"invoice_overdue/{invoice}/1"]
    assert await ids_at(database, before_midnight_there) == [f"invoice_due/{invoice}/3"]


async def test_a_newer_version_and_a_segment_of_its_own_count(merchant: Merchant, database: Database) -> None:
    account, invoice, due = await owing(merchant)
    _, other, _ = await owing(merchant)
    await merchant.run("update duly.accounts set segment = 'business' where id = :id", id=account)
    await merchant.configure("[[reminder_rules]]\ndays_before = [5]")
    await merchant.configure('[[reminder_rules]]\nsegment = "business"\ndays_before = [10]')

    assert await ids_at(database, due - timedelta(days=5)) == [f"invoice_due/{invoice}/10", f"invoice_due/{other}/5"]


@pytest.mark.parametrize("why", ["settled", "in dunning", "terminated", "charged by card", "no address", "given up"])
async def test_of_some_invoices_nobody_is_reminded(
    merchant: Merchant, database: Database, duly: RunningDuly, why: str
) -> None:
    account, _, due = await owing(merchant)
    match why:
        case "settled":
            await merchant.transfer(account, 2500)
        case "in dunning":
            await (await duly.start_collection(account)).execute_update("first_outcome")
        case "terminated":
            await merchant.run("select duly.set_account_state(:id, 'terminated')", id=account)
        case "charged by card":
            await merchant.card(account, "pm_card_visa")
        case "no address":
            await merchant.run("update duly.accounts set email = null")
        case _:
            await (await duly.start_collection(account)).result()

    assert await ids_at(database, due + timedelta(days=1)) == []


async def test_they_are_sent_in_the_customers_language(duly: RunningDuly, merchant: Merchant, mailbox: Mailbox) -> None:
    await owing(merchant)
    await owing(merchant, locale="de")
    await merchant.configure("[[reminder_rules]]\ndays_before = [60]")

    written = await duly.client.execute_workflow(Reminders.run, id=REMINDERS, task_queue=WORKFLOW_QUEUE)
    rendered = await mailbox.wait_for(2)

    assert written == 2
    assert sorted(message.subject.split(" INV")[0] for message in rendered) == ["Invoice", "Rechnung"]
    assert all("25.00" in message.text or "25,00" in message.text for message in rendered)


async def test_what_was_paid_before_the_message_went_out_is_not_reminded_of(
    merchant: Merchant, database: Database
) -> None:
    account, invoice, due = await owing(merchant)
    await ReminderActivities(database).write_reminders(due + timedelta(days=1))
    await merchant.transfer(account, 2500)

    claimed = await database.call("claim_message", id=f"invoice_overdue/{invoice}/1")

    assert claimed is None
    assert await merchant.value("select reason from duly.messages") == "overtaken"
