"""Giving out what is kept of a person, and erasing it."""

from pathlib import Path

from activities.imports.personal_data import PersonalData
from commands.output import Output, table, to_json
from commands.session import database_of, read_settings, reading_database_of
from commands.updates import require_who_and_why


async def export(output: Output, account: str, file: Path | None) -> None:
    """Write everything that is kept under an account, as JSON, to a file that only its owner reads, or answer it."""
    async with reading_database_of(read_settings()) as database:
        kept = await PersonalData(database).read(account)
    counts = {name: len(rows) for name, rows in kept.items() if isinstance(rows, list)}
    if file is not None:
        _write(file, to_json(kept, indent=2))
    document = {"account": account, "file": str(file), "rows": counts} if file else kept
    output.answer(document, table("", "Kept", "Rows", rows=list(counts.items()), right=("Rows",)))


def _write(file: Path, text: str) -> None:
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(f"{text}\n", encoding="utf-8")


async def erase(output: Output, account: str, *, actor: str, reason: str) -> None:
    """Erase a person's data here, and say who they are at gateways."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database:
        customers = await PersonalData(database).erase(account, actor=actor, reason=reason)
    output.answer(
        {"account": account, "outcome": "erased", "delete_at_gateway": customers},
        table("", "Account", account, rows=[("Account", "erased"), ("Delete at the gateway", ", ".join(customers))]),
    )
