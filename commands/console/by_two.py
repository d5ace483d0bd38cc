"""What changes limits and users by two people: it is asked for when one person alone is refused."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from activities.console.approvals import Approvals
from activities.database import Database, RuleBrokenError
from commands.changing.changes import KeptCommand, kept_command
from models.problem import refusal

RULE = "change_by_two"
_NOBODY = KeptCommand("", "", "", "")


def giver() -> KeptCommand:
    """Return the command that runs, for who gives it and why."""
    return kept_command() or _NOBODY


@asynccontextmanager
async def by_another(
    database: Database, subject: str, ask: Callable[[Approvals, KeptCommand], Awaitable[str]]
) -> AsyncIterator[None]:
    """Ask another person for a change that its actor may not make alone. Raises RefusedError (change_by_two).

    Nothing of it is kept but what it gives: once it is approved the same command makes it, by the same actor.
    """
    try:
        yield
    except RuleBrokenError as error:
        if error.type != RULE:
            raise
        id = await ask(Approvals(database), giver())
        raise refusal(
            "actor", RULE, f"{subject} is changed by two people: waits as {id}; once another has approved it, ask again"
        ) from error
