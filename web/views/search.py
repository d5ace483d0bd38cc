"""Search: exact ids jump to their page, words list the accounts of people."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from activities.console.search import FOUND_AT_MOST, Search
from models.operations.ledger_states import ACCOUNT
from web.context import Visit
from web.security import text_of
from web.views.cells import Cell, Column, Table, address, link, listed, state, table_of, text

_LENGTH_MAX = 200
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})|(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)


async def search(visit: Visit, form: FormData) -> Response:
    """Lead to what has exactly these words as its id, or list what they may mean.

    It is sent, not asked for by an address: names and e-mails are in no log and no history.
    """
    words = text_of(form, "words")[:_LENGTH_MAX].replace("\0", "")
    if day := _day(words):
        return RedirectResponse(listed("transactions", **{"from": day, "to": day}), 303)
    found = await Search(visit.web.reading).by_id(words) if words else []
    places = list(dict.fromkeys((row.noun, row.id) for row in found))
    if len(places) == 1:
        return RedirectResponse(address(*places[0]), 303)
    people: Sequence[Row[Any]] = [] if found else await Search(visit.web.reading).accounts(words)
    if len(people) == 1:
        return RedirectResponse(address("accounts", people[0].id), 303)
    tables = [_people(people)] if people else [_places(places)] if places else []
    return visit.page("search.html", title="Search", tables=tables, has_words=bool(words), most=FOUND_AT_MOST)


def _day(words: str) -> str:
    """Return the day that somebody typed, as ISO 8601 or as Germans write it; "" for what is none."""
    found = _DAY.fullmatch(words)
    if found is None:
        return ""
    year, month, day = found.group(1, 2, 3) if found[1] else found.group(6, 5, 4)
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def _people(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Account", lambda row: link("accounts", row.id)),
        Column("Owner", lambda row: text(row.name)),
        Column("State", lambda row: state(ACCOUNT.word(row.state))),
    )
    return table_of("Accounts", columns, rows)


def _places(places: Sequence[tuple[str, str]]) -> Table:
    rows: list[list[Cell]] = [[text(noun.replace("-", " ")), link(noun, id)] for noun, id in places]
    return Table("Found", (("What", False), ("Id", False)), rows)
