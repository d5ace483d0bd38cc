"""A message is claimed before it is handed over: whatever happens then, it is not said twice."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.messages import outbox as message_activities
from activities.messages.attachments import Attachment
from activities.messages.outbox import MessageActivities
from activities.messages.rendering import MessageRenderer, RenderedMessage
from activities.messages.smtp import Mailer
from activities.messages.template_values import ClaimedMessage
from models.messages.message import MailedPage, MailingRequest, Notice
from models.workflow_ids import WORKFLOW_QUEUE, mailing_id
from sandbox.servers.mail import Mailbox
from settings import Settings
from tests.messages.conftest import MessagesTo
from tests.messages.mail_server import MailFault, faulty_mail_server, outbox
from tests.messages.recipients import ADA, SENDER, person
from tests.support.attempts import request_for
from tests.support.builders import PERIOD, Merchant
from worker import mail_worker, workflow_worker
from workflows.messages import mailing
from workflows.messages.mailing import Mailing

RECEIPT = f"receipt/acc_ada/{PERIOD}"
NOTICE = Notice("acc_ada", PERIOD)


async def test_a_receipt_says_what_was_paid_for_what_and_with_which_card(
    paid: str,
    messages_to: MessagesTo,
    mailbox: Mailbox,
    merchant: Merchant,
    activity_environment: ActivityEnvironment,
) -> None:
    page = await activity_environment.run(messages_to(mailbox.url).send_page, "")

    (message,) = mailbox.to(ADA)
    number = await merchant.value(
        "select number from duly.transactions where account_id = 'acc_ada' and classification = 'payment'"
    )
    assert page == MailedPage("", sent=1)
    assert message.subject == f"Your payment of €25.00: receipt {number}"
    assert message.text.startswith("Hello Ada Lovelace,\n")
    assert "For       November 2026" in message.text
    assert "Visa •••• 4242" in message.text
    assert message.sender == "payments@shop.example"
    assert message.parsed["From"] == "The Shop <payments@shop.example>"
    assert await outbox(merchant) == {RECEIPT: ("sent", "")}


async def test_whatever_is_repeated_a_receipt_is_sent_once(
    paid: str, collecting: CollectActivities, messages_to: MessagesTo, mailbox: Mailbox, merchant: Merchant,
    activity_environment: ActivityEnvironment,
) -> None:  # fmt: skip
    activities = messages_to(mailbox.url)

    for _ in range(3):
        await collecting.collect(request_for(paid))
        await activity_environment.run(activities.notify, NOTICE)
        await activity_environment.run(activities.send_page, "")

    assert len(mailbox.messages) == 1
    assert await outbox(merchant) == {RECEIPT: ("sent", "")}


@pytest.mark.parametrize(
    ("mail_fault", "state", "reason"),
    [
        (MailFault.BUSY_RECIPIENT, "pending", "put_off smtp_450"),
        (MailFault.BUSY_CONTENT, "pending", "put_off smtp_451"),
        (MailFault.NO_RECIPIENT, "failed", "rejected smtp_550"),
        (MailFault.REFUSED_CONTENT, "failed", "rejected smtp_554"),
        (MailFault.DROPPED_IN_DATA, "sending", "in_doubt SMTPServerDisconnected"),
        (MailFault.DROPPED_AFTER, "sending", "in_doubt SMTPServerDisconnected"),
    ],
)
async def test_the_answer_of_the_mail_server_decides_what_becomes_of_a_message(
    paid: str, messages_to: MessagesTo, merchant: Merchant, activity_environment: ActivityEnvironment,
    mail_fault: MailFault, state: str, reason: str,
) -> None:  # fmt: skip
    async with faulty_mail_server(mail_fault) as server:
        await activity_environment.run(messages_to(server.url).send_page, "")
        first = await outbox(merchant)
        await activity_environment.run(messages_to(server.url).send_page, "")

    assert first == {RECEIPT: (state, reason)}
    assert len(server.taken) == (
        1 if mail_fault in {MailFault.BUSY_RECIPIENT, MailFault.BUSY_CONTENT, MailFault.DROPPED_AFTER} else 0
    )
    assert await outbox(merchant) == ({RECEIPT: ("sent", "")} if state == "pending" else first)


@pytest.mark.parametrize(
    ("mail_fault", "kept"),
    [
        (MailFault.NO_RECIPIENT, [("acc_ada", "bounced")]),
        (MailFault.NO_RELAY, []),
        (MailFault.NO_SENDER_DOMAIN, []),
        (MailFault.BLOCKED, []),
        (MailFault.REFUSED_CONTENT, []),
    ],
)
async def test_mail_stops_only_where_a_server_says_that_the_recipient_has_no_mailbox(
    paid: str, messages_to: MessagesTo, merchant: Merchant, activity_environment: ActivityEnvironment,
    mail_fault: MailFault, kept: list[tuple[str, str]],
) -> None:  # fmt: skip
    async with faulty_mail_server(mail_fault) as server:
        await activity_environment.run(messages_to(server.url).send_page, "")

    assert [tuple(row) for row in await merchant.run("select account_id, kind from duly.mail_stops")] == kept


async def test_a_bounce_is_of_the_address_that_was_written_to_and_lets_links_to_the_portal_through(
    paid: str, database: Database, merchant: Merchant
) -> None:
    claimed = await database.call("claim_message", id=RECEIPT)
    await database.call(
        "note_message", id=RECEIPT, claimed_at=datetime.fromisoformat(claimed["claimed_at"]), state="failed",
        reason="rejected smtp_550",
    )  # fmt: skip
    await merchant.run("update duly.accounts set email = 'ada@elsewhere.example' where id = 'acc_ada'")
    await database.call("note_bounce", message_id=RECEIPT, address_hash=claimed["address_hash"])
    other = await merchant.run("select from duly.mail_stops")
    await merchant.run("update duly.accounts set email = :it where id = 'acc_ada'", it=ADA)
    await database.call("note_bounce", message_id=RECEIPT, address_hash=claimed["address_hash"])
    for kind in ("receipt", "portal_link"):
        await merchant.run("select duly.write_message(:kind, 'acc_ada', '', '', '{}', 'anew')", kind=kind)

    assert other == []
    assert await database.call("claim_message", id="receipt/acc_ada/anew") is None
    assert (await database.call("claim_message", id="portal_link/acc_ada/anew"))["email"] == ADA


@pytest.mark.parametrize("mail_fault", [MailFault.SENDER_REFUSED, MailFault.CLOSING, MailFault.DROPPED_BEFORE])
async def test_what_surely_was_not_taken_is_sent_again(
    paid: str,
    messages_to: MessagesTo,
    merchant: Merchant,
    activity_environment: ActivityEnvironment,
    mail_fault: MailFault,
) -> None:
    async with faulty_mail_server(mail_fault) as server:
        with pytest.raises(ApplicationError) as refusal:
            await activity_environment.run(messages_to(server.url).send_page, "")
        between = await outbox(merchant)
        await activity_environment.run(messages_to(server.url).send_page, "")

    assert (refusal.value.type, refusal.value.non_retryable) == ("MailServerAway", False)
    assert between == {RECEIPT: ("pending", "")}
    assert (len(server.taken), await outbox(merchant)) == (1, {RECEIPT: ("sent", "")})


async def test_a_server_that_ends_a_session_after_a_message_is_met_again_at_once(
    collecting: CollectActivities,
    merchant: Merchant,
    messages_to: MessagesTo,
    activity_environment: ActivityEnvironment,
) -> None:
    for account in ("acc_1", "acc_2", "acc_3"):
        await person(merchant, account, owes_minor=1000)
        await collecting.collect(request_for(account))

    async with faulty_mail_server(
        MailFault.NONE, MailFault.CLOSING, MailFault.NONE, MailFault.DROPPED_BEFORE
    ) as server:
        page = await activity_environment.run(messages_to(server.url).send_page, "")

    assert (page.sent, len(server.taken), server.sessions) == (3, 3, 3)


async def test_a_mailing_sends_every_page_and_comes_back_for_what_a_server_puts_off(
    paid: str, collecting: CollectActivities, time_skipping: WorkflowEnvironment, database: Database,
    settings: Settings, merchant: Merchant, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(message_activities, "PAGE", 1)
    monkeypatch.setattr(mailing, "PAGES_PER_EXECUTION", 2)
    await merchant.run("select duly.write_message('portal_link', 'acc_ada', '', '', '{}', 'anew')")
    await collecting.collect(request_for(await person(merchant, "acc_bob", owes_minor=1000)))

    later, taken = MailFault.BUSY_RECIPIENT, MailFault.NONE
    async with faulty_mail_server(later, taken, taken, later) as server:
        posting = settings.model_copy(update={"smtp_url": server.url})
        client = time_skipping.client
        async with workflow_worker(client, database), mail_worker(client, database, posting):
            await client.execute_workflow(
                Mailing.run, MailingRequest(), id=mailing_id("all"), task_queue=WORKFLOW_QUEUE
            )

    assert [state for state, _ in (await outbox(merchant)).values()] == ["sent"] * 3
    assert len(server.taken) == 3


async def test_a_mail_server_that_is_away_leaves_the_outbox_as_it_is(
    paid: str, messages_to: MessagesTo, merchant: Merchant, activity_environment: ActivityEnvironment
) -> None:
    with pytest.raises(ApplicationError) as refusal:
        await activity_environment.run(messages_to("smtp://127.0.0.1:1").send_page, "")

    assert refusal.value.type == "MailServerAway"
    assert await outbox(merchant) == {RECEIPT: ("pending", "")}


async def test_a_worker_killed_between_claim_and_handing_over_leaves_the_message_to_a_person(
    paid: str, database: Database, messages_to: MessagesTo, mailbox: Mailbox, merchant: Merchant,
    activity_environment: ActivityEnvironment,
) -> None:  # fmt: skip
    assert await database.call("claim_message", id=RECEIPT)  # and the worker is gone

    await activity_environment.run(messages_to(mailbox.url).notify, NOTICE)
    await activity_environment.run(messages_to(mailbox.url).send_page, "")

    assert mailbox.messages == ()
    assert await outbox(merchant) == {RECEIPT: ("sending", "")}


class SignallingRenderer(MessageRenderer):
    """Tells when a message is being written: by then its message is claimed."""

    def __init__(self) -> None:
        super().__init__(SENDER)
        self.is_writing = asyncio.Event()

    def compose(self, message: ClaimedMessage, attached: Sequence[Attachment] = ()) -> RenderedMessage:
        self.is_writing.set()
        return super().compose(message)


async def test_a_worker_that_is_told_to_stop_lets_the_message_in_its_hand_go_all_the_way(
    paid: str, database: Database, mailbox: Mailbox, merchant: Merchant, activity_environment: ActivityEnvironment
) -> None:
    renderer = SignallingRenderer()
    activities = MessageActivities(database, renderer, Mailer(mailbox.url))
    sending = asyncio.create_task(activity_environment.run(activities.send_page, ""))
    await renderer.is_writing.wait()
    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending
    assert (len(mailbox.messages), await outbox(merchant)) == (1, {RECEIPT: ("sent", "")})


async def test_many_senders_at_once_send_each_message_once(
    collecting: CollectActivities, merchant: Merchant, messages_to: MessagesTo, mailbox: Mailbox
) -> None:
    accounts = [await person(merchant, f"acc_{n:02}", owes_minor=1000) for n in range(8)]
    for account in accounts:
        await collecting.collect(request_for(account))
    activities = messages_to(mailbox.url)

    await asyncio.gather(*(ActivityEnvironment().run(activities.send_page, "") for _ in range(4)))

    assert len({message.parsed["Message-ID"] for message in mailbox.messages}) == len(mailbox.messages) == 8


async def test_without_a_mail_server_messages_are_withheld_and_said_so(
    paid: str, messages_to: MessagesTo, merchant: Merchant, activity_environment: ActivityEnvironment
) -> None:
    await activity_environment.run(messages_to("").send_page, "")

    assert await outbox(merchant) == {RECEIPT: ("withheld", "no_mail_server")}


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        (None, ("withheld", "no_address")),
        ("not an address", ("failed", "address_invalid")),
        ("ada@example.com\r\nBcc: eve@example.com", ("failed", "address_invalid")),
        ("ädä@example.com", ("failed", "address_not_ascii")),
    ],
)
async def test_who_cannot_be_written_to_holds_nobody_else_up(
    paid: str, collecting: CollectActivities, messages_to: MessagesTo, mailbox: Mailbox, merchant: Merchant,
    activity_environment: ActivityEnvironment, email: str | None, expected: tuple[str, str],
) -> None:  # fmt: skip
    nobody = await person(merchant, "acc_0", email=email, owes_minor=900)
    await collecting.collect(request_for(nobody))

    page = await activity_environment.run(messages_to(mailbox.url).send_page, "")

    assert (page.sent, page.others) == (1, 1)
    assert (await outbox(merchant))[f"receipt/acc_0/{PERIOD}"] == expected
