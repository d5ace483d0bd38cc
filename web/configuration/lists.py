"""Who may use the console, and what was changed of the configuration: each by whom and why."""

from typing import Any

from sqlalchemy import Row

from activities.configuration.definitions import Definitions
from activities.console.users import Users
from activities.database import Database
from activities.listing import Listed
from commands.configuration.tables import changes_in_words
from models.console.roles import ConsoleRole, Permission
from models.listing import ListPage
from web.views.cells import Cell, Column, listed, moment, state, text
from web.views.listing import Filter, Given, ListOfNoun


async def _users(database: Database, page: ListPage, given: Given) -> Listed:
    return await Users(database).page(page, role=given["role"], state=given["state"])


async def _changes(database: Database, page: ListPage, given: Given) -> Listed:
    return await Definitions(database).changes(page, kind=given["kind"], definition_id=given["id"], actor=given["by"])


def _user(row: Row[Any]) -> Cell:
    return Cell(row.id, listed("sign-ins", user=row.id))


USERS = ListOfNoun(
    "users",
    "Users of the console",
    (
        Column("User", _user),
        Column("Role", lambda row: text(row.role)),
        Column("State", lambda row: state(row.state)),
        Column("Merchants", lambda row: text(", ".join(row.merchants) or "all")),
        Column("Since", lambda row: moment(row.created_at)),
        Column("Changed", lambda row: moment(row.changed_at)),
    ),
    (Filter("role", "Role", tuple(map(str, ConsoleRole))), Filter("state", "State", ("active", "disabled"))),
    _users,
    "Nobody may: `duly users add`.",
    permission=Permission.SEE_USERS,
)
CHANGES = ListOfNoun(
    "configuration",
    "Changes of the configuration",
    (
        Column("Changed", lambda row: moment(row.changed_at)),
        Column("Kind", lambda row: text(row.kind.replace("_", " "))),
        Column("Id", lambda row: text(row.id)),
        Column("What", lambda row: text(changes_in_words(row.changes))),
        Column("Version", lambda row: text(row.version), is_number=True),
        Column("By", lambda row: text(row.actor)),
        Column("Why", lambda row: text(row.reason)),
    ),
    (Filter("kind", "Kind"), Filter("id", "Id"), Filter("by", "By")),
    _changes,
    "Nothing has been configured: `duly definitions apply`.",
)
