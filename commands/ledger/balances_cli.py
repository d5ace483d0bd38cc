"""`accounts statement` and `balance`; and `suspend`, `terminate`, `reactivate`."""

from datetime import date
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, Actor, Json, day_of
from commands.runner import perform
from models.ledger.account import AccountState

app = typer.Typer()

Why = Annotated[str, typer.Option("--reason", help="Why; kept with the account.")]
Csv = Annotated[bool, typer.Option("--csv", help="Write CSV instead of tables.")]


@app.command("statement")
def account_statement(
    account: AccountId,
    since: Annotated[
        date | None, typer.Option("--from", parser=day_of, metavar="DAY", help="First day; else from the beginning.")
    ] = None,
    until: Annotated[
        date | None, typer.Option("--to", parser=day_of, metavar="DAY", help="Last day; else to the newest posting.")
    ] = None,
    as_csv: Csv = False,
    as_json: Json = False,
) -> None:
    """Show an account's postings: opening balance, each posting with the balance after it, closing balance.

    Positive amounts are owed by the customer. What was posted late to an old day stands on that day.
    """
    from commands.ledger.statement import statement

    perform(
        lambda output: statement(output, account, since=since, until=until, as_csv=as_csv),
        as_json=as_json,
    )


@app.command("balance")
def account_balance(
    account: AccountId,
    at: Annotated[
        date | None, typer.Option("--at", parser=day_of, metavar="DAY", help="At the end of this day; else now.")
    ] = None,
    as_csv: Csv = False,
    as_json: Json = False,
) -> None:
    """Show what an account owes, with what is unsettled and outstanding now, or what it owed on a day."""
    from commands.ledger.statement import balance

    perform(lambda output: balance(output, account, on=at, as_csv=as_csv), as_json=as_json)


@app.command("suspend")
@changes()
def suspend_account(account: AccountId, actor: Actor = "", reason: Why = "", as_json: Json = False) -> None:
    """Suspend a customer's account."""
    _change(account, AccountState.SUSPENDED, actor, reason, as_json=as_json)


@app.command("terminate")
@changes(final="A terminated account takes no more invoices and no more payments.")
def terminate_account(account: AccountId, actor: Actor = "", reason: Why = "", as_json: Json = False) -> None:
    """Terminate an account: it takes no new transactions, and money that still arrives goes to suspense."""
    _change(account, AccountState.TERMINATED, actor, reason, as_json=as_json)


@app.command("reactivate")
@changes()
def reactivate_account(account: AccountId, actor: Actor = "", reason: Why = "", as_json: Json = False) -> None:
    """Make a suspended or terminated account active again."""
    _change(account, AccountState.ACTIVE, actor, reason, as_json=as_json)


def _change(account: str, state: AccountState, actor: str, reason: str, *, as_json: bool) -> None:
    from commands.ledger.account_state import change

    perform(lambda output: change(output, account, state, actor=actor, reason=reason), as_json=as_json)
