"""Segments: their list, the page of one with what it comes to and who is in it, and all of them as CSV."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Row
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from activities.configuration.segment_queries import SegmentQueries, days_of_segment
from activities.database import Database, DatabaseUnavailableError
from activities.listing import Listed
from activities.messages.communications import Communications
from activities.reports.text_files import safe_text
from commands.formatting import money as money_text
from models.console.roles import Permission
from models.listing import ListPage, heading_of
from models.messages.communication import About
from models.operations.ledger_states import ACCOUNT, TRANSACTION
from models.problem import RefusedError
from models.reports.periods import DaySpan
from web.actions.of_messages import days_given
from web.context import Visit
from web.views.cells import Cell, Column, Table, address, day, link, listed, moment, money, state, table_of, text, words
from web.views.listing import Filter, Given, ListOfNoun, csv_line
from web.views.objects import ActionLink, ObjectPage, show_object, show_part

ROWS = 50
# Criteria are judged for everybody: whoever looks at a page waits no longer for it.
PAGE_SECONDS = 20.0
_SENT = 10
_TOO_LONG = "It takes too long for a page: `duly segments {verb} {id}` has it."


async def _segments(database: Database, page: ListPage, given: Given) -> Listed:
    del page
    wanted = {"active": True, "inactive": False}.get(given["state"])
    rows = [row for row in await SegmentQueries(database).all() if wanted in {None, row.is_active}]
    return Listed(rows, None, is_totalled=False)


async def _communications(database: Database, page: ListPage, given: Given) -> Listed:
    return await Communications(database).page(page, segment_id=given["segment"])


SEGMENTS = ListOfNoun(
    "segments",
    "Segments",
    (
        Column("Segment", lambda row: link("segments", row.id)),
        Column("Name", lambda row: text(row.name)),
        Column("Of", lambda row: text(row.about)),
        Column("State", lambda row: state(_in_use(row))),
        Column("Criteria", lambda row: text("; ".join(f"{name}: {value}" for name, value in _criteria(row)))),
    ),
    (Filter("state", "State", ("active", "inactive")),),
    _segments,
    "There is no segment: `[[segments]]` of the definitions makes one.",
    has_days=False,
)
_ABOUT_COLUMNS = (
    Column("Communication", lambda row: Cell(row.id, listed("messages", communication=row.id), is_id=True)),
    Column("Template", lambda row: text(row.template_id)),
    Column("Chosen", lambda row: text(row.counts["chosen"]), is_number=True),
    Column("Letters", lambda row: text(row.counts["written"]), is_number=True),
    Column("Who", lambda row: text(row.actor)),
    Column("Why", lambda row: text(row.reason)),
    Column("When", lambda row: moment(row.created_at)),
)
COMMUNICATIONS = ListOfNoun(
    "communications",
    "Communications",
    (
        _ABOUT_COLUMNS[0],
        Column("Segment", lambda row: link("segments", row.asked["segment"])),
        Column("Transactions", lambda row: text(len(row.asked["transactions"]) or ""), is_number=True),
        *_ABOUT_COLUMNS[1:],
    ),
    (Filter("segment", "Segment"),),
    _communications,
    "Nobody has been written to by a template.",
)


async def show_segment(visit: Visit) -> Response:
    """Show a segment; what it comes to and who is in it is read after the page. Raises RefusedError: there is none."""
    queries = SegmentQueries(visit.web.reading)
    found = await queries.require(visit.request.path_params["id"])
    asked = visit.request.query_params
    given = {name: asked.get(name, "") for name in ("from", "to", "after")}
    query = urlencode({name: value for name, value in given.items() if value})
    place = address("segments", found.id)
    sent = await Communications(visit.web.reading).page(
        ListPage(limit=_SENT, is_totalled=False), segment_id=found.id
    )  # fmt: skip
    parts = [("Who is in it" if found.about == About.ACCOUNTS else "What is in it", f"{place}/members?{query}")]
    if not given["after"]:
        parts.insert(0, ("now", f"{place}/totals?{query}"))
    shown = ObjectPage(
        title=found.name,
        kind=f"segment of {found.about}",
        state=state(_in_use(found)),
        facts=(("Id", text(found.id)), *((name, text(value)) for name, value in _criteria(found))),
        actions=_actions(visit, found, urlencode({name: given[name] for name in ("from", "to") if given[name]})),
        tables=(_sent(sent.rows, found.id),),
        parts=parts,
    )
    return show_object(visit, shown)


async def segment_totals(visit: Visit) -> Response:
    """Count what a segment has, by currency."""
    queries, found, days = await _asked(visit)
    try:
        async with visit.web.reports.of(visit.user.id):
            counted = await queries.counted(found, days, seconds=PAGE_SECONDS)
    except DatabaseUnavailableError:
        return show_part(visit, (), is_away=_TOO_LONG.format(verb="show", id=found.id))
    heads = ("Balance", "Owed") if found.about == About.ACCOUNTS else ("Total", "Open")
    columns = (
        Column("Currency", lambda row: text(row.currency)),
        Column("Number", lambda row: text(f"{row.number_of:,}"), is_number=True),
        Column(heads[0], lambda row: money(row.total_minor, row.currency), is_money=True),
        Column(heads[1], lambda row: money(row.open_minor, row.currency), is_money=True),
    )
    title = f"What it comes to, {days}" if days else "What it comes to"
    return show_part(visit, (table_of(title, columns, counted, empty="Nothing is like this."),))


async def segment_members(visit: Visit) -> Response:
    """List a page of what a segment has, in the order of their ids."""
    queries, found, days = await _asked(visit)
    asked = visit.request.query_params
    after = asked.get("after", "")
    try:
        async with visit.web.reports.of(visit.user.id):
            rows = await queries.page(found, days, after=after, limit=ROWS + 1, seconds=PAGE_SECONDS)
    except DatabaseUnavailableError:
        return show_part(visit, (), is_away=_TOO_LONG.format(verb="members", id=found.id))
    given = {name: asked.get(name, "") for name in ("from", "to") if asked.get(name)}
    place, shown = address("segments", found.id), rows[:ROWS]
    following = {**given, "after": shown[-1].id} if len(rows) > ROWS else {}
    return visit.page(
        "segments/members.html",
        table=table_of("", _columns(found), shown, empty="Nobody is." if not after else "Nobody is behind these."),
        first=f"{place}?{urlencode(given)}" if after else "",
        following=f"{place}?{urlencode(following)}" if following else "",
        export=f"{place}/members.csv?{urlencode(given)}" if visit.user.may(Permission.EXPORT) else "",
        segment=found,
        days=days,
        given=given,
        has_days=found.about == About.TRANSACTIONS,
    )


async def export_members(visit: Visit) -> Response:
    """Write all that a segment has as CSV, of one moment; its end says how many rows there were."""
    queries, found, days = await _asked(visit)
    visit.require_export()
    headers = {"content-disposition": f'attachment; filename="{found.id}.csv"'}
    lines = _lines(visit, queries, found, days)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(visit: Visit, queries: SegmentQueries, segment: Row[Any], days: DaySpan | None) -> AsyncIterator[str]:
    # An amount is a number there, and its currency beside it.
    columns = (*_columns(segment), Column("Currency", lambda row: text(row.currency)))
    count = 0
    async with visit.web.exports.of(visit.user.id):
        yield csv_line([one.head for one in columns])
        async for page in queries.members(segment, days):
            count += len(page)
            yield "".join(csv_line([_plain(one, row) for one in columns]) for row in page)
        yield csv_line(["Rows", str(count)])


def _plain(column: Column, row: Row[Any]) -> str:
    cell = column.cell(row)
    return cell.plain if column.is_money else safe_text(cell.plain)


async def _asked(visit: Visit) -> tuple[SegmentQueries, Row[Any], DaySpan | None]:
    """Return the segment of an address and its days. Raises RefusedError: there is none; HTTPException: no days."""
    queries = SegmentQueries(visit.web.reading)
    found = await queries.require(visit.request.path_params["id"])
    asked = visit.request.query_params
    try:
        first, last = days_given(asked.get("from", ""), asked.get("to", ""))
        return queries, found, days_of_segment(found, first, last, datetime.now(UTC).date())
    except RefusedError as refused:
        raise HTTPException(422, "; ".join(str(one) for one in refused.problems)) from refused


def _actions(visit: Visit, found: Row[Any], query: str) -> Sequence[ActionLink]:
    if not visit.user.may(Permission.COMMUNICATE):
        return ()
    href = f"{address('segments', found.id)}/message" + (f"?{query}" if query else "")
    return (ActionLink("Message", href, "" if found.is_active else "not while inactive"),)


def _columns(segment: Row[Any]) -> Sequence[Column]:
    if segment.about == About.ACCOUNTS:
        return (
            Column("Account", lambda row: link("accounts", row.id)),
            Column("Label", lambda row: text(row.label)),
            Column("Region", lambda row: text(row.region)),
            Column("Classification", lambda row: text(row.classification)),
            Column("State", lambda row: state(ACCOUNT.word(row.state))),
            Column("Balance", lambda row: money(row.balance_minor, row.currency), is_money=True),
        )
    return (
        Column("Number", lambda row: link("transactions", row.id, row.number)),
        Column("What", lambda row: words(row.classification)),
        Column("Account", lambda row: link("accounts", row.account_id)),
        Column("Posted", lambda row: day(row.posted_on)),
        Column("Due", lambda row: day(row.due_on)),
        Column("State", lambda row: state(TRANSACTION.word(row.state, "" if row.open_minor else "settled"))),
        Column("Total", lambda row: money(row.total_minor, row.currency), is_money=True),
        Column("Open", lambda row: money(row.open_minor, row.currency), is_money=True),
    )


def _sent(rows: Sequence[Row[Any]], id: str) -> Table:
    more = listed("communications", segment=id) if len(rows) == _SENT else ""
    return table_of("Messages to it", _ABOUT_COLUMNS, rows, empty="Nobody has written to it.", more=more)


def _in_use(row: Row[Any]) -> str:
    return "active" if row.is_active else "inactive"


def _criteria(row: Row[Any]) -> Sequence[tuple[str, str]]:
    """Return the criteria in words: amounts in major units, days as they are chosen."""
    return [(heading_of(name), _criterion(name, value)) for name, value in sorted(row.criteria.items())]


def _criterion(name: str, value: Any) -> str:
    if name.endswith("_minor"):
        return ", ".join(money_text(minor, currency) for currency, minor in sorted(value.items()))
    if isinstance(value, Mapping):
        return ", ".join(f"{part} {given}" for part, given in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
