"""A message is claimed before it is handed over: whatever happens then, it is not said twice."""

import asyncio

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.messages.outbox import MessageActivities
from activities.messages.rendering import Letter, MessageRenderer
from activities.messages.smtp import Mailer
from activities.messages.template_values import ClaimedMessage
from models.messages.message import MailedPage, Notice
from sandbox.servers.mail import Mailbox
from tests.messages.conftest import MakePostOffice
from tests.messages.people import ADA, HEAD, person
from tests.messages.post import Trouble, outbox, troubled_post
from tests.support.attempts import request_for
from tests.support.builders import PERIOD, Merchant

RECEIPT = f"receipt/acc_ada/{PERIOD}"
NEWS = Notice("acc_ada", PERIOD)


async def test_a_receipt_says_what_was_paid_for_what_and_with_which_card(
    paid: str,
    post_office: MakePostOffice,
    mailbox: Mailbox,
    merchant: Merchant,
    activity_environment: ActivityEnvironment,
) -> None:
    page = await activity_environment.run(post_office(mailbox.url).send_page, "")

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
    paid: str, collecting: CollectActivities, post_office: MakePostOffice, mailbox: Mailbox, merchant: Merchant,
    activity_environment: ActivityEnvironment,
) -> None:  # fmt: skip
    office = post_office(mailbox.url)

    for _ in range(3):
        await collecting.collect(request_for(paid))
        await activity_environment.run(office.tell, NEWS)
        await activity_environment.run(office.send_page, "")

    assert len(mailbox.messages) == 1
    assert await outbox(merchant) == {RECEIPT: ("sent", "")}


@pytest.mark.parametrize(
    ("trouble", "state", "reason"),
    [
        (Trouble.BUSY_RECIPIENT, "pending", "put_off smtp_450"),
        (Trouble.BUSY_CONTENT, "pending", "put_off smtp_451"),
        (Trouble.NO_RECIPIENT, "failed", "refused smtp_550"),
        (Trouble.REFUSED_CONTENT, "failed", "refused smtp_554"),
        (Trouble.DROPPED_IN_DATA, "sending", "in_doubt SMTPServerDisconnected"),
        (Trouble.DROPPED_AFTER, "sending", "in_doubt SMTPServerDisconnected"),
    ],
)
async def test_the_answer_of_the_mail_server_decides_what_becomes_of_a_message(
    paid: str, post_office: MakePostOffice, merchant: Merchant, activity_environment: ActivityEnvironment,
    trouble: Trouble, state: str, reason: str,
) -> None:  # fmt: skip
    async with troubled_post(trouble) as post:
        await activity_environment.run(post_office(post.url).send_page, "")
        first = await outbox(merchant)
        await activity_environment.run(post_office(post.url).send_page, "")

    assert first == {RECEIPT: (state, reason)}
    assert len(post.taken) == (
        1 if trouble in {Trouble.BUSY_RECIPIENT, Trouble.BUSY_CONTENT, Trouble.DROPPED_AFTER} else 0
    )
    assert await outbox(merchant) == ({RECEIPT: ("sent", "")} if state == "pending" else first)


@pytest.mark.parametrize("trouble", [Trouble.SENDER_REFUSED, Trouble.CLOSING, Trouble.DROPPED_BEFORE])
async def test_what_surely_was_not_taken_is_sent_again(
    paid: str,
    post_office: MakePostOffice,
    merchant: Merchant,
    activity_environment: ActivityEnvironment,
    trouble: Trouble,
) -> None:
    async with troubled_post(trouble) as post:
        with pytest.raises(ApplicationError) as refusal:
            await activity_environment.run(post_office(post.url).send_page, "")
        between = await outbox(merchant)
        await activity_environment.run(post_office(post.url).send_page, "")

    assert (refusal.value.type, refusal.value.non_retryable) == ("MailServerAway", False)
    assert between == {RECEIPT: ("pending", "")}
    assert (len(post.taken), await outbox(merchant)) == (1, {RECEIPT: ("sent", "")})


async def test_a_server_that_ends_a_session_after_a_letter_is_met_again_at_once(
    collecting: CollectActivities,
    merchant: Merchant,
    post_office: MakePostOffice,
    activity_environment: ActivityEnvironment,
) -> None:
    for account in ("acc_1", "acc_2", "acc_3"):
        await person(merchant, account, owes_minor=1000)
        await collecting.collect(request_for(account))

    async with troubled_post(Trouble.NONE, Trouble.CLOSING, Trouble.NONE, Trouble.DROPPED_BEFORE) as post:
        page = await activity_environment.run(post_office(post.url).send_page, "")

    assert (page.sent, len(post.taken), post.sessions) == (3, 3, 3)


async def test_a_mail_server_that_is_away_leaves_the_outbox_as_it_is(
    paid: str, post_office: MakePostOffice, merchant: Merchant, activity_environment: ActivityEnvironment
) -> None:
    with pytest.raises(ApplicationError) as refusal:
        await activity_environment.run(post_office("smtp://127.0.0.1:1").send_page, "")

    assert refusal.value.type == "MailServerAway"
    assert await outbox(merchant) == {RECEIPT: ("pending", "")}


async def test_a_worker_killed_between_claim_and_handing_over_leaves_the_message_to_a_person(
    paid: str, database: Database, post_office: MakePostOffice, mailbox: Mailbox, merchant: Merchant,
    activity_environment: ActivityEnvironment,
) -> None:  # fmt: skip
    assert await database.call("claim_message", id=RECEIPT)  # and the worker is gone

    await activity_environment.run(post_office(mailbox.url).tell, NEWS)
    await activity_environment.run(post_office(mailbox.url).send_page, "")

    assert mailbox.messages == ()
    assert await outbox(merchant) == {RECEIPT: ("sending", "")}


class TellingLetters(MessageRenderer):
    """Tells when a letter is being written: by then its message is claimed."""

    def __init__(self) -> None:
        super().__init__(HEAD)
        self.is_writing = asyncio.Event()

    def compose(self, message: ClaimedMessage) -> Letter:
        self.is_writing.set()
        return super().compose(message)


async def test_a_worker_that_is_told_to_stop_lets_the_letter_in_its_hand_go_all_the_way(
    paid: str, database: Database, mailbox: Mailbox, merchant: Merchant, activity_environment: ActivityEnvironment
) -> None:
    letters = TellingLetters()
    office = MessageActivities(database, letters, Mailer(mailbox.url))
    sending = asyncio.create_task(activity_environment.run(office.send_page, ""))
    await letters.is_writing.wait()
    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending
    assert (len(mailbox.messages), await outbox(merchant)) == (1, {RECEIPT: ("sent", "")})


async def test_many_senders_at_once_send_each_message_once(
    collecting: CollectActivities, merchant: Merchant, post_office: MakePostOffice, mailbox: Mailbox
) -> None:
    accounts = [await person(merchant, f"acc_{n:02}", owes_minor=1000) for n in range(8)]
    for account in accounts:
        await collecting.collect(request_for(account))
    office = post_office(mailbox.url)

    await asyncio.gather(*(ActivityEnvironment().run(office.send_page, "") for _ in range(4)))

    assert len({message.parsed["Message-ID"] for message in mailbox.messages}) == len(mailbox.messages) == 8


async def test_without_a_mail_server_messages_are_withheld_and_said_so(
    paid: str, post_office: MakePostOffice, merchant: Merchant, activity_environment: ActivityEnvironment
) -> None:
    await activity_environment.run(post_office("").send_page, "")

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
    paid: str, collecting: CollectActivities, post_office: MakePostOffice, mailbox: Mailbox, merchant: Merchant,
    activity_environment: ActivityEnvironment, email: str | None, expected: tuple[str, str],
) -> None:  # fmt: skip
    nobody = await person(merchant, "acc_0", email=email, owes_minor=900)
    await collecting.collect(request_for(nobody))

    page = await activity_environment.run(post_office(mailbox.url).send_page, "")

    assert (page.sent, page.others) == (1, 1)
    assert (await outbox(merchant))[f"receipt/acc_0/{PERIOD}"] == expected
