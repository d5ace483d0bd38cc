"""The first page: what needs a person, which runs are at work, and what moved today."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.console.attention import COUNTED_AT_MOST, Attention
from activities.database import DatabaseUnavailableError
from activities.runs.queries import RunQueries
from commands.formatting import shown_zone
from models.listing import ListPage
from models.operations.record_states import RUN
from web.context import Visit
from web.reports.home_charts import HOME_CHARTS
from web.views.cells import Cell, Column, link, listed, moment, money, state, table_of, text

# By what waits: how it reads, and where it is looked after.
_WAITING: Mapping[str, tuple[str, str]] = {
    "unknown_payments": ("Payments whose outcome nobody knows", listed("payments", state="unknown")),
    "unknown_refunds": ("Refunds whose outcome nobody knows", listed("refunds", state="unknown")),
    "discrepancies": ("Discrepancies between gateway and ledger", listed("discrepancies", state="open")),
    "disputes": ("Disputes whose evidence is due within 3 days", listed("disputes", state="open")),
    "approvals": ("Requests that another person approves", listed("approvals", state="waiting")),
    "suspense": ("Payments in suspense", "/suspense"),
    "failed_messages": ("Messages that failed", listed("messages", state="failed")),
    "events": ("Events that are about nothing known", listed("events", state="needs_review")),
    "movements": ("Movements that should have come", listed("movements", overdue="yes")),
    "assigned_away": (
        "Open collections of somebody who cannot look after them any more",
        listed("collections", state="open", assigned="away"),
    ),
    "mass_actions": (
        "Actions on several rows that stopped, or of which something is not known",
        "/many?needs_person=yes",
    ),
    "sending": ("Providers to which nothing is sent", "/commands"),
}
_RUNS = 5


async def home(visit: Visit) -> Response:
    """Show what needs a person, and the newest runs; who is limited to merchants is led to their customers."""
    if visit.user.merchants:
        return visit.page("home_of_merchants.html", title="Home")
    waiting = {row.what: row for row in await Attention(visit.web.reading).waiting()}
    needs = [
        (Cell(title, href), _count(waiting[what].waiting), moment(waiting[what].since))
        for what, (title, href) in _WAITING.items()
        if waiting[what].waiting
    ]
    runs = await RunQueries(visit.web.reading).page(
        ListPage(limit=_RUNS, is_totalled=False), kind="", definition_id="", state=""
    )
    columns = (
        Column("Run", lambda row: link("runs", row.id)),
        Column("Kind", lambda row: text(row.kind)),
        Column("State", lambda row: state(RUN.word(row.state))),
        Column("Members", lambda row: text(row.members), is_number=True),
        Column("Started", lambda row: moment(row.started_at)),
        Column("Completed", lambda row: moment(row.completed_at)),
    )
    newest = table_of("Newest runs", columns, runs.rows, empty="No run has been started.", more="/runs")
    return visit.page("home.html", title="Home", needs=needs, runs=newest, now=_now(), charts=HOME_CHARTS)


async def money_today(visit: Visit) -> Response:
    """Show, as a part of the first page, what gateways took in and gave back today, and on this weekday a week ago."""
    now = _now()
    today = now.replace(hour=0, minute=0)
    before = today - timedelta(days=7)
    attention = Attention(visit.web.reading)
    try:
        moved = await attention.moved(today, now + timedelta(minutes=1))
        moved_before = await attention.moved(before, now - timedelta(days=7))
    except DatabaseUnavailableError:
        return visit.page("money_today.html", rows=None, now=now)
    was = {(row.direction, row.currency): row for row in moved_before}
    current = {(row.direction, row.currency): row for row in moved}
    rows = [
        (
            "Taken in" if direction == "in" else "Given back",
            _moved(current.get((direction, currency)), currency),
            _moved(was.get((direction, currency)), currency),
        )
        for direction, currency in sorted({*was, *current})
    ]
    return visit.page("money_today.html", rows=rows, now=now)


def _moved(row: Row[Any] | None, currency: str) -> tuple[str, Cell]:
    if row is None:
        return "0", money(0, currency)
    document = row._mapping  # noqa: SLF001  # SQLAlchemy's public name; a row has a method `count`
    return f"{document['count']:,}", money(int(document["amount_minor"]), currency)


def _count(number: int) -> Cell:
    return Cell(f"{number:,}" if number < COUNTED_AT_MOST else f"more than {COUNTED_AT_MOST - 1:,}")


def _now() -> datetime:
    return datetime.now(shown_zone()).replace(second=0, microsecond=0)
