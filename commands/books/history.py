"""Showing who has changed what."""

from typing import Any

from activities.books.audit_trail import AuditTrail
from commands.formatting import document, moment
from commands.output import Output, table, to_json
from commands.session import read_settings, reading_database_of


async def show(output: Output, subject: str, *, kind: str, actor: str, limit: int) -> None:
    """Show the newest changes, of one thing or of everything."""
    async with reading_database_of(read_settings()) as database:
        rows = await AuditTrail(database).history(subject, kind=kind, actor=actor, limit=limit)
    shown = [
        (moment(one.made_at), one.subject, one.action, one.actor, one.reason, "; ".join(_words(one.changes)))
        for one in rows
    ]
    output.answer(
        {"changes": [document(one) for one in rows]},
        table("Changes", "At", "Of", "What", "Who", "Why", "Was and is", rows=shown),
    )


def _words(changes: dict[str, Any]) -> list[str]:
    return [
        f"{field}: {to_json(each['was'])} -> {to_json(each['is'])}"
        if isinstance(each, dict) and {"was", "is"} <= each.keys()
        else f"{field}: {to_json(each)}"
        for field, each in sorted(changes.items())
        if not isinstance(each, dict) or not {"was", "is"} <= each.keys() or each["was"] != each["is"]
    ]
