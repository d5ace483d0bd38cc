"""Applying, comparing and listing the configuration."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from activities.configuration.definitions import AppliedDocument, Definitions
from activities.configuration.document import DefinitionsDocument
from activities.documents import read_document
from commands.configuration.exported import exported
from commands.configuration.tables import changes_table, configuration_table
from commands.console.by_two import by_another
from commands.formatting import document, moment
from commands.lists.paging import answer_all
from commands.output import Output, table, to_json
from commands.session import database_of, read_settings, reading_database_of
from models.problem import Problem, RefusedError, refusal


async def apply(output: Output, path: Path, *, actor: str, reason: str) -> None:
    """Apply a document. Raises RefusedError, with nothing written, when it has a problem."""
    settings = read_settings()
    wanted = read_document(path, DefinitionsDocument)
    await _require_templates(wanted)
    rules = wanted.approval_rules.stored() if wanted.approval_rules else {}
    async with (
        database_of(settings) as database,
        by_another(
            database, "approval_rules", lambda approvals, _: approvals.ask_limits(rules, user_id=actor, reason=reason)
        ),
    ):
        applied = await Definitions(database).apply(wanted, actor=actor, reason=reason)
    answer_applied(output, applied)


def answer_applied(output: Output, applied: AppliedDocument) -> None:
    """Answer with what a document changed, and as which version it is kept."""
    version = f"This is version {applied.version}." if applied.version else "Nothing has changed."
    output.answer(
        {"version": applied.version or None, "changes": _parts(applied)},
        table("", "Kind", "Id", "Change", rows=applied.changes),
        version,
    )


async def diff(output: Output, path: Path) -> None:
    """Show what applying a document would change. Raises RefusedError when it has a problem."""
    settings = read_settings()
    wanted = read_document(path, DefinitionsDocument)
    await _require_templates(wanted)
    async with database_of(settings) as database:
        applied = await Definitions(database).diff(wanted)
    fields = [{"kind": row.kind, "id": row.id, "changes": row.changes} for row in applied.fields]
    shown = changes_table("What would change", applied.fields, is_history=False)
    output.answer({"changes": _parts(applied), "fields": fields}, shown if fields else "Nothing would change.")


async def _require_templates(wanted: DefinitionsDocument) -> None:
    """Try the sellers' own templates. Raises RefusedError for one that would leave something out of a document."""
    if not any(seller.templates for seller in wanted.sellers):
        return
    from activities.printouts.own.checking import problems_of_templates  # it loads all that prints

    problems = [
        Problem(f"sellers.{position}.templates.{name}", "template_fits", problem)
        for position, seller in enumerate(wanted.sellers)
        for name, problem in await asyncio.to_thread(list, problems_of_templates(seller.templates))
    ]
    if problems:
        raise RefusedError(problems)


def _parts(applied: AppliedDocument) -> list[dict[str, Any]]:
    return [{"kind": kind, "id": id, "change": change} for kind, id, change in applied.changes]


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


async def history(output: Output, definition_id: str, kind: str, limit: int) -> None:
    """Show what was changed of one part of the configuration, or of everything. Raises RefusedError for no table."""
    if kind:
        _require_table(kind, DefinitionsDocument.model_fields.keys() - {"whole"})
    async with reading_database_of(read_settings()) as database:
        rows = await Definitions(database).history(definition_id, kind, limit)
    output.answer(
        {"definition": definition_id or None, "changes": [document(row) for row in rows]},
        changes_table("Changes", rows),
    )


async def show(output: Output, version: int) -> None:
    """Show a document that changed the configuration. Raises RefusedError for none."""
    async with reading_database_of(read_settings()) as database:
        row = await Definitions(database).version(version)
    output.answer(
        document(row),
        f"Version {row.version}, applied by {row.actor} at {moment(row.applied_at)}: {row.reason or 'no reason given'}",
        to_json(row.document),
    )


async def export(output: Output) -> None:
    """Give out what is configured as a document."""
    async with reading_database_of(read_settings()) as database:
        found = await Definitions(database).everything()
    output.answer(exported(found))


async def list_all(output: Output, kind: str) -> None:
    """List everything that is configured, or one table of it. Raises RefusedError for no table."""
    async with reading_database_of(read_settings()) as database:
        found = await Definitions(database).everything()
    if kind:
        _require_table(kind, found)
        rows = found[kind]
        answer_all(output, kind, [document(row) for row in rows], configuration_table(kind, rows))
        return
    output.answer(
        {**{kind: [document(row) for row in rows] for kind, rows in found.items()}, "next": None},
        *(configuration_table(kind, rows) for kind, rows in found.items()),
    )


def _require_table(kind: str, tables: Iterable[str]) -> None:
    if kind not in (known := sorted(tables)):
        raise refusal("kind", "table_exists", f"a document has no table {kind!r}; it has {', '.join(known)}")
