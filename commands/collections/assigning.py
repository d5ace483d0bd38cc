"""`collections assign`: who looks after a collection. Its workflow goes on as it did."""

from activities.collections.queries import CollectionQueries
from commands.output import Output, table
from commands.session import database_of, read_settings


async def assign(output: Output, account_id: str, period: str, user: str, *, actor: str, seen: str = "") -> None:
    """Let a user look after an open collection; "" nobody any more. `seen` is whose it was when its asker looked.

    Raises RuleBrokenError: there is no such collection or active user, it is over, the user could not look after it, or
    it is somebody else's by now.
    """
    user = user.strip().lower()
    async with database_of(read_settings()) as database:
        await CollectionQueries(database).assign(account_id, period, user, actor=actor, seen=seen)
    document = {"account": account_id, "period": period, "assigned_to": user}
    output.answer(document, table("", "Looked after by", user or "nobody", rows=()))
