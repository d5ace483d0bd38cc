"""Applying merchants, and their reward terms as a list shows them."""

from pathlib import Path
from typing import Any

from sqlalchemy import Row

from activities.documents import read_document
from activities.reductions.merchants import Merchants, MerchantsDocument
from commands.formatting import amount
from commands.output import Output, table
from commands.session import database_of, read_settings


async def apply(output: Output, path: Path) -> None:
    """Apply a document. Raises RefusedError, with nothing written, when it has a problem."""
    settings = read_settings()
    wanted = read_document(path, MerchantsDocument)
    async with database_of(settings) as database:
        await Merchants(database).apply(wanted)
    groups, merchants = [one.id for one in wanted.merchant_groups], [one.id for one in wanted.merchants]
    rows = [("group", one) for one in groups] + [("merchant", one) for one in merchants]
    output.answer({"merchant_groups": groups, "merchants": merchants}, table("", "Kind", "Applied", rows=rows))


def terms_of(row: Row[Any]) -> tuple[object, ...]:
    """Return how a merchant takes part in rewards, as a list shows it."""
    settings = row.settings
    if settings is None or not row.is_effective or not settings["is_effective"]:
        return ("none" if settings is None else "not effective", "", "", "")
    limit = settings["max_award_minor"]
    return (
        f"by {settings['method']}",
        f"{settings['contribution_percent']} %",
        f"{settings['hold_days']} days",
        amount(limit, row.currency) if limit else "no limit",
    )
