"""`reports`: the same numbers on the terminal, as JSON, CSV, XLSX, HTML and PDF."""

import csv
import io
import json
from datetime import date
from pathlib import Path

import duckdb
import openpyxl
import pikepdf
import pytest

from models.reports.builtin import BUILT_IN
from models.reports.sources import SOURCES
from tests.ledger.books import Books, line
from tests.reports.conftest import Reports, make_history
from tests.support.command_line import CommandLine

NOVEMBER = ("--from", "2025-11-01", "--to", "2025-11-30")


@pytest.fixture
def sold(books: Books) -> Books:
    """An invoice and half of its payment, of an account whose region a spreadsheet would compute."""
    books.open_account("acc_evil", region="=1+1")
    taxed = line(100_00, tax_percent=19)
    books.invoice("n1", "acc_evil", lines=[taxed], posted_on=date(2025, 11, 2))
    books.pay("p1", "acc_evil", 59_50, posted_on=date(2025, 11, 3))
    return books


async def test_a_report_says_its_definition_its_days_its_moment_and_what_it_ties_to(
    sold: Books, cli: CommandLine
) -> None:
    printed_report = await cli.json("reports", "run", "revenue", *NOVEMBER)

    assert printed_report["report"]["definition"]["id"] == "revenue"
    assert printed_report["report"]["period"] == {"from": "2025-11-01", "to": "2025-11-30"}
    assert printed_report["report"]["at"]
    assert printed_report["rows"][0]["net_minor"] == 100_00
    assert (printed_report["count"], printed_report["totals"][0]["total_minor"]) == (1, 119_00)
    assert [(one["measure"], one["report_minor"], one["ties"]) for one in printed_report["ties"]] == [
        ("net", 100_00, True),
        ("vat_due", 19_00, True),
        ("written_off", 0, True),
    ]


async def test_the_same_number_stands_in_every_output(sold: Books, cli: CommandLine, tmp_path: Path) -> None:
    shown = await cli("reports", "run", "revenue-by-region", *NOVEMBER)
    printed = await cli("reports", "run", "revenue-by-region", *NOVEMBER, "--csv")
    for ending in ("csv", "json", "xlsx", "html", "pdf"):
        target = str(tmp_path / f"report.{ending}")
        await cli.json("reports", "run", "revenue-by-region", *NOVEMBER, "--output", target)

    assert "119.00" in shown.stdout
    rows = list(csv.DictReader(io.StringIO(printed.stdout)))
    assert [(row["region"], row["total"], row["currency"]) for row in rows] == [("'=1+1", "119.00", "EUR")]
    assert (tmp_path / "report.csv").read_text() == printed.stdout
    assert json.loads((tmp_path / "report.json").read_text())["rows"][0]["total_minor"] == 119_00
    cells = [[cell.value for cell in row] for row in openpyxl.load_workbook(tmp_path / "report.xlsx").active]
    assert ["=1+1", "EUR", 1, 100, 19, 0, 119] in cells
    assert '<td class="n">119.00</td>' in (tmp_path / "report.html").read_text()
    with pikepdf.open(tmp_path / "report.pdf") as pdf:
        assert len(pdf.pages) == 1


async def test_a_filter_narrows_and_the_ties_stay_those_of_the_whole(sold: Books, cli: CommandLine) -> None:
    printed_report = await cli.json(
        "reports", "run", "transactions", *NOVEMBER, "--filter", "classification=payment,refund"
    )

    assert [row["total_minor"] for row in printed_report["rows"]] == [-59_50]
    assert printed_report["ties"] == [
        {"measure": "total", "currency": "EUR", "report_minor": 59_50, "ledger_minor": 59_50, "ties": True}
    ]


async def test_a_report_of_ones_own_is_a_document(sold: Books, cli: CommandLine, tmp_path: Path) -> None:
    document = await cli.json("reports", "show", "revenue-by-region")
    own = tmp_path / "own.json"
    own.write_text(json.dumps({**document, "id": "own", "group_by": ["product_id"], "measures": ["net"]}))

    printed_report = await cli.json("reports", "run", "--file", str(own), *NOVEMBER)

    assert printed_report["rows"] == [{"product_id": "gold", "currency": "EUR", "net_minor": 100_00}]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("run", "revenue", "--filter", "colour=DE"), ("filter", "filter_known")),
        (("run", "revenue", "--filter", "posted_on=soon"), ("filter", "value_fits")),
        (("run", "revenue", "--from", "2025-11-30", "--to", "2025-11-01"), ("from", "from_before_to")),
        (("run", "revenue", "--output", "report.docx"), ("output", "file_ending_known")),
        (("run", "nothing"), ("report", "report_known")),
        (("show",), ("report", "one_report")),
    ],
)
async def test_what_makes_no_report_is_refused(
    cli: CommandLine, words: tuple[str, ...], problem: tuple[str, str]
) -> None:
    refused = await cli("reports", *words, "--json")

    assert (refused.exit_code, refused.rules) == (1, [problem])


async def test_reports_are_listed_and_shown(cli: CommandLine) -> None:
    listed = await cli.json("reports", "list")
    shown = await cli("reports", "show", "vat")

    assert [one["id"] for one in listed["reports"]] == list(BUILT_IN)
    assert "tax_percent" in shown.stdout


async def test_every_report_ties_to_the_ledger_whatever_happened(books: Books, owner: Books, reports: Reports) -> None:
    for seed, currency in ((1, "EUR"), (2, "JPY")):
        make_history(books, owner, seed, currency)
    books.run("select duly.mark_roll_up(), duly.fill_roll_ups()")

    days = [row[0] for row in books.run("select distinct posted_on from duly.transfers order by 1")]
    # Seeing that a source ties is part of running any report of it.
    for source in SOURCES:
        for first, last in ((days[0], days[-1]), (days[len(days) // 3], days[len(days) // 2])):
            await reports.own(source=source, period={"from": first, "to": last})


async def test_another_program_comes_to_the_same_figures_from_the_exported_rows(
    books: Books, owner: Books, cli: CommandLine, tmp_path: Path
) -> None:
    make_history(books, owner, 11, "EUR", steps=90)
    days = ("--from", "2025-01-01", "--to", "2026-12-31")
    for report in ("transactions", "documents"):
        await cli.json("reports", "run", report, *days, "--output", str(tmp_path / f"{report}.csv"))
    exported = duckdb.connect()

    def by_hand(file: str, group: str, amount: str) -> dict[tuple[str, str], int]:
        found = exported.execute(
            f"select {group}, currency, cast(round(sum(cast({amount} as decimal(18, 4))) * 100) as bigint)"
            f" from read_csv('{tmp_path / file}.csv', all_varchar = true) where currency = 'EUR' group by 1, 2"
        )
        return {(row[0], row[1]): row[2] for row in found.fetchall()}

    revenue = await cli.json("reports", "run", "revenue", *days)
    receipts = await cli.json("reports", "run", "receipts", *days)
    money = by_hand("transactions", "classification", "total")

    assert by_hand("documents", "type_id", "net") == {
        (row["type_id"], "EUR"): row["net_minor"] for row in revenue["rows"] if row["currency"] == "EUR"
    }
    amounts = {row["currency"]: row["amount_minor"] for row in receipts["totals"]}
    kinds = ("payment", "payment_cancellation", "refund")
    assert amounts.get("EUR", 0) == -sum(money.get((kind, "EUR"), 0) for kind in kinds)
