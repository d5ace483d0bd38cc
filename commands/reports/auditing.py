"""The auditors' export: transactions, lines, transfers and seals as CSV in a folder, in one state of the books."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from activities.reports.queries import report_reader
from activities.reports.running import run_with
from activities.reports.text_files import CsvReport, tie_lines
from commands.output import ExitCode, Output, table, to_json
from commands.session import read_settings, reading_database_of
from models.problem import refusal
from models.reports.builtin import AUDIT
from models.reports.periods import DaySpan
from models.reports.result import ReportFoot

MANIFEST = "manifest.json"
_EVERY_DAY = DaySpan(date(1900, 1, 1), date(2999, 12, 31))


async def export(output: Output, folder: Path, first: date | None, last: date | None) -> None:
    """Write the files and a list of them with their hashes. Raises RefusedError for a folder that has files in it."""
    at = datetime.now(UTC)
    days = DaySpan(first or _EVERY_DAY.first, last or _EVERY_DAY.last)
    if days.first > days.last:
        raise refusal("from", "from_before_to", f"{first} is after {last}")
    _require_empty(folder)
    feet: dict[str, ReportFoot] = {}
    async with reading_database_of(read_settings()) as database, report_reader(database) as reader:
        for definition in AUDIT:
            path = folder / f"{definition.id}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                known = definition.over(days.first, days.last, at.date())
                feet[path.name] = await run_with(reader, known, CsvReport(file), today=at.date(), at=at)
    documents = [_document(folder / name, foot) for name, foot in feet.items()]
    manifest = {"at": at, "from": days.first, "to": days.last, "files": documents}
    (folder / MANIFEST).write_text(to_json(manifest, indent=2) + "\n", encoding="utf-8")
    rows = [(one["file"], one["rows"], one["sha256"]) for one in documents]
    ties = [line for foot in feet.values() for line in tie_lines(foot)]
    output.answer(manifest, table("", "File", "Rows", "SHA-256", rows=rows, right=("Rows",)), *ties)
    if not all(foot.is_good for foot in feet.values()):
        output.exit_code = ExitCode.REFUSED


def _require_empty(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise refusal("folder", "folder_writable", f"{folder}: {error.strerror}") from error
    if not is_empty:
        raise refusal("folder", "folder_is_empty", f"{folder} has files in it: what auditors have is not written over")


def _document(path: Path, foot: ReportFoot) -> Mapping[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    ties = [one.as_document() for one in foot.ties]
    return {"file": path.name, "rows": foot.rows, "sha256": digest, "ties": ties}
