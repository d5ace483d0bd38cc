"""The timeline of an account: all that has happened to it in one list, newest first."""

from starlette.responses import Response

from activities.console.timeline import KINDS, AccountTimeline
from activities.database import Database
from activities.ledger.account_queries import AccountQueries
from activities.listing import Listed
from models.listing import ListPage
from models.problem import refusal
from web.context import Visit
from web.views.cells import Cell, Column, address, listed, moment, money, table_of, text
from web.views.listing import Filter, Given, ListOfNoun
from web.views.objects import show_part

_SHOWN = 20


def _shown(row: object) -> Cell:
    noun, id, known = (str(getattr(row, name) or "") for name in ("noun", "id", "shown"))
    shown = known.replace("_", " ") or id
    return Cell(shown, address(noun, id)) if noun and id else text(shown)


_COLUMNS = (
    Column("When", lambda row: moment(row.at)),
    Column("What", lambda row: text(row.kind)),
    Column("Of", _shown),
    Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
    Column("Balance after", lambda row: money(row.balance_minor, row.currency), is_money=True),
    Column("Who", lambda row: text(row.actor)),
)


async def _timeline(database: Database, page: ListPage, given: Given) -> Listed:
    return await AccountTimeline(database).page(given["account"], page, kind=given["kind"])


TIMELINE = ListOfNoun(
    "timeline",
    "What has happened to an account",
    _COLUMNS,
    (Filter("account", "Account"), Filter("kind", "What", KINDS)),
    _timeline,
    "Nothing has happened yet.",
    required="account",
)


async def account_timeline(visit: Visit) -> Response:
    """Show the newest of an account's timeline, as a part of its page."""
    id = visit.request.path_params["id"]
    if await AccountQueries(visit.web.reading).find(id) is None:
        raise refusal("account", "account_exists", f"there is no account {id!r}")
    found = await AccountTimeline(visit.web.reading).page(id, ListPage(limit=_SHOWN, is_totalled=False))
    more = listed("timeline", account=id)
    return show_part(visit, (table_of("What has happened", _COLUMNS, found.rows, empty=TIMELINE.empty, more=more),))
