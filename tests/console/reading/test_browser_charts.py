"""Charts in a real browser: each is drawn once, from the numbers of its table, and without scripts the table is there.

DULY_SCREENSHOTS names a folder for the pictures of the documents; without it none is kept.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Page, expect

from activities.reports.snapshots import MrrSnapshots
from models.console.roles import ConsoleRole
from models.reports.periods import months_before
from tests.console.conftest import PASSWORD
from tests.console.files.test_browser_writing import signs_in
from tests.console.test_browser import NARROW, Person, address, person  # noqa: F401  # fixtures
from tests.ledger.books import Books, line
from tests.reports.conftest import books, owner  # noqa: F401  # fixtures
from tests.reports.test_recurring_revenue import TODAY, snapshots, subscribed  # noqa: F401  # fixtures
from web.context import Web

MRR = "/reports/mrr?from=2025-01-01&to=2025-11-30"
# Of each figure: what its table says, what the library was given, whether anything was drawn, and in which colours.
_DRAWN = """() => [...document.querySelectorAll('figure.chart')].map((figure) => {
    const canvases = figure.querySelectorAll('canvas'), canvas = canvases[0];
    const chart = canvases.length === 1 ? Chart.getChart(canvas) : null;
    const rows = [...figure.querySelectorAll('tbody tr')];
    const number = (cell) => cell.dataset.value === '' ? null : Number(cell.dataset.value);
    const table = [...figure.querySelectorAll('thead th')].slice(1).map((head, place) =>
        [head.textContent, rows.map((row) => number(row.cells[place + 1]))]);
    const given = chart?.data.datasets.map((one) => [one.label, one.data]);
    const pixels = canvas?.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return {
        name: figure.querySelector('figcaption').textContent, kind: figure.dataset.chart, table, given,
        labels: chart?.data.labels, named: rows.map((row) => row.cells[0].textContent),
        isHidden: canvas?.getAttribute('aria-hidden') === 'true',
        ink: pixels.filter((one, at) => at % 4 === 3 && one > 0).length,
        light: pixels.filter((one, at) => at % 4 === 0 && one > 150).length,
    };
})"""


async def drawn(page: Page, charts: int) -> list[dict[str, Any]]:
    """Return what is drawn, once for each figure, of what its table says. There are as many charts as figures."""
    await expect(page.locator("figure.chart .canvas canvas")).to_have_count(charts)
    found: list[dict[str, Any]] = await page.evaluate(_DRAWN)
    assert [one["given"] for one in found] == [one["table"] for one in found]
    assert [one["labels"] for one in found] == [one["named"] for one in found]
    assert [one["name"] for one in found if not one["isHidden"] or one["ink"] < 1000] == []
    assert await page.evaluate("Object.keys(Chart.instances).length") == len(found) == charts
    return found


@pytest.fixture
async def accountant(
    acting: None,
    person: Person,  # noqa: F811
    web: Web,
    snapshots: MrrSnapshots,  # noqa: F811
    subscribed: Books,  # noqa: F811
) -> Person:
    """Somebody who is signed in, over recurring revenue that is kept and revenue of two currencies."""
    await snapshots.update(TODAY, since=None, actor="maria", reason="month end")
    subscribed.open_account("jp", "JPY")
    today = datetime.now(UTC).date()
    for back in (3, 2):
        posted_on = months_before(today, back)
        subscribed.invoice(f"e{back}", "a", lines=[line(12_345_60 + back)], posted_on=posted_on)
        subscribed.invoice(f"j{back}", "jp", lines=[line(10_384)], posted_on=posted_on, currency="JPY")
    await web.users.add("maria", ConsoleRole.ACCOUNTANT, PASSWORD)
    await signs_in(person.page, person.url)
    return person


@pytest.mark.browser
@pytest.mark.nightly
async def test_charts_of_a_report_are_what_its_tables_say_wide_narrow_and_in_the_dark(accountant: Person) -> None:
    page = accountant.page

    await accountant.judge(MRR)
    wide = await drawn(page, 4)
    await accountant.picture("console-chart", full=True)
    await page.set_viewport_size({"width": NARROW, "height": 740})
    await page.emulate_media(color_scheme="dark")
    await accountant.judge(MRR)
    dark = await drawn(page, 4)

    assert [(one["name"], one["kind"]) for one in wide] == [
        ("Recurring revenue (MRR), EUR", "lines"),
        ("Movements of recurring revenue, EUR", "columns"),
        ("Growth of recurring revenue (EUR)", "lines"),
        ("Net and gross retention (EUR)", "lines"),
    ]
    assert wide[0]["table"][0][1][-3:] == [180, 199.9, 206.9]
    assert [one[1][-1] for one in wide[1]["table"]] == [0, 30, 20, -3, -40]
    # Nothing but what is light is legible on a dark page.
    assert [one["name"] for one in dark if one["light"] < one["ink"] // 4] == []
    assert accountant.problems == []


@pytest.mark.browser
async def test_charts_that_come_later_or_again_are_drawn_once_and_without_scripts_there_is_the_table(
    accountant: Person,
) -> None:
    page, url = accountant.page, accountant.url

    # when the first page has its parts, one of them comes again, and its reader goes on and comes back
    await accountant.open("/")
    many = await page.locator("figure.chart").count()
    home = await drawn(page, many)
    section = "section:has(#c-monthly-revenue)"
    await page.evaluate("it => htmx.ajax('GET', '/home/monthly-revenue', {target: it, swap: 'outerHTML'})", section)
    await drawn(page, many)
    await page.goto(f"{url}/reports/monthly-revenue")
    await page.go_back(wait_until="networkidle")
    await drawn(page, many)
    await page.emulate_media(color_scheme="dark")
    await drawn(page, many)

    context = await page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = await context.new_page()
    await signs_in(plain, url)
    await plain.goto(f"{url}/reports/monthly-revenue")

    assert {"Net, EUR", "Net, JPY"} <= {one["name"] for one in home}
    await expect(plain.get_by_role("region", name="Numbers of Net, JPY").get_by_text("10,384").first).to_be_visible()
    assert await plain.locator("canvas").count() == 0
    assert accountant.problems == []
