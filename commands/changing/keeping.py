"""Keeping a command: a row before its work begins, and what became of it after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from activities.database import Database, DatabaseUnavailableError, RuleBrokenError, SchemaMismatchError
from activities.supervision.commands import CommandRecords
from commands.changing.changes import KeptCommand
from commands.output import ExitCode, Failure, Output
from commands.session import read_settings, unfenced_database_of
from models.ledger.refusals import LedgerError
from models.problem import RefusedError, refusal

SYSTEM = "system"
_AWAY = (DatabaseUnavailableError, SchemaMismatchError)
_REFUSALS = (RefusedError, LedgerError, RuleBrokenError)


@asynccontextmanager
async def keeping(command: KeptCommand, output: Output) -> AsyncIterator[None]:
    """Keep a command around its work. Without a database it goes on: a run is paused all the same.

    Raises RefusedError (actor_is_person): under that name stands what goes by itself, which no limit counts.
    """
    if command.actor.strip().lower() == SYSTEM:
        raise refusal("actor", "actor_is_person", f"{SYSTEM} is who does what goes by itself: name who asks")
    async with unfenced_database_of(read_settings()) as database:
        id_ = await _begin(database, command, output)
        outcome = "failed"
        try:
            yield
            outcome = "done" if output.exit_code is ExitCode.OK else "refused"
        except _REFUSALS:
            outcome = "refused"
            raise
        except Failure as failure:
            outcome = "refused" if failure.code is ExitCode.REFUSED else "failed"
            raise
        finally:
            await _end(database, id_, outcome, output)


async def _begin(database: Database, command: KeptCommand, output: Output) -> int | None:
    try:
        return await CommandRecords(database).begin(
            name=command.name, subject=command.subject, actor=command.actor, reason=command.reason
        )
    except _AWAY as error:
        output.note(f"Who and why is not kept: {error}")
        return None


async def _end(database: Database, id_: int | None, outcome: str, output: Output) -> None:
    if id_ is None:
        return
    try:
        await CommandRecords(database).end(id_, outcome)
    except _AWAY as error:
        output.note(f"What became of it is not kept: {error}")
