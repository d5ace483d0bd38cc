"""What is never charged: what is behind `fraud`."""

from datetime import datetime

from activities.payments.charge_blocks import ChargeBlocks
from commands.collection_signals import signal_collections
from commands.formatting import document, moment
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of
from commands.updates import require_who_and_why

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


async def list_blocked(output: Output, *, with_ended: bool) -> None:
    """List the block list."""
    async with reading_database_of(read_settings()) as database:
        rows = await ChargeBlocks(database).listed(with_ended=with_ended)
    shown = [
        (
            row.kind,
            row.value,
            moment(row.blocked_at),
            f"{row.blocked_by}: {row.blocked_because}",
            moment(row.ends_at) if row.ends_at else "",
            f"{moment(row.lifted_at)} {row.lifted_by}: {row.lifted_because}" if row.lifted_at else "",
        )
        for row in rows
    ]
    output.answer(
        {"blocks": [document(row) for row in rows]},
        table("", "Kind", "Value", "Since", "By", "Until", "Taken off", rows=shown),
    )
