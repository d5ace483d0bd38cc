"""Applying and listing merchants."""

from pathlib import Path
from typing import Any

from sqlalchemy import Row

from activities.documents import read_document
from activities.reductions.merchants import Merchants, MerchantsDocument
from commands.formatting import amount, document
from commands.lists.paging import answer_all
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of


async def apply(output: Output, path: Path) -> None:
    """Apply a document. Raises RefusedError, with nothing written, when it has a problem."""
    settings = read_settings()
    wanted = read_document(path, MerchantsDocument)
    async with database_of(settings) as database:
        await Merchants(database).apply(wanted)
    groups, merchants = [one.id for one in wanted.merchant_groups], [one.id for one in wanted.merchants]
    rows = [("group", one) for one in groups] + [("merchant", one) for one in merchants]
    output.answer({"merchant_groups": groups, "merchants": merchants}, table("", "Kind", "Applied", rows=rows))


async def list_all(output: Output) -> None:
    """List every merchant."""
    async with reading_database_of(read_settings()) as database:
        rows = await Merchants(database).everything()
    shown = [(row.id, row.name, row.group_id, row.currency, row.account_id, *_terms(row)) for row in rows]
    heads = ("Merchant", "Name", "Group", "Currency", "Account", "Reductions", "Bears", "Hold", "Most an award")
    answer_all(output, "merchants", [document(row) for row in rows], table("", *heads, rows=shown))


def _terms(row: Row[Any]) -> tuple[object, ...]:
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
