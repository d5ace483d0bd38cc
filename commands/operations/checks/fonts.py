"""Examining fonts: what customers are called is shown on their documents."""

from collections.abc import AsyncIterator

from sqlalchemy import Select, select

from activities.database import Database
from activities.reports.glyphs import CJK_PACKAGE, EMOJI_PACKAGE, shows_cjk, shows_emoji
from commands.operations.checks.finding import Finding, warning
from models.ledger.account import AccountKind
from models.tables.accounts import AccountRow

# Hangul, and what Chinese and Japanese are written in.
_IN_CJK = r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]"
_WITH_EMOJI = r"[\u2600-\u27bf\U0001f000-\U0001faff]"


async def examine_fonts(database: Database) -> AsyncIterator[Finding]:
    """Yield what PDFs of documents would show as `?`. Nothing where they show all that these names have."""
    for is_shown, pattern, what, package in (
        (shows_cjk(), _IN_CJK, "Chinese, Japanese or Korean names", CJK_PACKAGE),
        (shows_emoji(), _WITH_EMOJI, "names with emoji", EMOJI_PACKAGE),
    ):
        if not is_shown and await database.read(_named(pattern)):
            found = f"customers have {what}, and PDFs of their documents show ? for them"
            yield warning("fonts", found, f"install {package} where workers, console and portal run")


def _named(pattern: str) -> Select[str]:
    is_named_so = AccountRow.owner_name.op("~")(pattern)
    return select(AccountRow.id).where(AccountRow.kind == AccountKind.CUSTOMER, is_named_so).limit(1)
