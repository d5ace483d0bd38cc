"""What is never charged, and what a rule holds: what is behind `fraud`."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from activities.payments.charge_blocks import ChargeBlocks
from activities.payments.charge_holds import ChargeHolds
from activities.payments.orders import PaymentOrders
from commands.collection_signals import signal_collections
from commands.formatting import moment, money
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of
from commands.updates import require_who_and_why
from models.listing import ListPage
from models.payments.hold import hold_in_words
from models.payments.order import amount_of

# What a collection that waits for a block or a hold listens to.
HOLD_RELEASED = "hold_released"


async def block(output: Output, kind: str, value: str, until: datetime | None, actor: str, reason: str) -> None:
    """Put something on the block list. Raises RefusedError naming what is wrong with it."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database:
        added = await ChargeBlocks(database).block(kind, value, ends_at=until, actor=actor, reason=reason)
    what = "blocked" if added["is_new"] else "blocked already, with its terms as they were"
    output.answer(added, table("", "Block list", added["kind"], rows=[(added["value"], what)]))


async def unblock(output: Output, kind: str, value: str, actor: str, reason: str) -> None:
    """Take something off the block list, and let an account's collections go on."""
    require_who_and_why(actor, reason)
    settings = read_settings()
    async with database_of(settings) as database:
        lifted = await ChargeBlocks(database).unblock(kind, value, actor=actor, reason=reason)
        signalled = (
            await signal_collections(output, database, settings, [lifted["value"]], signal=HOLD_RELEASED)
            if kind == "account"
            else {}
        )
    what = "not blocked any more" if lifted["was_blocked"] else "was not blocked"
    output.answer({**lifted, **signalled}, table("", "Block list", kind, rows=[(lifted["value"], what)]))


async def list_blocked(output: Output, page: ListPage, *, state: str) -> None:
    """List a page of the block list, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await ChargeBlocks(database).page(page, state=state)
    columns = {
        "Kind": lambda row: row.kind,
        "Value": lambda row: row.value,
        "State": state_word,
        "Since": lambda row: moment(row.blocked_at),
        "By": lambda row: f"{row.blocked_by}: {row.blocked_because}",
        "Until": lambda row: moment(row.ends_at) if row.ends_at else "",
        "Taken off": lambda row: (
            f"{moment(row.lifted_at)} {row.lifted_by}: {row.lifted_because}" if row.lifted_at else ""
        ),
    }
    await answer_list(output, settings, "blocks", listed, columns)


async def release(output: Output, account: str, period: str, amount: str, actor: str, reason: str) -> None:
    """Release what a rule holds, for its amount alone, and let its collection go on. Raises RefusedError."""
    require_who_and_why(actor, reason)
    settings = read_settings()
    async with database_of(settings) as database:
        payer = await PaymentOrders(database).payer(account)
        asked = amount_of(amount, payer.currency)
        released = await ChargeHolds(database).release(
            account, period, asked.amount_minor if asked else None, actor=actor, reason=reason
        )
        signalled = await signal_collections(output, database, settings, [account], signal=HOLD_RELEASED)
    over = released["over_because"]
    what = f"was not held any more: {over}" if over else "released before" if released["was_so"] else "released"
    why = hold_in_words(released["because"], released["figures"], released["amount_minor"], released["currency"])
    cells = [(money(released["amount_minor"], released["currency"]), what), (f"rule {released['rule']}", why)]
    output.answer({**released, **signalled}, table("", "Hold", f"{account} {period}", rows=cells))


async def list_held(output: Output, page: ListPage, *, state: str) -> None:
    """List a page of what rules hold, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await ChargeHolds(database).page(page, state=state)
    columns = {
        "Account": lambda row: row.account_id,
        "Period": lambda row: row.period,
        "Amount>": lambda row: money(row.amount_minor, row.currency),
        "State": state_word,
        "Rule": lambda row: f"{row.rule_id}: {_why(row)}",
        "Since": lambda row: moment(row.held_at),
        "Goes on by itself": lambda row: moment(row.ends_at) if row.ends_at and not row.released_at else "",
        "Released": lambda row: (
            f"{moment(row.released_at)} {row.released_by}: {row.released_because}" if row.released_at else ""
        ),
    }
    await answer_list(output, settings, "holds", listed, columns, also=lambda row: {"why": _why(row)})


def _why(row: Row[Any]) -> str:
    return hold_in_words(row.because, row.figures, row.amount_minor, row.currency)
