"""A line in the log for each command of the command line: which, about what, by whom, and what became of it."""

import asyncio
from typing import NoReturn

from activities.business_events import announce
from activities.database import Database
from activities.events.repeated_task import RepeatedTask
from models.operations.business_events import CommandEnded

EVERY_SECONDS = 15.0
PAGE = 200


class CommandLines:
    """Logs commands as their rows have them. Of several workers each row is one's alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def log(self) -> int:
        """Log what is over and not logged yet; return how many lines that were."""
        rows = await self._database.rows("select * from duly.commands_to_log(:limit)", limit=PAGE)
        for row in sorted(rows, key=lambda one: one.id):
            announce(CommandEnded(row.id, row.name, row.subject, row.actor, row.outcome))
        return len(rows)

    def begin(self) -> "asyncio.Task[NoReturn]":
        """Log again and again, once the process has said that it has started."""
        return asyncio.create_task(self._log_again())

    async def _log_again(self) -> NoReturn:
        await asyncio.sleep(EVERY_SECONDS)
        await RepeatedTask("commands_log", self.log, every_seconds=EVERY_SECONDS).run()
