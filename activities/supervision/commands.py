"""Commands of the command line as they are kept: who changed what, when and why."""

from sqlalchemy import Text, cast, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.tables.operations import CommandRow

_COMMANDS = select(
    CommandRow.id,
    CommandRow.name,
    CommandRow.subject,
    CommandRow.actor,
    CommandRow.reason,
    CommandRow.outcome,
    CommandRow.given_at,
    CommandRow.ended_at,
)
_LIST = NewestFirst(_COMMANDS, moment=CommandRow.given_at, key=cast(CommandRow.id, Text), state=CommandRow.outcome)


class CommandRecords:
    """Keeps commands, and lists them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, *, name: str, subject: str, actor: str, reason: str) -> int:
        """Keep a command before its work begins; return its id."""
        return int(await self._database.call("begin_command", name=name, subject=subject, actor=actor, reason=reason))

    async def end(self, id: int, outcome: str) -> None:
        """Keep what became of a command."""
        await self._database.call("end_command", id=id, outcome=outcome)

    async def page(self, page: ListPage, *, actor: str, name: str, outcome: str) -> Listed:
        """Return a page of commands, the newest first; empty filters let all through."""
        filters = (
            *matching(CommandRow.actor, actor),
            *matching(CommandRow.name, name),
            *matching(CommandRow.outcome, outcome),
        )
        return await _LIST.page(self._database, page, *filters)
