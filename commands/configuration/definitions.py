"""Applying and listing the configuration."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rich.table import Table
from sqlalchemy import Row

from activities.configuration.definitions import Definitions
from activities.configuration.document import DefinitionsDocument
from activities.documents import read_document
from commands.formatting import document, moment
from commands.output import Output, table, to_json
from commands.session import database_of, read_settings, reading_database_of
from models.money import Money
from models.runs.criteria import in_words
from models.runs.schedule import calendar_of


async def apply(output: Output, path: Path, *, actor: str, reason: str) -> None:
    """Apply a document. Raises RefusedError, with nothing written, when it has a problem."""
    settings = read_settings()
    wanted = read_document(path, DefinitionsDocument)
    async with database_of(settings) as database:
        changes = await Definitions(database).apply(wanted, actor=actor, reason=reason)
    output.answer(
        {"changes": [{"kind": kind, "id": id, "change": change} for kind, id, change in changes]},
        table("", "Kind", "Id", "Change", rows=changes),
    )


async def switch(output: Output, definition_id: str, state: str, *, actor: str, reason: str) -> None:
    """Make a run definition effective, or not. Raises RefusedError when there is none."""
    async with database_of(read_settings()) as database:
        change = await Definitions(database).switch(definition_id, state, actor=actor, reason=reason)
    output.answer(
        {"definition": definition_id, "state": state, "change": change}, f"{definition_id} is {state}: {change}."
    )


async def delete(output: Output, definition_id: str, *, actor: str, reason: str) -> None:
    """Delete a run definition that was never run. Raises RefusedError for any other one."""
    async with database_of(read_settings()) as database:
        await Definitions(database).delete(definition_id, actor=actor, reason=reason)
    output.answer({"definition": definition_id, "change": "deleted"}, f"Deleted {definition_id}.")


async def history(output: Output, definition_id: str, limit: int) -> None:
    """Show what was changed of a run definition."""
    async with reading_database_of(read_settings()) as database:
        rows = await Definitions(database).history(definition_id, limit)
    shown = [
        (", ".join(map(_changed, row.changes.items())), row.actor, row.reason, moment(row.changed_at)) for row in rows
    ]
    output.answer(
        {"definition": definition_id, "changes": [document(row) for row in rows]},
        table("Changes", "What", "Who", "Why", "When", rows=shown),
    )


def _changed(change: tuple[str, Mapping[str, Any]]) -> str:
    field, each = change
    return f"{field}: {to_json(each['was'])} -> {to_json(each['is'])}"


async def list_all(output: Output) -> None:
    """List everything that is configured."""
    async with reading_database_of(read_settings()) as database:
        found = await Definitions(database).everything()
    output.answer(
        {**{kind: [document(row) for row in rows] for kind, rows in found.items()}, "next": None},
        *(_table(kind, rows) for kind, rows in found.items()),
    )


def _table(kind: str, rows: Sequence[Row[Any]]) -> Table:
    shown = [_SHOWN[kind](row) for row in rows]
    return table(kind.replace("_", " ").capitalize(), *COLUMNS[kind], rows=shown)


def _definition(row: Row[Any]) -> tuple[object, ...]:
    calendar, criteria = calendar_of(row.schedule), in_words(row.criteria)
    runs = calendar.describe() if calendar is not None else "by hand"
    return (
        row.id,
        row.kind,
        row.name,
        row.state,
        row.provider_id,
        ", ".join(row.currencies) or "all",
        row.dunning_policy_id if row.provider_id else None,
        f"{runs}; {criteria}" if criteria else runs,
    )


def _provider(row: Row[Any]) -> tuple[object, ...]:
    currencies = (
        f"{code} from {Money(minimum, code).to_decimal()}" for code, minimum in sorted(row.currencies.items())
    )
    return row.id, row.gateway, row.mode, row.state, row.merchant, ", ".join(currencies)


def _policy(row: Row[Any]) -> tuple[object, ...]:
    return row.id, row.segment or "all", row.version, to_json(row.document) if row.document else "as Duly comes"


COLUMNS = MappingProxyType(
    {
        "tax_rates": ("Id", "Name", "Percent", "Active"),
        "products": ("Id", "Name", "Line", "Tax rate", "Ledger account", "Active"),
        "payment_methods": ("Id", "Name", "Ledger account", "Provider", "Active"),
        "transaction_types": ("Id", "Classification", "Prefix", "Each year anew", "Without gaps", "Active"),
        "providers": ("Id", "Gateway", "Mode", "State", "Merchant", "Currencies"),
        "dunning_policies": ("Id", "Segment", "Version", "Document"),
        "run_definitions": ("Id", "Kind", "Name", "State", "Provider", "Currencies", "Policy", "Runs"),
    }
)
_SHOWN: MappingProxyType[str, Callable[[Row[Any]], Sequence[object]]] = MappingProxyType(
    {
        "tax_rates": lambda row: (row.id, row.name, f"{row.percent:f}".rstrip("0").rstrip("."), _yes(row.is_active)),
        "products": lambda row: (*row[:-1], _yes(row.is_active)),
        "payment_methods": lambda row: (*row[:-1], _yes(row.is_active)),
        "transaction_types": lambda row: (*row[:3], *map(_yes, row[3:])),
        "providers": _provider,
        "dunning_policies": _policy,
        "run_definitions": _definition,
    }
)


def _yes(value: object) -> str:
    return "yes" if value else "no"
