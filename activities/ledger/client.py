"""The ledger's functions as commands call them: one call, one commit, refusals as the ledger's own errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from activities.database import Database, RuleBrokenError


@dataclass(frozen=True)
class Receipt:
    """What the ledger answers when it has written a transaction; a draft has no number yet (F28, F29)."""

    transaction_id: str
    reference_number: str
    number: str | None
    state: str


class Ledger:
    """Writes money. Whatever the ledger refuses is raised as a LedgerError that names the rule."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, function: str, **arguments: Any) -> Receipt:
        """Call a function that answers with a receipt."""
        with naming_the_rule():
            rows = await self._database.rows(_call("select * from", function, arguments), **arguments)
        return Receipt(*tuple(rows[0]))

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
