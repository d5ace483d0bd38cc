"""Keeping the recurring revenue of closed months."""

from datetime import UTC, date, datetime

from activities.reports.snapshots import MrrSnapshots
from commands.output import Output, table
from commands.session import database_of, read_settings


async def update(output: Output, since: str | None, *, actor: str, reason: str) -> None:
    """Compute and keep months. Raises RefusedError for one that is not over."""
    first = date.fromisoformat(f"{since}-01") if since else None
    async with database_of(read_settings()) as database:
        kept = await MrrSnapshots(database).update(datetime.now(UTC).date(), since=first, actor=actor, reason=reason)
    rows = [(f"{one.month:%Y-%m}", one.version, _word(one.version, is_new=one.is_new)) for one in kept]
    documents = [{"month": month, "version": version, "change": word} for month, version, word in rows]
    output.answer({"months": documents}, table("", "Month", "Version", "What", rows=rows, right=("Version",)))


def _word(version: int, *, is_new: bool) -> str:
    if not is_new:
        return "unchanged"
    return "kept" if version == 1 else "corrected"
