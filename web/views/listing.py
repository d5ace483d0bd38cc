"""Lists: a page by keyset, its filters in the address, and an export of exactly what is on the screen."""

import csv
import io
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from activities.database import Database
from activities.listing import Listed
from activities.reports.text_files import safe_text
from commands.formatting import shown_zone
from models.console.roles import Permission
from models.listing import ListPage
from models.moment import YEARS, YEARS_MEANING
from models.problem import RefusedError
from web.actions.forms import links_of_list
from web.context import Visit
from web.many.kinds import MANY
from web.saved.shown import views_above
from web.views.cells import Column, Table, table_of

ROWS = 50
_EXPORTED_AT_ONCE = 500

# What a list is limited to by its user, and who that is. No filter has such a name.
_MERCHANTS, _USER = " merchants", " user"
Given = Mapping[str, str]
Read = Callable[[Database, ListPage, Given], Awaitable[Listed]]


@dataclass(frozen=True)
class Filter:
    """A filter of a list: its name in the address, how it reads, and its words where it has a few."""

    name: str
    label: str
    words: Sequence[str] = ()


@dataclass(frozen=True)
class ListOfNoun:
    """How a noun is listed. `required` names a filter without which there is nothing to list.

    `check` raises RefusedError where what is `checked`, filters by name, is none: then the list is shown without them.
    """

    noun: str
    title: str
    columns: Sequence[Column]
    filters: Sequence[Filter]
    read: Read
    empty: str
    has_days: bool = True
    required: str = ""
    permission: Permission = Permission.SEE
    check: Callable[[Given], None] | None = None
    checked: Sequence[str] = ()


@dataclass(frozen=True)
class Wanted:
    """What of a list is asked for: the filters that are given, by name, and the page."""

    given: Given
    page: ListPage
    problems: Sequence[str] = field(default=())
    # By filter, what was typed and narrows nothing, for it is wrong.
    wrong: Given = field(default_factory=dict)

    @property
    def query(self) -> str:
        """The filters as they stand in an address."""
        return urlencode({name: value for name, value in self.given.items() if value})


def wanted_of(of: ListOfNoun, visit: Visit) -> Wanted:
    """Read what an address asks for. What is wrong is named, and the list is shown without it."""
    asked, problems = visit.request.query_params, []
    given = {one.name: asked.get(one.name, "").strip() for one in of.filters}
    for one in of.filters:
        if given[one.name] and one.words and given[one.name] not in one.words:
            problems.append(f"{one.label}: is none of {', '.join(one.words)}")
            given[one.name] = ""
    days: dict[str, date | None] = {"from": None, "to": None}
    for name in days if of.has_days else ():
        days[name] = day_of(name, asked.get(name, ""), problems)
        given[name] = days[name].isoformat() if days[name] else ""  # type: ignore[union-attr]  # it is not None
    if days["from"] and days["to"] and days["from"] > days["to"]:
        problems.append("from: is after to")
    wrong: dict[str, str] = {}
    try:
        if of.check is not None:
            of.check(given)
    except RefusedError as refused:
        labels = {one.name: one.label for one in of.filters}
        problems += [f"{labels.get(one.field, one.field)}: {one.message}" for one in refused.problems]
        wrong = {name: given[name] for name in of.checked if given[name]}
        given |= dict.fromkeys(of.checked, "")
    page = ListPage(asked.get("after", ""), ROWS, days["from"], days["to"], is_totalled=False, zone=shown_zone())
    return Wanted(given, page, problems, wrong)


async def show_list(of: ListOfNoun, visit: Visit) -> Response:
    """Show a page of a list."""
    wanted = wanted_of(of, visit)
    _require(of, wanted)
    listed = await of.read(visit.web.reading, wanted.page, _limited(visit, wanted.given))
    older = f"?{urlencode({**_filled(wanted.given), 'after': listed.following})}" if listed.following else ""
    is_narrowed = any(wanted.given.values())
    empty = "Nothing is like this." if is_narrowed else of.empty
    rows = table_of("", of.columns, listed.rows, empty=empty)
    return visit.page(
        "list.html",
        title=of.title,
        of=of,
        given=wanted.given,
        problems=wanted.problems,
        wrong=wanted.wrong,
        actions=links_of_list(visit, of.noun),
        **_choosing(of, visit, rows, listed.rows),
        is_narrowed=is_narrowed,
        older=older,
        newest=f"/{of.noun}?{wanted.query}" if wanted.page.after else "",
        export=f"/{of.noun}.csv?{wanted.query}" if visit.user.may(Permission.EXPORT) else "",
        **await views_above(visit, of.noun, wanted.given),
    )


def _choosing(of: ListOfNoun, visit: Visit, table: Table, rows: Sequence[Any]) -> Mapping[str, Any]:
    """Return a list's table, with what may be done to several of its rows at once; without scripts a link picks all."""
    many = MANY.get(of.noun)
    if many is None or not rows or not (actions := many.actions(visit.user)):
        return {"rows": table, "many": ()}
    asked = {name: value for name, value in visit.request.query_params.items() if name != "picked"}
    ids, picked = [many.id_of(row) for row in rows], visit.request.query_params.getlist("picked")
    return {
        "rows": replace(table, picks=ids, picked=frozenset(ids if picked == ["all"] else picked)),
        "many": actions,
        "page_key": secrets.token_hex(16),
        "pick_all": f"/{of.noun}?{urlencode({**asked, 'picked': 'all'})}",
        "query": urlencode(asked),
    }


async def export_list(of: ListOfNoun, visit: Visit) -> Response:
    """Write all of a list, with the columns and filters of its page, as CSV; its end says how many rows there were."""
    wanted = wanted_of(of, visit)
    _require(of, wanted)
    if wanted.problems:
        raise HTTPException(422, "; ".join(wanted.problems))
    visit.require_export()
    page = replace(wanted.page, after="", limit=_EXPORTED_AT_ONCE)
    headers = {"content-disposition": f'attachment; filename="{of.noun}.csv"'}
    lines = _in_turn(visit, _lines(of, visit.web.reading, page, _limited(visit, wanted.given)))
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


async def _in_turn(visit: Visit, lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async with visit.web.exports.of(visit.user.id):
        async for line in lines:
            yield line


async def _lines(of: ListOfNoun, database: Database, page: ListPage, given: Given) -> AsyncIterator[str]:
    yield csv_line([name for column in of.columns for name in _heads(column)])
    count, totals = 0, defaultdict[tuple[str, str], Decimal](Decimal)
    while True:
        listed = await of.read(database, page, given)
        text = ""
        for row in listed.rows:
            values: list[str] = []
            for column in of.columns:
                cell = column.cell(row)
                if not column.is_money:
                    values.append(safe_text(cell.plain))
                    continue
                values += [cell.plain, cell.currency]
                if cell.currency:
                    totals[column.head, cell.currency] += Decimal(cell.plain)
            text += csv_line(values)
        count += len(listed.rows)
        yield text
        if not listed.following:
            break
        page = replace(page, after=listed.following)
    yield csv_line(["Rows", str(count)])
    for (head, currency), total in sorted(totals.items()):
        yield csv_line([f"Total: {head}", str(total), currency])


def _heads(column: Column) -> tuple[str, ...]:
    return (column.head, f"{column.head} currency") if column.is_money else (column.head,)


def csv_line(values: Sequence[str]) -> str:
    """Return a line of CSV."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(values)
    return written.getvalue()


def _limited(visit: Visit, given: Given) -> Given:
    """Return what is asked for with the limit of who asks: it is no filter, and in no address."""
    return {**given, _USER: visit.user.id, _MERCHANTS: " ".join(visit.user.merchants)}


def merchants_of(given: Given) -> Sequence[str]:
    """Return the merchants to whose customers a list is limited; none: it is not."""
    return given.get(_MERCHANTS, "").split()


def user_of(given: Given) -> str:
    """Return who asks for a list: a filter for one's own is kept and mailed as a word, and is of whoever opens it."""
    return given.get(_USER, "")


def _filled(given: Given) -> dict[str, str]:
    return {name: value for name, value in given.items() if value}


def day_of(name: str, text: str, problems: list[str]) -> date | None:
    """Read a day of an address; what is wrong with it is added to the problems."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        problems.append(f"{name}: {text!r} is not a day like 2026-11-26")
        return None
    if day.year not in YEARS:
        problems.append(f"{name}: {text!r} is not within {YEARS_MEANING}")
        return None
    return day


def _require(of: ListOfNoun, wanted: Wanted) -> None:
    if of.required and not wanted.given.get(of.required):
        raise HTTPException(404, f"Say of which {of.required}.")
