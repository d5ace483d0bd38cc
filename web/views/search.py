"""Search: exact ids jump to their page, words list the accounts of people."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from activities.console.merchant_scope import MerchantScope, is_customer_of
from activities.console.search import FOUND_AT_MOST, Search
from models.currency import EXPONENTS
from models.operations.ledger_states import ACCOUNT
from web.context import Visit
from web.security import text_of
from web.views.cells import Cell, Column, Table, address, day, link, listed, money, state, table_of, text
from web.views.cells import words as words_of

_LENGTH_MAX = 200
_AMOUNT = re.compile(r"(?:([A-Z]{3}) ?)?([0-9][0-9.,' ]{0,17})(?: ?([A-Z]{3}))?", re.ASCII)
# Digits alone, or in groups of three.
_WHOLE = re.compile(r"[0-9]{1,13}|[1-9][0-9]{0,2}(?:[.,' ][0-9]{3}){1,4}", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})|(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)


async def search(visit: Visit, form: FormData) -> Response:
    """Lead to what has exactly these words as its id, or list what they may mean.

    It is sent, not asked for by an address: names and e-mails are in no log and no history.
    """
    words = text_of(form, "words")[:_LENGTH_MAX].replace("\0", "")
    if (on := _day(words)) and not visit.user.merchants:
        return RedirectResponse(listed("transactions", **{"from": on, "to": on}), 303)
    found = await Search(visit.web.reading).by_id(words) if words else []
    places = await _in_scope(visit, list(dict.fromkeys((row.noun, row.id) for row in found)))
    if len(places) == 1:
        return RedirectResponse(address(*places[0]), 303)
    if not found and (amounts := _amounts(words)):
        of_amount = await Search(visit.web.reading).of_amount(amounts, visit.user.merchants)
        if len(of_amount) == 1:
            return RedirectResponse(address("transactions", of_amount[0].id), 303)
        tables = [_transactions(of_amount)] if of_amount else []
        return visit.page("search.html", title="Search", tables=tables, has_words=True, most=FOUND_AT_MOST)
    people: Sequence[Row[Any]] = []
    if not found:
        people = await Search(visit.web.reading).accounts(words, *is_customer_of(visit.user.merchants))
    if len(people) == 1:
        return RedirectResponse(address("accounts", people[0].id), 303)
    tables = [_people(people)] if people else [_places(places)] if places else []
    return visit.page("search.html", title="Search", tables=tables, has_words=bool(words), most=FOUND_AT_MOST)


async def _in_scope(visit: Visit, places: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the places that a user may see: of one who is limited, those of their merchants' customers."""
    merchants, scope = visit.user.merchants, MerchantScope(visit.web.reading)
    return [one for one in places if not merchants or await scope.has(merchants, *one)]


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


def _amounts(words: str) -> dict[int, Sequence[str]]:
    """Return what an amount that somebody typed comes to, in minor units, and in which currencies.

    With a currency it is of that; with two decimals alone, of all that have two. The last comma or point before as many
    digits as the currency has decimals is the decimal one: 1.190,00 and 1,190.00 are one amount.
    """
    found = _AMOUNT.fullmatch(words.upper())
    if found is None:
        return {}
    before, number, after = found[1], found[2].rstrip(" "), found[3]
    code, exponent = before or after, EXPONENTS.get(before or after or "", 2)
    decimals = re.search(rf"[.,]([0-9]{{{exponent}}})$", number) if exponent else None
    if (code and code not in EXPONENTS) or (before and after) or not (code or decimals):
        return {}
    whole = number[: decimals.start()] if decimals else number
    if not _WHOLE.fullmatch(whole):
        return {}
    digits = re.sub(r"[^0-9]", "", whole) + (decimals[1] if decimals else "0" * exponent)
    return {int(digits): [code] if code else [one for one, places in EXPONENTS.items() if places == exponent]}


def _transactions(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Transaction", lambda row: link("transactions", row.id, row.number or row.id)),
        Column("Kind", lambda row: words_of(str(row.classification))),
        Column("Account", lambda row: link("accounts", row.account_id)),
        Column("Posted", lambda row: day(row.posted_on)),
        Column("Amount", lambda row: money(row.total_minor, row.currency), is_money=True),
        Column("State", lambda row: state(str(row.state))),
    )
    return table_of("Transactions of this amount, the newest first", columns, rows)


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
