"""Examining fonts: what customers are called is shown on their documents."""

from collections.abc import AsyncIterator

from sqlalchemy import select

from activities.database import Database
from activities.reports.glyphs import CJK_PACKAGE, shows_cjk
from commands.operations.checks.finding import Finding, warning
from models.ledger.account import AccountKind
from models.tables.accounts import AccountRow

# Hangul, and what Chinese and Japanese are written in.
_NAMED_SO = (
    select(AccountRow.id)
    .where(
        AccountRow.kind == AccountKind.CUSTOMER,
        AccountRow.owner_name.op("~")(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]"),
    )
    .limit(1)
)


async def examine_fonts(database: Database) -> AsyncIterator[Finding]:
    """Yield what PDFs of documents would show as `?`. Nothing where they show all that these names have."""
    if not shows_cjk() and await database.read(_NAMED_SO):
        found = "customers have Chinese, Japanese or Korean names, and PDFs of their documents show ? for them"
        yield warning("fonts", found, f"install {CJK_PACKAGE} where workers, console and portal run")
