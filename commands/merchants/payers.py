"""Whose payments the platform takes for a merchant, and what of them has not followed to the merchant's account."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from activities.database import Database, RuleBrokenError
from activities.merchants.payers import MerchantPayers
from commands.formatting import document, money
from commands.output import Output, table
from commands.session import database_of, read_settings
from commands.updates import require_who_and_why
from models.problem import refusal


async def assign(output: Output, merchant: str, account: str, actor: str, reason: str) -> None:
    """Let an account's payments be taken for a merchant. Raises RefusedError naming what has to be configured."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database, naming_the_field():
        was_so = await MerchantPayers(database).assign(merchant, account, actor=actor, reason=reason)
    _answer(output, merchant, account, "pays for it", was_so=was_so)


async def release(output: Output, merchant: str, account: str, actor: str, reason: str) -> None:
    """Let an account's payments be the platform's own again."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database, naming_the_field():
        was_so = await MerchantPayers(database).release(merchant, account, actor=actor, reason=reason)
    _answer(output, merchant, account, "does not pay for it", was_so=was_so)


@asynccontextmanager
async def naming_the_field() -> AsyncIterator[None]:
    """Refuse as the database does: its message opens with the field that is wrong."""
    try:
        yield
    except RuleBrokenError as error:
        field, _, message = error.message.partition(": ")
        raise refusal(field, error.type or "database_rule", message) from error


def _answer(output: Output, merchant: str, account: str, what: str, *, was_so: bool) -> None:
    shown = f"{what}, as before" if was_so else what
    output.answer(
        {"merchant_id": merchant, "account_id": account, "was_so_already": was_so},
        table("", "Merchant", merchant, rows=[(account, shown)]),
    )


async def transfers_shown(
    database: Database, merchant: str
) -> tuple[dict[str, object], Sequence[str], Sequence[tuple[str, ...]]]:
    """Return facts of a merchant that the platform pays, what is owed to it, and transfers that have not followed."""
    payers = MerchantPayers(database)
    owed = await payers.owed(merchant)
    unsettled = await payers.unsettled(merchant)
    rows = [
        (
            one.request_id,
            one.state,
            one.code,
            *(money(int(minor), one.currency) for minor in (one.captured_minor, one.refunded_minor, one.lost_minor)),
        )
        for one in unsettled
    ]
    facts: dict[str, object] = {
        "payers": await payers.count(merchant),
        "owed_minor": {one.currency: one.minor for one in owed},
        "unsettled_transfers": [document(one) for one in unsettled],
    }
    return facts, [money(one.minor, one.currency) for one in owed], rows
