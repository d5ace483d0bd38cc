"""Passkeys of the console's users: shown and removed."""

from activities.console.passkeys import Passkeys
from commands.formatting import document, moment
from commands.lists.paging import answer_all
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of


async def list_all(output: Output, user: str) -> None:
    """List passkeys, the newest first; those that were removed, and by whom, as well."""
    async with reading_database_of(read_settings()) as database:
        found = await Passkeys(database).every(user)
    columns = ("Passkey", "User", "Name", "On", "Added", "Used", "Removed", "By")
    rows = [
        (
            *(row.id, row.user_id, row.name, "several devices" if row.is_synced else "one device"),
            *(moment(row.created_at), moment(row.used_at), moment(row.removed_at), row.removed_by),
        )
        for row in found
    ]
    answer_all(output, "passkeys", [document(row) for row in found], table("", *columns, rows=rows))


async def remove(output: Output, user: str, passkey: str, *, is_last: bool, actor: str) -> None:
    """Remove a passkey of a user, whose sessions by passkey end. Raises RuleBrokenError: none, or the last way in."""
    settings = read_settings()
    async with database_of(settings) as database:
        await Passkeys(database).remove(
            passkey, user, actor, is_last=is_last, has_provider=bool(settings.console_oidc_issuer)
        )
    shown = table("", "Passkey", passkey, rows=[("User", user), ("State", "removed")])
    output.answer({"passkey": passkey, "user": user, "state": "removed"}, shown)
