"""What the database's functions lock, and in which order: read from their source.

A row that others refer to is locked `for no key update`: whoever inserts a reference takes `for key share` of it,
which `for update` refuses, so that two who want nothing of each other wait for one another. What is locked before an
account is locked under an account by nobody.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

ACCOUNT = "account_balances"

# Functions that mean to hold up whoever refers to a row, each with why.
HOLDING_UP = {
    "assign_provider": "a customer that is made there at this moment belongs to the account as it was",
    "change_user": "a session that begins at this moment is ended with the others",
    "delete_definition": "deletes the row",
    "remove_passkey": "a session that begins at this moment is ended with the others",
    "start_session": "deletes the rows, and waits for nobody",
}

_STATEMENT = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
_LOCK = re.compile(r"\bfor\s+(no\s+key\s+)?update\b(?:\s+of\s+(\w+))?", re.IGNORECASE)
_TABLE = re.compile(r"\b(?:from|join)\s+duly\.(\w+)\b(?!\s*\()(?:\s+(\w+))?", re.IGNORECASE)
_WRITTEN = re.compile(r"\b(?:update|delete\s+from)\s+duly\.(\w+)", re.IGNORECASE)
_CALL = re.compile(r"\bduly\.(\w+)\s*\(")


@dataclass(frozen=True)
class RowLock:
    """Rows of a table that a statement locks before it changes any; `is_hard`: against who refers to them, too."""

    table: str
    is_hard: bool


def statements(source: str) -> Iterator[str]:
    """Yield the statements of a function without comments and texts."""
    yield from _STATEMENT.sub("", source).split(";")


def locks_of(statement: str) -> Iterator[RowLock]:
    """Yield the rows that a statement locks by name."""
    for soft, alias in _LOCK.findall(statement):
        tables = _TABLE.findall(statement)
        named = [table for table, other in tables if alias and other == alias]
        for table in named or [table for table, _ in tables[:1]]:
            yield RowLock(table, not soft)


def hard_locks(sources: Mapping[str, str], referenced: frozenset[str]) -> list[str]:
    """Return the functions that lock rows harder than whoever refers to them can stand."""
    return sorted(
        f"{name}: {lock.table}"
        for name, source in sources.items()
        for statement in statements(source)
        for lock in locks_of(statement)
        if lock.is_hard and lock.table in referenced and name not in HOLDING_UP
    )


@dataclass
class LockOrder:
    """Which tables are locked or written before an account, and which under one, each with the functions that do."""

    sources: Mapping[str, str]
    before: dict[str, set[str]] = field(default_factory=dict)
    under: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        events = {name: tuple(self._events(name)) for name in self.sources}
        called = {what for found in events.values() for kind, what in found if kind == "call"}
        for name in sorted(set(self.sources) - called):
            first: list[str] = []
            self._walk(name, events, frozenset(), first)
            if ACCOUNT in first:
                place = first.index(ACCOUNT)
                for table in first[:place]:
                    self.before.setdefault(table, set()).add(name)
                for table in first[place + 1 :]:
                    self.under.setdefault(table, set()).add(name)

    def _events(self, name: str) -> Iterator[tuple[str, str]]:
        for statement in statements(self.sources[name]):
            yield from (
                ("call", other) for other in _CALL.findall(statement) if other in self.sources and other != name
            )
            yield from (("row", lock.table) for lock in locks_of(statement))
            yield from (("row", table) for table in _WRITTEN.findall(statement))

    def _walk(
        self, name: str, events: Mapping[str, tuple[tuple[str, str], ...]], above: frozenset[str], first: list[str]
    ) -> None:
        if name in above:
            return
        for kind, what in events[name]:
            if kind == "call":
                self._walk(what, events, above | {name}, first)
            elif what not in first:
                first.append(what)
