"""VAT in the seller's own currency (2006/112/EC art. 230): frozen at posting, by the last rate published."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest

from activities.database import Database
from activities.printouts.printing import Printing
from models.printouts.facts import PrintFormat
from models.problem import RefusedError
from tests.printouts.conftest import SELLER
from tests.support.command_line import CommandLine
from tests.support.company import Company

Buyer = Callable[..., Awaitable[str]]
# Thursday before Easter 2026, two days in May, and a day much later: yen and dollars for a euro.
HISTORY = """Date,USD,JPY,PLN,CYP,
2026-05-28,1.2,181.3,4.31,N/A,
2026-05-20,1.25,180.0,4.3,N/A,
2026-05-19,1.6,179.0,4.2,N/A,
2026-04-02,1.1,178.0,4.1,N/A,
"""
LINES = ("--line", "product=card,price=100.00", "--line", "product=card,price=33.33,tax_rate=low")


@pytest.fixture
async def in_euros(seller: Company, cli: CommandLine, tmp_path: Path) -> Company:
    """A company of Germany that owes VAT in euros, and has the rates of some days."""
    own = SELLER[SELLER.index("[[sellers]]") :] + 'tax_currency = "EUR"\n'
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    await cli.json("definitions", "apply", str(tmp_path / "own.toml"))
    (tmp_path / "eurofxref-hist.csv").write_text(HISTORY, encoding="utf-8")
    counted = await cli.json("import", "rates", str(tmp_path / "eurofxref-hist.csv"))
    assert counted["rates"] == {"new": 12, "known": 0, "replaced": 0, "differs": 0}
    return seller


async def conversions(company: Company) -> list[tuple[str, str, Decimal, int]]:
    """Return what is frozen: the document's kind, the day of the rate, the rate and the tax."""
    rows = await company.run(
        "select t.classification::text, c.rate_on::text, c.document_per_euro, c.tax_minor from duly.tax_conversions c"
        " join duly.financial_transactions t on t.id = c.transaction_id order by t.posted_at"
    )
    return [tuple(row) for row in rows]


async def test_vat_is_frozen_in_the_sellers_currency_and_corrections_take_the_rate_of_what_they_correct(
    in_euros: Company, buyer: Buyer, cli: CommandLine, database: Database
) -> None:
    account = await buyer(currency="USD", locale="en_US")
    invoice = await in_euros.create("invoice", account, *LINES, "--posted-on", "2026-05-20")
    credit = ("--line", "product=card,price=33.33", "--invoice", invoice["number"], "--posted-on", "2026-05-28")
    note = await in_euros.create("credit_note", account, *credit)
    other = await in_euros.create("credit_note", account, *credit[:2], "--posted-on", "2026-05-28")
    second = await in_euros.create("invoice", account, *LINES[:2], "--posted-on", "2026-05-28")
    await cli.json("transactions", "cancel", second["number"], "--reason", "wrong", "--actor", "maria")

    # 19.00 and 2.33 dollars are 15.20 and 1.864 euros; 6.33 dollars are 5.064, and by the rate of May 28 5.275.
    assert await conversions(in_euros) == [
        ("invoice", "2026-05-20", Decimal("1.25"), 1706),
        ("credit_note", "2026-05-20", Decimal("1.25"), 506),
        ("credit_note", "2026-05-28", Decimal("1.2"), 528),
        ("invoice", "2026-05-28", Decimal("1.2"), 1583),
        ("invoice_cancellation", "2026-05-28", Decimal("1.2"), 1583),
    ]
    printing = Printing(database)
    shown = (await printing.document(invoice["number"], PrintFormat.HTML)).content.decode()
    assert "VAT in EUR" in shown
    assert "€17.06" in shown
    assert "reference rate of May 20, 2026: 1 EUR = 1.25 USD" in shown
    for number, tax in ((invoice["number"], "17.06"), (note["number"], "5.06"), (other["number"], "5.28")):
        ubl = (await printing.document(number, PrintFormat.UBL)).content.decode()
        assert f'<cbc:TaxAmount currencyID="EUR">{tax}</cbc:TaxAmount>' in ubl
        assert "<cbc:TaxCurrencyCode>EUR</cbc:TaxCurrencyCode>" in ubl
    cii = (await printing.document(invoice["number"], PrintFormat.CII)).content.decode()
    assert '<ram:TaxTotalAmount currencyID="EUR">17.06</ram:TaxTotalAmount>' in cii

    report = await cli.json("reports", "run", "vat-in-tax-currency", "--from", "2026-05-01", "--to", "2026-05-31")
    rows = [(row["tax_percent"], row["document_currency"], row["currency"], row["vat_minor"]) for row in report["rows"]]
    # 15.20 less 5.06, less 5.28, and 15.83; the cancellation counts in its own month.
    assert rows == [("7.0000", "USD", "EUR", 186), ("19.0000", "USD", "EUR", 2069)]


async def test_a_document_with_vat_is_refused_without_the_last_published_rate_and_nothing_is_posted(
    in_euros: Company, buyer: Buyer, cli: CommandLine
) -> None:
    account = await buyer(currency="USD")

    # Tuesday after Easter: nothing was published since Thursday. On Wednesday Tuesday's is missing.
    await in_euros.create("invoice", account, *LINES, "--posted-on", "2026-04-07")
    refused = await cli("transactions", "create", "invoice", account, *LINES, "--posted-on", "2026-04-08", "--json")
    untaxed = await in_euros.create("invoice", account, "--line", "product=plan,price=5", "--posted-on", "2026-04-08")
    own = await in_euros.create("invoice", await buyer("euro"), *LINES, "--posted-on", "2026-04-08")

    assert refused.exit_code == 1
    assert "exchange_rate_known" in refused.stderr
    assert "no reference rate of 2026-04-08 is known" in refused.stderr
    assert [untaxed["number"], own["number"]] == ["INV-0000000002", "INV-0000000003"]
    assert await conversions(in_euros) == [("invoice", "2026-04-02", Decimal("1.1"), 1939)]


async def test_a_document_from_before_is_printed_by_the_rates_of_its_day_or_says_what_is_missing(
    in_euros: Company, buyer: Buyer, cli: CommandLine, database: Database, tmp_path: Path
) -> None:
    own = SELLER[SELLER.index("[[sellers]]") :]
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    await cli.json("definitions", "apply", str(tmp_path / "own.toml"))
    account = await buyer(currency="JPY", locale="de_DE")
    known, missing = [
        await in_euros.create("invoice", account, "--line", "product=card,price=9000", "--posted-on", day)
        for day in ("2026-05-21", "2026-05-24")
    ]
    (tmp_path / "own.toml").write_text(own + 'tax_currency = "PLN"\n', encoding="utf-8")
    await cli.json("definitions", "apply", str(tmp_path / "own.toml"))

    shown = (await Printing(database).document(known["number"], PrintFormat.HTML)).content.decode()
    with pytest.raises(RefusedError, match="no reference rate of 2026-05-24 is known"):
        await Printing(database).document(missing["number"], PrintFormat.PDF)

    # 1710 yen at 180 for a euro, which is 4.30 zloty.
    assert "40,85" in shown
    assert "vom 20.05.2026: 1 EUR = 180 JPY, 1 EUR = 4,3 PLN" in shown


async def test_a_file_of_rates_names_its_bad_rows_and_changes_nothing_when_it_comes_again(
    in_euros: Company, cli: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "eurofxref-hist.csv"
    again = await cli.json("import", "rates", str(file))
    file.write_text(HISTORY.replace("1.25", "1.26").replace("4.31", "4,31"), encoding="utf-8")
    changed = await cli("import", "rates", str(file), "--json")
    file.write_text(HISTORY.replace("1.25", "1.26"), encoding="utf-8")
    replaced = await cli.json("import", "rates", str(file), "--replace")

    assert (again["rates"]["known"], again["first_day"], again["last_day"]) == (12, "2026-04-02", "2026-05-28")
    assert changed.exit_code == 1
    assert "has 7 cells, and the first line names 5" in changed.stdout
    assert "another one is kept, 1.25" in changed.stdout
    assert replaced["rates"] == {"new": 0, "known": 11, "replaced": 1, "differs": 0}
