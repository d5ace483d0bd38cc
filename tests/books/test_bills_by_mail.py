"""Bills by mail: with their document, once, where the rules of messages say so."""

from io import BytesIO

from pypdf import PdfReader
from temporalio.testing import ActivityEnvironment

from activities.database import Database
from activities.messages.outbox import MessageActivities
from activities.messages.rendering import MessageRenderer
from activities.messages.smtp import Mailer
from activities.printouts.attaching import DocumentAttachments
from sandbox.servers.mail import Mailbox
from tests.messages.recipients import ADA, SENDER, person
from tests.support.builders import Merchant

SELLER = """
[[sellers]]
id = "house"
name = "Fibernetz GmbH"
street = "Hauptstraße 1"
postal_code = "10115"
city = "Berlin"
country = "DE"
vat_id = "DE123456789"
"""
MAKE = "select duly.make_bill(:account, to_char(now() at time zone 'Europe/Nicosia', 'YYYY-MM'), 'ann')"
PRESENT = "select duly.present_bill(:bill, 'presented', 'ann', 'looked at')"


async def letters(merchant: Merchant) -> list[tuple[str, str]]:
    rows = await merchant.run("select id, state from duly.messages where kind = 'bill_made' order by id")
    return [(row.id, row.state) for row in rows]


async def owing(merchant: Merchant, rules: str = "[message_rules]\nsends_bills = true\n") -> str:
    """Ada, who owes 25.00 EUR."""
    await merchant.configure(rules + SELLER)
    return await person(merchant, locale="de", owes_minor=2500)


async def test_a_bill_goes_to_its_account_with_its_document_once(
    merchant: Merchant, database: Database, mailbox: Mailbox
) -> None:
    account = await owing(merchant)
    bill = await merchant.value(MAKE, account=account)
    await merchant.value(MAKE, account=account)
    await merchant.run(PRESENT, bill=bill)
    sending = MessageActivities(
        database, MessageRenderer(SENDER), Mailer(mailbox.url, timeout_seconds=2), DocumentAttachments(database)
    )

    await ActivityEnvironment().run(sending.notify_account, account)

    (message,) = mailbox.to(ADA)
    (file,) = message.parsed.iter_attachments()
    number = await merchant.value("select number from duly.account_bills")
    assert message.parsed["Subject"].startswith(f"Abrechnung {number}: ")
    assert file.get_filename() == f"{number}.pdf"
    assert number in PdfReader(BytesIO(file.get_content())).pages[0].extract_text()
    assert await letters(merchant) == [(f"bill_made/{bill}", "sent")]


async def test_a_bill_above_its_limit_is_mailed_when_somebody_presents_it(merchant: Merchant) -> None:
    account = await owing(merchant)
    await merchant.run("select duly.bill_limit('EUR', 1000, 'ann', 'as agreed')")
    bill = await merchant.value(MAKE, account=account)
    before = await letters(merchant)

    await merchant.run(PRESENT, bill=bill)

    assert (before, await letters(merchant)) == ([], [(f"bill_made/{bill}", "pending")])


async def test_no_bill_is_mailed_where_the_rules_say_nothing(merchant: Merchant) -> None:
    account = await owing(merchant, "")
    bill = await merchant.value(MAKE, account=account)
    await merchant.run(PRESENT, bill=bill)

    assert await letters(merchant) == []
