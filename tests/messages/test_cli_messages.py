"""`messages`: what was not sent is found, and sent again when a person says so."""

import pytest

from activities.collections.collect import CollectActivities
from activities.database import Database
from sandbox.servers.mail import Mailbox
from settings import Settings
from tests.support.attempts import request_for
from tests.support.builders import PERIOD, Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import until

RECEIPT = f"receipt/acc_ada/{PERIOD}"
WHO = ("--actor", "maria", "--reason", "the customer asked")


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Settings:
    """Settings of workers that send to the mail catcher."""
    return settings.model_copy(update={"smtp_url": mailbox.url})


@pytest.fixture
async def receipt(merchant: Merchant, collecting: CollectActivities) -> str:
    """The receipt of a payment, which nobody has sent yet."""
    await merchant.account("acc_ada", owes_minor=2500)
    await merchant.run("update duly.accounts set email = 'ada@example.com'")
    await collecting.collect(request_for("acc_ada"))
    return RECEIPT


async def test_messages_are_listed_by_state_and_account(cli: CommandLine, receipt: str) -> None:
    pending = await cli.json("messages", "list", "--state", "pending", "--account", "acc_ada")
    sent = await cli.json("messages", "list", "--state", "sent")
    result = await cli("messages", "show", receipt)

    assert [message["id"] for message in pending["messages"]] == [receipt]
    assert (pending["next"], sent["messages"]) == (None, [])
    assert "ada@example.com" not in result.stdout
    assert "pending" in result.stdout


async def is_delivered(mailbox: Mailbox) -> bool:
    """Whether the customer has had mail; operators may have had some about something else."""
    return ("ada@example.com",) in recipients(mailbox)


def recipients(mailbox: Mailbox) -> list[tuple[str, ...]]:
    """To whom each message went."""
    return [message.recipients for message in mailbox.messages]


@pytest.mark.usefixtures("workers")
async def test_an_unsure_message_is_sent_again_with_who_and_why(
    cli: CommandLine, receipt: str, database: Database, mailbox: Mailbox, merchant: Merchant
) -> None:
    await database.call("withhold_messages", ids=[receipt], reason="no_mail_server")

    answer = await cli.json("messages", "resend", receipt, *WHO)
    await until(lambda: is_delivered(mailbox))

    decisions = await merchant.value("select decisions from duly.messages")
    assert answer == {"message": receipt, "state": "pending", "workflow_id": f"mailing/resend/{receipt}"}
    assert recipients(mailbox).count(("ada@example.com",)) == 1
    assert decisions[0].endswith("resend, was withheld no_mail_server, says maria: the customer asked")


async def test_a_message_in_a_workers_hand_is_not_sent_again(
    cli: CommandLine, receipt: str, database: Database
) -> None:
    await database.call("claim_message", id=receipt)

    refused = await cli("messages", "resend", receipt, *WHO, "--json")

    assert (refused.exit_code, refused.rules) == (1, [("database", "message_not_in_flight")])


@pytest.mark.parametrize(
    ("message", "actor", "problem"),
    [
        (RECEIPT, "maria", ("message", "message_not_delivered")),
        ("receipt/nobody/2026-11", "maria", ("message", "message_exists")),
        (RECEIPT, " ", ("actor", "command_says_who_and_why")),
    ],
)
async def test_what_cannot_be_sent_again_is_refused(
    cli: CommandLine, receipt: str, message: str, actor: str, problem: tuple[str, str]
) -> None:
    refused = await cli("messages", "resend", message, "--actor", actor, "--reason", "why not", "--json")

    assert (refused.exit_code, refused.rules) == (1, [problem])


async def test_a_message_that_is_not_there_is_refused(cli: CommandLine) -> None:
    refused = await cli("messages", "show", "receipt/nobody/2026-11", "--json")

    assert (refused.exit_code, refused.rules) == (1, [("message", "message_exists")])


@pytest.mark.usefixtures("workers")
async def test_customers_are_reminded_and_a_dry_run_only_lists_them(cli: CommandLine, merchant: Merchant) -> None:
    account = await merchant.account(cards=[], owes_minor=2500)
    await merchant.run("update duly.accounts set email = 'a@example.com' where id = :id", id=account)
    await merchant.configure("[[reminder_rules]]\ndays_before = [60]")

    listed = await cli.json("messages", "remind", "--dry-run")
    written = await cli.json("messages", "remind")
    after = await cli.json("messages", "remind", "--dry-run")

    assert [(each["account_id"], each["kind"]) for each in listed["reminders"]] == [(account, "invoice_due")]
    assert (written, after) == ({"written": 1}, {"reminders": []})
