"""`bills print`: a month with what was owed before, what was posted, what is unsettled, and how it is paid."""

import csv
from collections.abc import Awaitable, Callable
from io import StringIO
from pathlib import Path

import pytest

from tests.bank.debits.direct_debits import DOCUMENT as DIRECT_DEBITS
from tests.bank.debits.direct_debits import IBAN
from tests.books.test_cli_bills import MONTH, billed
from tests.printouts.conftest import WHO
from tests.printouts.test_cli_documents import text_of, written
from tests.support.builders import configure
from tests.support.command_line import CommandLine
from tests.support.company import Company

Buyer = Callable[..., Awaitable[str]]


async def may(company: Company, buyer: Buyer, locale: str = "de_DE") -> str:
    """Bill May: 20.00 of before, 100.00 and 30.00 less 10.00 by the system, 15.00 paid; return the number."""
    await buyer("a1", locale=locale)
    await company.invoice("a1", "20.00", "--posted-on", "2026-04-20", "--due-on", "2026-05-04")
    await billed(company, "m1", 10000, "2026-05-01")
    await billed(company, "m2", 3000, "2026-05-08")
    await billed(company, "m3", 1000, "2026-05-10", credit=True)
    await company.create("payment", "a1", "--amount", "15", "--method", "cash", "--posted-on", "2026-05-21")
    bill = await company.cli.json("bills", "make", "a1", MONTH, *WHO)
    return str(bill["number"])


async def test_a_bill_leads_from_what_was_owed_to_what_is_owed_and_says_how_it_is_paid(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    number = await may(seller, buyer)

    german, english = [
        text_of(await written(cli, tmp_path / "bill", "bills", "print", number, "--language", language))
        for language in ("de", "en")
    ]

    wanted = (
        *(f"Abrechnung {number}", "01.05.2026 bis 31.05.2026", "Fibernetz GmbH", "Müller & Söhne KG", "1010 Wien"),
        *("Saldovortrag", "20,00 €", "-15,00 €", "130,00 €", "-10,00 €", "125,00 €", "keine Rechnung"),
        *("Bitte zahlen", f"mit dem Verwendungszweck {number}", "Zum Bezahlen mit der App"),
    )
    assert [word for word in wanted if word not in german] == []
    assert [word for word in (f"Bill {number}", "€125.00", "Balance brought forward") if word not in english] == []


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("format", ["html", "rtf", "xlsx", "csv"])
async def test_a_bill_is_printed_in_every_format_that_is_no_electronic_invoice(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path, format: str
) -> None:
    number = await may(seller, buyer)

    file = await written(cli, tmp_path / "bill", "bills", "print", number, "--format", format)
    refused = await cli("bills", "print", number, "--format", "ubl", "--json")

    assert (len(file) > 400, refused.rules) == (True, [("format", "electronic_invoice")])
    if format == "csv":
        rows = list(csv.DictReader(StringIO(file.decode())))
        assert [(row["document"], row["billed"], row["amount"]) for row in rows[:2]] == [
            ("brought_forward", "no", "20.00"),
            ("invoice", "yes", "100.00"),
        ]
        assert sum(float(row["amount"]) for row in rows) == 125


async def test_a_settled_bill_asks_for_nothing_and_a_cancelled_invoice_of_it_is_named(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    number = await may(seller, buyer)
    second = (await cli.json("bills", "show", number))["documents"][1]["number"]
    await cli.json("transactions", "cancel", second, "--reason", "wrong customer", "--yes")
    await cli.json("bills", "quick-pay", number, "--method", "cash", *WHO)

    text = text_of(await written(cli, tmp_path / "bill", "bills", "print", number))

    assert "Rechnung (storniert)" in text
    assert "Davon storniert 30,00 €" in text
    assert "Von diesen Rechnungen beglichen 100,00 €" in text
    assert "nichts zu zahlen" in text
    assert "Bitte zahlen" not in text
    assert "Zum Bezahlen" not in text


async def test_who_is_collected_from_is_not_asked_to_transfer(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    number = await may(seller, buyer)
    await configure(seller.engine, DIRECT_DEBITS)
    words = ("--iban", IBAN, "--payer", "Ann Smith", "--provider", "sepa", "--signed-on", "2026-01-15")
    await cli.json("mandates", "create", "a1", "M-1", *words, *WHO)

    text = text_of(await written(cli, tmp_path / "bill", "bills", "print", number))

    assert "Wir ziehen 125,00 € per Direct debit ein" in text
    assert "Bitte zahlen" not in text
    assert "Zum Bezahlen" not in text


async def test_a_bill_that_there_is_not_and_a_house_without_a_seller_are_refused(
    cli: CommandLine, company: Company
) -> None:
    await company.account("a1")
    await billed(company, "m1", 10000, "2026-05-01")
    bill = await cli.json("bills", "make", "a1", MONTH, *WHO)

    refused = [await cli("bills", "print", *words, "--json") for words in (("BIL-404",), (bill["number"],))]

    assert [one.rules[0] for one in refused] == [("bill", "bill_exists"), ("seller", "seller_set")]
