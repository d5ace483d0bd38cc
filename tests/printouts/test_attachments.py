"""Mails bring the documents that they are about: a receipt its payment and invoices, once the seller is known."""

import asyncio
from collections.abc import Sequence
from io import BytesIO

import pytest
from pypdf import PdfReader
from temporalio.testing import ActivityEnvironment

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.messages.attachments import AHEAD, Attachment, AttachmentError, FilesAhead
from activities.messages.outbox import MessageActivities
from activities.messages.rendering import MessageRenderer
from activities.messages.smtp import Mailer
from activities.printouts.attaching import DocumentAttachments
from sandbox.servers.mail import CaughtMessage, Mailbox
from tests.messages.recipients import ADA, SENDER, person
from tests.support.attempts import request_for
from tests.support.builders import Merchant

SELLER = """
    insert into duly.sellers (id, name, street, postal_code, city, country, vat_id, logo, attaches_documents)
    values ('house', 'Fibernetz GmbH', 'Hauptstraße 1', '10115', 'Berlin', 'DE', 'DE123456789', :logo, :attaches)
"""


def _printed(files: Sequence[Attachment] | AttachmentError) -> list[Attachment]:
    """Return the files of a message that has some."""
    assert not isinstance(files, AttachmentError), files
    return list(files)


@pytest.fixture
async def paid(merchant: Merchant, collecting: CollectActivities) -> str:
    """Ada, who has paid 25.00 EUR and is owed a receipt."""
    account = await person(merchant, locale="de", owes_minor=2500)
    await collecting.collect(request_for(account))
    return account


async def sent(database: Database, mailbox: Mailbox, account: str) -> tuple[CaughtMessage, ...]:
    """Send what is pending about an account, and return what has come."""
    activities = MessageActivities(
        database, MessageRenderer(SENDER), Mailer(mailbox.url, timeout_seconds=2), DocumentAttachments(database)
    )
    await ActivityEnvironment().run(activities.notify_account, account)
    return mailbox.to(ADA)


def attached(message: CaughtMessage) -> dict[str, bytes]:
    """Return the files of a message by their names."""
    return {str(part.get_filename()): part.get_content() for part in message.parsed.iter_attachments()}


async def test_a_receipt_brings_its_payment_and_the_invoices_that_it_settles(
    merchant: Merchant, database: Database, mailbox: Mailbox, paid: str
) -> None:
    await merchant.run(SELLER, logo="", attaches=True)

    (message,) = await sent(database, mailbox, paid)

    files = attached(message)
    numbers = await merchant.value("select array_agg(number) from duly.transaction_numbers")
    texts = {name[:3]: PdfReader(BytesIO(content)).pages[0].extract_text() for name, content in files.items()}
    assert files.keys() == {f"{number}.pdf" for number in numbers}
    assert "nichts zu zahlen" in texts["INV"]
    assert "Zahlungsbeleg" in texts["PAY"]
    assert "25,00" in message.text
    assert await merchant.value("select count(*) from duly.document_files where format = 'pdf'") == 2


async def test_nothing_is_attached_without_a_seller_or_where_the_seller_wants_none(
    merchant: Merchant, database: Database, mailbox: Mailbox, paid: str
) -> None:
    await merchant.run(SELLER, logo="", attaches=False)

    (message,) = await sent(database, mailbox, paid)

    assert attached(message) == {}
    assert await merchant.value("select count(*) from duly.documents") == 0


async def test_a_document_that_cannot_be_made_fails_its_message_alone_and_it_is_sent_again(
    merchant: Merchant, database: Database, mailbox: Mailbox, paid: str
) -> None:
    await merchant.run(SELLER, logo="no picture", attaches=True)

    assert await sent(database, mailbox, paid) == ()
    state, reason, id = await merchant.value("select array[state, reason, id] from duly.messages")
    assert (state, reason) == ("failed", "not_attached: TypstError")

    await merchant.run("update duly.sellers set attaches_documents = false, logo = ''")
    await database.call("resend_message", id=id, actor="maria", reason="logo mended")
    assert len(await sent(database, mailbox, paid)) == 1


async def test_files_of_the_next_messages_are_made_while_one_is_sent_and_no_more_than_a_few() -> None:
    # given seven messages, of which the second has no file as things are, and the third's cannot be read at first
    ids, begun = [f"m{number}" for number in range(7)], list[str]()

    async def make(message_id: str) -> Sequence[Attachment] | AttachmentError:
        begun.append(message_id)
        await asyncio.sleep(0)
        if message_id == "m2" and begun.count("m2") == 1:
            raise OSError("away")
        return AttachmentError("no logo") if message_id == "m1" else [Attachment(message_id, "text/plain", b"")]

    files = FilesAhead(make, ids)

    # when they are asked for one after the other, and the third once more
    first = await files.of("m0")
    ahead = list(begun)
    second = await files.of("m1")
    with pytest.raises(OSError, match="away"):
        await files.of("m2")
    third = await files.of("m2")
    await files.end()

    # then each has its own, and what nobody asked for is left
    assert ahead == ids[: 1 + AHEAD]
    assert [file.name for file in _printed(first)] == ["m0"]
    assert (str(second), [file.name for file in _printed(third)]) == ("no logo", ["m2"])
    assert set(begun) == set(ids)
