"""Showing segments, and what they have."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from activities.configuration.segment_queries import SegmentQueries, days_of_segment
from commands.configuration.tables import configuration_table
from commands.formatting import document, money
from commands.lists.paging import answer_all
from commands.output import Output, table
from commands.session import read_settings, reading_database_of
from models.messages.communication import About

if TYPE_CHECKING:
    from rich.table import Table


async def list_all(output: Output) -> None:
    """List the segments."""
    async with reading_database_of(read_settings()) as database:
        rows = await SegmentQueries(database).all()
    answer_all(output, "segments", [document(row) for row in rows], configuration_table("segments", rows))


async def show(output: Output, segment_id: str, since: date | None, until: date | None) -> None:
    """Count what a segment has."""
    async with reading_database_of(read_settings()) as database:
        queries = SegmentQueries(database)
        segment = await queries.require(segment_id)
        days = days_of_segment(segment, since, until, datetime.now(UTC).date())
        counted = await queries.counted(segment, days)
    heads = ("Balance", "Owed") if segment.about == About.ACCOUNTS else ("Total", "Open")
    rows = [(row.currency, row.number_of, *_money(row)) for row in counted]
    right = ("Number", *heads)
    output.answer(
        {
            **document(segment),
            "days": {"from": days.first, "to": days.last} if days else None,
            "totals": [document(row) for row in counted],
        },
        configuration_table("segments", [segment]),
        table(str(days) if days else "", "Currency", "Number", *heads, rows=rows, right=right),
    )


async def members(output: Output, segment_id: str, since: date | None, until: date | None) -> None:
    """List what a segment has, page by page."""
    number = 0
    async with reading_database_of(read_settings()) as database:
        queries = SegmentQueries(database)
        segment = await queries.require(segment_id)
        days = days_of_segment(segment, since, until, datetime.now(UTC).date())
        with output.stream(segment.about) as stream:
            async for page in queries.members(segment, days):
                number += len(page)
                stream.rows([document(row) for row in page], _shown(segment, page))
            stream.finish({"segment": segment.id, "count": number}, f"{number} {segment.about}")


def _shown(segment: Row[Any], rows: Sequence[Row[Any]]) -> "Table":
    if segment.about == About.ACCOUNTS:
        cells: list[tuple[object, ...]] = [
            (row.id, row.label, row.region, row.state, money(row.balance_minor, row.currency)) for row in rows
        ]
        return table("", "Account", "Label", "Region", "State", "Balance", rows=cells, right=("Balance",))
    cells = [(row.number, row.classification, row.account_id, row.posted_on, row.state, *_money(row)) for row in rows]
    heads = ("Number", "What", "Account", "Posted", "State", "Total", "Open")
    return table("", *heads, rows=cells, right=("Total", "Open"))


def _money(row: Row[Any]) -> tuple[str, str]:
    return money(row.total_minor, row.currency), money(row.open_minor, row.currency)
