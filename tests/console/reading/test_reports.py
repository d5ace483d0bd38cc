"""Reports in the console: the numbers of the command line, narrowed by the address, drawn, and written as files."""

import csv
import io
import json
import re
from asyncio import Event, TaskGroup
from datetime import date
from html import unescape
from urllib.parse import urlencode

import pytest

from activities.reports.queries import ReportReader
from models.console.roles import ConsoleRole
from models.reports.builtin import BUILT_IN
from models.reports.result import TieResult
from tests.console.conftest import Browser
from tests.ledger.books import Books, line
from tests.reports.conftest import books, owner  # noqa: F401  # fixtures
from tests.support.command_line import CommandLine
from web.context import Turns, Web
from web.reports.home_charts import HOME_CHARTS
from web.reports.pages import ENDINGS

NOVEMBER = "from=2025-11-01&to=2025-11-30"
_CELLS = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)
_TAGS = re.compile(r"<[^>]+>")


@pytest.fixture
def sold(books: Books) -> Books:  # noqa: F811
    """Two invoices in November, of regions, and one in October."""
    for account, region in (("acc_at", "AT"), ("acc_de", "DE")):
        books.open_account(account, region=region)
    books.invoice("n1", "acc_at", lines=[line(100_00, tax_percent=19)], posted_on=date(2025, 11, 2))
    books.invoice("n2", "acc_de", lines=[line(50_00, tax_percent=19)], posted_on=date(2025, 11, 3))
    books.invoice("n3", "acc_de", lines=[line(10_00, tax_percent=19)], posted_on=date(2025, 10, 3))
    return books


def rows_of(page: str) -> list[list[str]]:
    """Return the texts of a report's table, row by row, without its heads."""
    table = page.partition('aria-label="Rows of the report"')[2].partition("</table>")[0].partition("</thead>")[2]
    return [[unescape(_TAGS.sub("", cell)).strip() for cell in _CELLS.findall(row)] for row in table.split("<tr>")[1:]]


async def test_the_page_and_each_file_have_the_rows_of_the_command_line(
    browser: Browser, sold: Books, cli: CommandLine
) -> None:
    await browser.sign_in()
    printed = (
        await cli("reports", "run", "revenue-by-region", "--from", "2025-11-01", "--to", "2025-11-30", "--csv")
    ).stdout
    known = list(csv.reader(io.StringIO(printed)))

    page = await browser.open(f"/reports/revenue-by-region?{NOVEMBER}")
    files = {one: await browser.client.get(f"/reports/revenue-by-region.{one}?{NOVEMBER}") for one in ENDINGS}

    assert rows_of(page) == [*known[1:], ["Total", "EUR", "2", "150.00", "28.50", "0.00", "178.50"]]
    assert "net of the whole source: 150.00 EUR; the ledger has 150.00" in page
    assert [one.status_code for one in files.values()] == [200] * 5
    assert files["csv"].text == printed
    assert [one["net_minor"] for one in json.loads(files["json"].text)["rows"]] == [100_00, 50_00]
    assert "178.50" in files["html"].text
    assert [files[one].content[:4] for one in ("xlsx", "pdf")] == [b"PK\x03\x04", b"%PDF"]
    assert files["pdf"].headers["content-disposition"] == 'attachment; filename="revenue-by-region.pdf"'


@pytest.mark.nightly
async def test_a_filter_narrows_the_rows_and_the_files_and_is_taken_away_again(browser: Browser, sold: Books) -> None:
    await browser.sign_in()

    page = await browser.open(f"/reports/revenue-by-region?{NOVEMBER}&column=region&value=DE")
    (without,) = re.findall(r'class="chip" href="([^"]+)"', page)
    (file,) = re.findall(r'href="([^"]+\.csv[^"]+)"', page)
    written = (await browser.client.get(unescape(file))).text

    assert rows_of(page) == [["DE", "EUR", "1", "50.00", "9.50", "0.00", "59.50"]]
    assert written.splitlines()[1:] == ["DE,EUR,1,50.00,9.50,0.00,59.50"]
    assert len(rows_of(await browser.open(unescape(without)))) == 3


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("from=yesterday", "is not a day like 2026-11-26"),
        ("from=2025-12-01&to=2025-11-01", "2025-12-01 is after 2025-11-01"),
        ("column=wealth&value=9", "must be a column and its values"),
        ("column=posted_on&value=soon", "Invalid isoformat string"),
    ],
)
async def test_what_is_wrong_with_days_and_filters_stands_on_the_page(browser: Browser, asked: str, says: str) -> None:
    await browser.sign_in(role=ConsoleRole.VIEWER)

    answer = await browser.client.get(f"/reports/revenue?{asked}")

    assert answer.status_code == 422
    assert says in unescape(answer.text)
    assert 'name="from"' in answer.text


async def test_a_chart_has_a_table_of_its_own_and_only_pages_with_one_load_the_library(
    browser: Browser, sold: Books
) -> None:
    await browser.sign_in()

    drawn = await browser.open(f"/reports/revenue-by-region?{NOVEMBER}")
    chosen = await browser.open(f"/reports/revenue-by-region?{NOVEMBER}&figure=vat")
    listed = await browser.open(f"/reports/documents?{NOVEMBER}")

    assert re.findall(r'data-chart="bars" data-decimals="2" data-unit="EUR"', drawn) != []
    assert re.findall(r'<th scope="row">(\w+)</th><td class="number" data-value="([\d.]+)">', drawn) == [
        ("AT", "100.00"),
        ("DE", "50.00"),
    ]
    assert re.findall(r'data-value="([\d.]+)"', chosen) == ["19.00", "9.50"]
    assert ["chart.umd.min.js" in one for one in (drawn, chosen, listed)] == [True, True, False]
    assert ["charts.js" in one for one in (drawn, chosen, listed)] == [True, True, False]


async def test_a_report_becomes_one_of_my_own_by_its_address(browser: Browser, sold: Books) -> None:
    await browser.sign_in()
    page = await browser.open(f"/reports/revenue-by-region?{NOVEMBER}")
    (begun,) = re.findall(r'href="(/reports/own[^"]+)"', page)
    document = {"id": "mine", "title": "Mine", "source": "lines", "group_by": ["region"], "measures": ["net"]}

    same = await browser.open(unescape(begun))
    mine = await browser.open(f"/reports/own?{urlencode({'definition': json.dumps(document)})}&{NOVEMBER}")
    wrong = await browser.client.get(
        f"/reports/own?{urlencode({'definition': json.dumps({**document, 'source': 'x'})})}"
    )
    none = await browser.client.get("/reports/own?definition=%7Bx")

    assert rows_of(same)[0] == ["AT", "EUR", "1", "100.00", "19.00", "0.00", "119.00"]
    assert rows_of(mine)[:2] == [["AT", "EUR", "100.00"], ["DE", "EUR", "50.00"]]
    assert (wrong.status_code, "source: must be one of" in wrong.text) == (422, True)
    assert (none.status_code, "is no JSON" in none.text) == (422, True)


@pytest.mark.nightly
async def test_every_report_is_listed_and_shown_to_whoever_may_see_and_as_a_file_to_whoever_may_export(
    browser: Browser,
) -> None:
    await browser.sign_in(role=ConsoleRole.VIEWER)

    listed = await browser.open("/reports")
    shown = [await browser.open(f"/reports/{id}") for id in BUILT_IN]

    assert [id for id in BUILT_IN if f'href="/reports/{id}"' not in listed] == []
    assert [one for one in shown if "As a file" in one] == []
    assert await browser.status("/reports/revenue.csv") == 403
    assert await browser.status("/reports/wealth") == 404


async def test_the_first_page_draws_the_dashboards_and_reads_them_once_a_minute(
    browser: Browser, sold: Books, web: Web
) -> None:
    await browser.sign_in(role=ConsoleRole.VIEWER)
    first = await browser.open("/")
    charts = re.findall(
        r'hx-get="(/home/[a-z-]+)" hx-trigger="load" hx-swap="outerHTML"><p class="empty">Reading: ', first
    )

    pages = [await browser.open(one) for one in charts]
    again = await browser.open(charts[0])

    assert charts == [f"/home/{id}" for id, _ in HOME_CHARTS]
    assert [id for id, _ in HOME_CHARTS[:3]] == ["monthly-revenue", "monthly-receipts", "revenue-by-product"]
    assert pages[0] == again
    assert set(web.figures) == dict(HOME_CHARTS).keys()
    assert await browser.status("/home/vat") == 404


async def test_a_report_that_does_not_tie_to_the_ledger_says_so(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def one_cent_short(*_: object) -> list[TieResult]:
        return [TieResult("net", "EUR", 14999, 15000)]

    monkeypatch.setattr(ReportReader, "ties", one_cent_short)
    await browser.sign_in()

    page = await browser.open("/reports/revenue")

    assert "It does not tie to the ledger" in page
    assert "net of the whole source: 149.99 EUR; the ledger has 150.00: they differ" in page


async def test_one_persons_reports_hold_up_nobody_elses() -> None:
    turns, order = Turns(2), []
    ends = Event()

    async def long() -> None:
        async with turns.of("ada"):
            order.append("ada")
            await ends.wait()

    async def short() -> None:
        async with turns.of("bo"):
            order.append("bo")
            ends.set()

    async with TaskGroup() as group:
        for _ in range(3):
            group.create_task(long())
        group.create_task(short())

    assert order == ["ada", "bo", "ada", "ada"]
