"""Suspending, terminating and reactivating accounts."""

from activities.ledger.account_queries import AccountQueries
from activities.ledger.client import Ledger
from commands.collection_signals import signal_collections
from commands.output import Output, table
from commands.session import database_of, read_settings
from models.ledger.account import AccountState
from models.problem import refusal


async def change(output: Output, account_id: str, state: AccountState) -> None:
    """Put an account into a state, and signal its collections. The state it has already changes nothing."""
    settings = read_settings()
    async with database_of(settings) as database:
        before = await AccountQueries(database).find(account_id)
        if before is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        is_changed = before.state != state
        if is_changed:
            await Ledger(database).run("set_account_state", account_id=account_id, state=str(state))
        signals = await signal_collections(output, database, settings, [account_id] if is_changed else [])
    rows = [("State", str(state)), ("Was", before.state)]
    output.answer(
        {"account_id": account_id, "state": state, "was": before.state, **signals},
        table("", "Account", account_id, rows=rows),
    )
