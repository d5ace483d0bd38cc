"""Views of the console's lists that people keep under a name: their own, and those that are shared with all."""

from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import normalize

from sqlalchemy import Row, func, or_, select

from activities.database import Database
from models.card_number import NO_CARD_NUMBER, REFUSED, holds_card_number
from models.console.console_user import ConsoleUser
from models.console.roles import Permission
from models.printable import NOT_PRINTABLE, TEXT_PRINTABLE, is_one_line
from models.problem import Problem, RefusedError
from models.tables.console.lists import SavedViewRow

NAME_MAX = 60
FILTERS_MAX = 2000


class SavedViews:
    """Keeps views of lists, and reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, user: ConsoleUser, list_: str) -> Sequence[Row[Any]]:
        """Return a user's own views of a list, and behind them the shared ones, by name.

        Who is limited to merchants sees none that is shared: those of the house name accounts of others.
        """
        row = SavedViewRow
        own = (row.saved_by == user.id) & ~row.is_shared
        seen = own if user.merchants else or_(own, row.is_shared)
        return await self._database.read(
            select(row.id, row.name, row.filters, row.is_shared, row.saved_by, row.changed_at)
            .where(row.list == list_, seen)
            .order_by(row.is_shared, func.lower(row.name), row.id)
        )

    async def save(
        self, user: ConsoleUser, list_: str, name: str, filters: Mapping[str, str], *, is_shared: bool
    ) -> None:
        """Keep the filters of a list under a name; the same again changes nothing.

        Raises RefusedError: name or filters are none to be kept, or the role may not share. RuleBrokenError: the name
        is taken (view_name_is_new), or there are 20 own or 50 shared views of the list (views_are_few).
        """
        name = normalize("NFC", name)
        problems = [*_problems("name", name, NAME_MAX), *_problems("filters", " ".join(filters.values()), FILTERS_MAX)]
        if not filters:
            problems.append(Problem("filters", "view_has_filters", "filter the list first: a view keeps its filters"))
        if is_shared and not user.may(Permission.SHARE_VIEWS):
            problems.append(
                Problem("shared", "shared_views_are_administrators", f"is for administrators; {user.id} is {user.role}")
            )
        if problems:
            raise RefusedError(problems)
        given = dict(filters)
        await self._database.call(
            "save_view", list=list_, name=name, filters=given, is_shared=is_shared, user_id=user.id
        )

    async def rename(self, user: ConsoleUser, id: str, name: str) -> None:
        """Give a view another name. Raises RefusedError: it is no name; RuleBrokenError: taken, gone or another's."""
        name = normalize("NFC", name)
        if problems := _problems("name", name, NAME_MAX):
            raise RefusedError(problems)
        may_share = user.may(Permission.SHARE_VIEWS)
        await self._database.call("rename_view", id=id, name=name, user_id=user.id, may_share=may_share)

    async def delete(self, user: ConsoleUser, id: str) -> None:
        """Delete a view; one that is gone is deleted. Raises RuleBrokenError: it is another's, or shared."""
        may_share = user.may(Permission.SHARE_VIEWS)
        await self._database.call("delete_view", id=id, user_id=user.id, may_share=may_share)


def _problems(name: str, text: str, most: int) -> list[Problem]:
    """Return what is wrong with a text before it is kept. It stands in one line, so it has no breaks either."""
    found = []
    if name == "name" and not text:
        found.append(Problem(name, "field_given", "must be given"))
    if len(text) > most:
        found.append(Problem(name, "text_length", f"has {len(text)} characters, at most {most}"))
    if holds_card_number(text):
        found.append(Problem(name, NO_CARD_NUMBER, REFUSED))
    if not is_one_line(text):
        found.append(Problem(name, TEXT_PRINTABLE, NOT_PRINTABLE))
    return found
