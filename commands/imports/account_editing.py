"""Creating and editing one account."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from babel.localedata import locale_identifiers

from activities.imports.account_editing import AccountEditing
from activities.imports.account_import import read_reference
from commands.output import Output, table
from commands.session import database_of, read_settings
from commands.updates import require_who_and_why
from settings import time_zones


async def create(output: Output, given: Mapping[str, str], *, actor: str, reason: str) -> None:
    """Create an account of the columns that are given. Creating the same again changes nothing."""
    require_who_and_why(actor, reason)
    async with _editing() as editing:
        is_new = await editing.create(given, actor=actor, reason=reason)
    _answer(output, given["account_id"], "created" if is_new else "unchanged")


async def edit(
    output: Output,
    account: str,
    given: Mapping[str, str],
    clear: frozenset[str],
    *,
    actor: str,
    reason: str,
    expected: Mapping[str, str] | None = None,
) -> None:
    """Change what is given of an account; what is neither given nor cleared stays.

    Where fields as they were seen are `expected`, one that another has changed since is refused.
    """
    require_who_and_why(actor, reason)
    async with _editing() as editing:
        is_changed = await editing.edit(account, given, clear, actor=actor, reason=reason, expected=expected)
    _answer(output, account, "changed" if is_changed else "unchanged")


@asynccontextmanager
async def _editing() -> AsyncIterator[AccountEditing]:
    settings = read_settings()
    async with database_of(settings) as database:
        reference = await read_reference(
            database,
            time_zones=time_zones(),
            locales=frozenset(locale_identifiers()),
            provider=settings.provider,
        )
        yield AccountEditing(database, reference)


def _answer(output: Output, account: str, outcome: str) -> None:
    view = table("", "Account", account, rows=[("Account", outcome)])
    output.answer({"account": account, "outcome": outcome}, view)
