"""Setting an account's postal address."""

from activities.printouts.addresses import PostalAddresses
from commands.output import Output
from commands.session import database_of, read_settings
from commands.updates import require_who_and_why
from models.printouts.address import PostalAddress


async def set_one(output: Output, account: str, address: PostalAddress | None, *, actor: str, reason: str) -> None:
    """Set or take away the address of an account."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database:
        is_changed = await PostalAddresses(database).set(account, address, actor=actor, reason=reason)
    outcome = ("changed" if is_changed else "unchanged") if address else ("removed" if is_changed else "none")
    output.answer({"account": account, "address": outcome}, f"{account}: address {outcome}.")
