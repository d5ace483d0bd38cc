"""Suspending, terminating and reactivating accounts."""

import getpass

from activities.ledger.account_queries import AccountQueries
from activities.ledger.client import Ledger
from commands.collection_signals import signal_collections
from commands.output import Output, table
from commands.session import database_of, read_settings
from models.ledger.account import AccountState
from models.problem import refusal

NO_REASON = "not given"


async def change(output: Output, account_id: str, state: AccountState, *, actor: str, reason: str) -> None:
    """Put an account into a state, keep who did it and why, and signal its collections.

    The state it has already changes nothing.
    """
    settings = read_settings()
    async with database_of(settings) as database:
        before = await AccountQueries(database).find(account_id)
        if before is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        is_changed = before.state != state
        if is_changed:
            await Ledger(database).run(
                "change_account_state",
                account_id=account_id,
                state=str(state),
                actor=actor or getpass.getuser(),
                reason=reason or NO_REASON,
            )
        signals = await signal_collections(output, database, settings, [account_id] if is_changed else [])
    rows = [("State", str(state)), ("Was", before.state)]
    output.answer(
        {"account_id": account_id, "state": state, "was": before.state, **signals},
        table("", "Account", account_id, rows=rows),
    )
