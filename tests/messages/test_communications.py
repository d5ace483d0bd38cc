"""`communicate`: letters by templates with tags, each once, and to nobody who is not to be written to."""

from datetime import date

import pytest

from activities.database import Database
from activities.messages.communications import Communications
from models.reports.periods import DaySpan
from sandbox.servers.mail import Mailbox
from settings import Settings
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "the month's letter")
TEMPLATES = """
[[message_templates]]
id = "about_invoice"
name = "About an invoice"
about = "transactions"
[message_templates.texts.en]
subject = "Your #{type} #{number}"
text = "Hello #{name}, #{amount} (net #{net}, VAT #{tax}) is due on #{due_on}; open: #{open}. #{sender}"
[message_templates.texts.de]
subject = "Ihre Rechnung #{number}"
text = "Guten Tag #{name}, #{amount} wird am #{due_on} fällig; offen: #{open}."

[[message_templates]]
id = "to_all"
name = "To an account"
about = "accounts"
[message_templates.texts.en]
subject = "Letter to #{account}"
text = "You owe #{owed}, of which #{overdue} is overdue."
"""
SEGMENTS = """
[[segments]]
id = "owing"
name = "Who owes 20.00 or more"
about = "accounts"
[segments.criteria]
minimum_balance = { EUR = "20.00" }

[[segments]]
id = "open-invoices"
name = "Invoices that are open"
about = "transactions"
[segments.criteria]
classifications = ["invoice"]
open = true
accounts = "owing"
"""


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Settings:
    """Settings of workers that send to the mail catcher."""
    return settings.model_copy(update={"smtp_url": mailbox.url})


@pytest.fixture
async def customers(merchant: Merchant) -> dict[str, str]:
    """Ada and Bernd with open invoices over 25.00 EUR, and Cleo who owes 5.00 EUR; the invoices by account."""
    await merchant.configure(TEMPLATES + SEGMENTS)
    found = {}
    for account, minor in (("acc_ada", 2500), ("acc_bernd", 2500), ("acc_cleo", 500)):
        await merchant.account(account, cards=[])
        found[account] = await merchant.invoice(account, minor)
    await merchant.run("update duly.accounts set email = id || '@example.com', owner_name = initcap(substr(id, 5))")
    await merchant.run("update duly.accounts set locale = 'de-DE' where id = 'acc_bernd'")
    return found


async def letters(merchant: Merchant) -> list[tuple[str, str]]:
    return [tuple(row) for row in await merchant.run("select id, state from duly.messages order by id")]


async def test_a_preview_shows_the_letter_and_writes_nothing(
    cli: CommandLine, merchant: Merchant, customers: dict[str, str]
) -> None:
    shown = await cli.json("communicate", "preview", "about_invoice", "--about", customers["acc_bernd"])

    assert (shown["chosen"], shown["written"], shown["left_out"]) == (1, 1, {})
    subject, _, text = shown["letters"][0]["text"].partition("\n")
    assert subject.startswith("Ihre Rechnung INV")
    assert text.startswith("Guten Tag Bernd, 25,00")
    assert await letters(merchant) == []


@pytest.mark.usefixtures("workers")
async def test_a_repeat_with_the_same_id_sends_nothing(
    cli: CommandLine, merchant: Merchant, mailbox: Mailbox, customers: dict[str, str]
) -> None:
    send = ("communicate", "send", "about_invoice", "--segment", "open-invoices", "--id", "november", *WHO, "--yes")

    first = await cli.json(*send)
    await mailbox.wait_for(2)
    await merchant.configure(TEMPLATES.replace('about = "transactions"', 'about = "transactions"\nactive = false', 1))
    await merchant.run(
        """update duly.segments set criteria = criteria || '{"posted": {"last_days": 3}}' where id = 'open-invoices'"""
    )
    again = await cli.json(*send)
    other = await cli(
        "communicate", "send", "to_all", "--segment", "owing", "--id", "november", *WHO, "--yes", "--json"
    )
    listed = await cli.json("messages", "list", "--communication", "november")

    assert (first["written"], first["is_new"], again["written"], again["is_new"]) == (2, True, 2, False)
    assert other.rules == [("id", "communication_same")]
    assert sorted(message.recipients for message in mailbox.messages) == [
        ("acc_ada@example.com",),
        ("acc_bernd@example.com",),
    ]
    assert sorted(row["account_id"] for row in listed["messages"]) == ["acc_ada", "acc_bernd"]
    assert "is due on" in mailbox.messages[0].text + mailbox.messages[1].text


@pytest.mark.parametrize(
    "change",
    [
        TEMPLATES.replace("is overdue", "is late"),
        TEMPLATES.replace('about = "accounts"', 'about = "accounts"\nis_required = true'),
        SEGMENTS.replace('"20.00"', '"24.00"'),
    ],
)
async def test_what_was_changed_since_its_preview_is_not_sent(
    cli: CommandLine, merchant: Merchant, customers: dict[str, str], change: str
) -> None:
    basis = (await cli.json("communicate", "preview", "to_all", "--segment", "owing"))["basis"]
    await merchant.configure(change)
    send = ("communicate", "send", "to_all", "--segment", "owing", *WHO, "--yes", "--json")

    refused = await cli(*send, "--id", "november", "--as-previewed", basis)
    written = await letters(merchant)
    again = (await cli.json("communicate", "preview", "to_all", "--segment", "owing"))["basis"]
    first = await cli.json(*send[:-1], "--id", "november", "--as-previewed", again)
    repeated = await cli.json(*send[:-1], "--id", "november", "--as-previewed", basis)

    assert (refused.rules, written) == ([("as_previewed", "communication_as_previewed")], [])
    assert (first["is_new"], first["written"], repeated["is_new"]) == (True, 2, False)


async def test_a_preview_of_a_relative_month_is_not_sent_in_the_next_one(
    database: Database, merchant: Merchant, customers: dict[str, str]
) -> None:
    communications = Communications(database)
    days = [DaySpan(date(2026, month, 1), date(2026, month, 28)) for month in (1, 1, 2)]

    first, same, next_month = [await communications.basis("about_invoice", "open-invoices", one) for one in days]

    assert first == same != next_month


async def test_nobody_is_written_to_who_opted_out_or_whose_address_bounced(
    cli: CommandLine, merchant: Merchant, customers: dict[str, str]
) -> None:
    await cli.json("communicate", "stop", "acc_ada", *WHO)
    await cli.json("communicate", "stop", "acc_bernd", "--kind", "bounced", *WHO)

    stopped = await cli.json("communicate", "preview", "to_all", "--segment", "owing")
    await cli.json("communicate", "allow", "acc_ada", *WHO)
    await merchant.run("update duly.accounts set email = 'bernd@example.org' where id = 'acc_bernd'")
    after = await cli.json("communicate", "preview", "to_all", "--segment", "owing", "--letters", "2")

    assert (stopped["written"], stopped["left_out"]) == (0, {"address_bounced": 1, "opted_out": 1})
    assert [one["account_id"] for one in after["letters"]] == ["acc_ada", "acc_bernd"]


async def test_who_opts_out_after_a_letter_was_written_is_not_sent_it(
    merchant: Merchant, database: Database, customers: dict[str, str]
) -> None:
    await database.call(
        "communicate", id="x", template_id="to_all", segment_id="owing", transactions=[], actor="a", reason="b",
        **{"from": None, "to": None}, asked={},
    )  # fmt: skip
    await database.call("stop_mail", account_id="acc_ada", kind="opted_out", actor="a", reason="asked for it")

    assert await database.call("claim_message", id="communication/x/acc_ada") is None
    assert (await database.call("claim_message", id="communication/x/acc_bernd"))["record"]["owed_minor"] == 2500
    assert await letters(merchant) == [
        ("communication/x/acc_ada", "withheld"),
        ("communication/x/acc_bernd", "sending"),
    ]


async def test_a_letter_about_what_was_cancelled_since_is_withheld(
    cli: CommandLine, merchant: Merchant, database: Database, customers: dict[str, str]
) -> None:
    await database.call(
        "communicate", id="x", template_id="about_invoice", segment_id="", transactions=[customers["acc_ada"]],
        actor="a", reason="b", asked={}, **{"from": None, "to": None},
    )  # fmt: skip
    await cli.json("transactions", "cancel", customers["acc_ada"], *WHO, "--yes")

    assert await database.call("claim_message", id=f"communication/x/{customers['acc_ada']}") is None


async def test_every_tag_has_a_value(merchant: Merchant, cli: CommandLine, customers: dict[str, str]) -> None:
    from models.messages.communication import COMMUNICATION_TAGS, About

    for about, arguments in (
        (About.TRANSACTIONS, ("--about", customers["acc_ada"])),
        (About.ACCOUNTS, ("--segment", "owing")),
    ):
        text = " ".join(f"{tag}=#{{{tag}}};" for tag in sorted(COMMUNICATION_TAGS[about]))
        await merchant.configure(
            f'[[message_templates]]\nid = "tags-{about}"\nname = "Tags"\nabout = "{about}"\n'
            f'[message_templates.texts.en]\nsubject = "Tags"\ntext = "{text}"'
        )
        shown = await cli.json("communicate", "preview", f"tags-{about}", *arguments)

        assert "#{" not in shown["letters"][0]["text"]
        assert "account=acc_ada;" in shown["letters"][0]["text"]
        assert "balance=€25.00;" in shown["letters"][0]["text"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("nowhere", "--segment", "owing"), ("template", "template_exists")),
        (("to_all", "--segment", "nobody"), ("segment", "segment_exists")),
        (("to_all",), ("about", "one_of_both")),
        (("to_all", "--about", "INV-1"), ("template", "template_fits")),
        (("about_invoice", "--segment", "owing"), ("template", "template_fits")),
        (("about_invoice", "--about", "INV-1", "--from", "2026-11-01"), ("from", "days_of_segment")),
        (("about_invoice", "--about", "INV-9999999999"), ("transaction", "transaction_exists")),
        (("to_all", "--segment", "owing", "--from", "2026-11-01"), ("from", "days_of_transactions")),
    ],
)
async def test_what_cannot_be_communicated_is_refused(
    cli: CommandLine, customers: dict[str, str], words: tuple[str, ...], problem: tuple[str, str]
) -> None:
    refused = await cli("communicate", "preview", *words, "--json")

    assert (refused.exit_code, refused.rules) == (1, [problem])


async def test_a_value_with_tags_in_it_is_not_filled_in_again(
    cli: CommandLine, merchant: Merchant, customers: dict[str, str]
) -> None:
    await merchant.run(
        "update duly.accounts set owner_name = '#{balance} {{ 1 }}' || chr(10) || 'Bcc: x' where id = 'acc_ada'"
    )

    shown = await cli.json("communicate", "preview", "about_invoice", "--about", customers["acc_ada"])

    assert "Hello #{balance} {{ 1 }} Bcc: x," in shown["letters"][0]["text"]


async def test_a_payment_by_hand_is_confirmed_once_where_the_rules_say_so(merchant: Merchant) -> None:
    await merchant.account("acc_ada", cards=[], owes_minor=2500)
    await merchant.transfer("acc_ada", 1000)
    await merchant.configure("[message_rules]\nconfirms_payments = true")
    await merchant.transfer("acc_ada", 500)

    written = await merchant.run(
        "select id, parameters ->> 'amount_minor' as minor from duly.messages where kind = 'receipt'"
    )

    assert [row.minor for row in written] == ["500"]


async def test_an_invoice_is_mailed_when_it_is_posted_with_its_document(merchant: Merchant, database: Database) -> None:
    await merchant.account("acc_ada", cards=[])
    await merchant.configure("[message_rules]\nsends_invoices = true")
    invoice = await merchant.invoice("acc_ada", 2500)

    documents = await database.call("documents_of_message", message_id=f"invoice_posted/{invoice}")

    assert await letters(merchant) == [(f"invoice_posted/{invoice}", "pending")]
    assert documents == [invoice]


async def test_a_receipt_of_a_payment_that_was_cancelled_meanwhile_is_withheld(
    merchant: Merchant, database: Database, cli: CommandLine
) -> None:
    await merchant.account("acc_ada", cards=[], owes_minor=2500)
    await merchant.configure("[message_rules]\nconfirms_payments = true")
    await merchant.transfer("acc_ada", 1000)
    ((receipt, payment),) = await merchant.run("select id, parameters ->> 'payment_id' from duly.messages")

    await cli.json("transactions", "cancel", payment, *WHO, "--yes")

    assert await database.call("claim_message", id=receipt) is None
    assert await letters(merchant) == [(receipt, "withheld")]


async def test_a_letter_to_an_account_that_was_terminated_meanwhile_is_withheld(
    merchant: Merchant, database: Database, customers: dict[str, str]
) -> None:
    await database.call(
        "communicate", id="x", template_id="to_all", segment_id="owing", transactions=[], actor="a", reason="b",
        **{"from": None, "to": None}, asked={},
    )  # fmt: skip
    await merchant.run("update duly.accounts set state = 'terminated' where id = 'acc_ada'")

    assert await database.call("claim_message", id="communication/x/acc_ada") is None
