"""The ledger's functions as commands call them: one call, one commit, refusals as the ledger's own errors."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from activities.database import Database, RuleBrokenError


@dataclass(frozen=True)
class Receipt:
    """What the ledger answers when it has written a transaction; a draft has no number yet (F28, F29)."""

    transaction_id: str
    reference_number: str
    number: str | None
    state: str


@dataclass(frozen=True)
class AnyDay:
    """Who posts on a day that is closed or has not come yet, and why; the ledger knows who has the right to it."""

    actor: str
    reason: str


class Ledger:
    """Writes money. Whatever the ledger refuses is raised as a LedgerError that names the rule."""

    def __init__(self, database: Database, any_day: AnyDay | None = None) -> None:
        self._database = database
        self._any_day = any_day

    async def write(self, function: str, **arguments: Any) -> Receipt:
        """Call a function that answers with a receipt."""
        statement = _call("select * from", function, arguments)
        with naming_the_rule():
            if self._any_day is None:
                rows = await self._database.rows(statement, **arguments)
            else:
                rows = await self._permitted(self._any_day, statement, arguments)
        return Receipt(*tuple(rows[0]))

    async def _permitted(self, any_day: AnyDay, statement: str, arguments: dict[str, Any]) -> Sequence[Any]:
        """Post in the commit that keeps who does so outside the open days, and why."""
        async with self._database.transaction() as connection:
            given = {"actor": any_day.actor, "reason": any_day.reason}
            await connection.execute(text("select duly.permit_any_day(:actor, :reason)"), given)
            return (await connection.execute(text(statement), arguments)).all()

    async def run(self, function: str, **arguments: Any) -> Any:
        """Call a function that answers with one value, or nothing."""
        with naming_the_rule():
            return await self._database.call(function, **arguments)


@contextmanager
def naming_the_rule() -> Iterator[None]:
    """Raise what the database refuses as the ledger's own error."""
    try:
        yield
    except RuleBrokenError as error:
        if error.refused is None:
            raise
        raise error.refused from error


def _call(select: str, function: str, arguments: dict[str, Any]) -> str:
    names = ", ".join(f"p_{name} => :{name}" for name in arguments)
    return f"{select} duly.{function}({names})"
