"""`wallets`: what accounts have paid in advance."""

from datetime import date
from typing import Annotated

import typer

from commands.changing.changes import Reason, changes
from commands.options import AccountId, Actor, Json, Since, Until, day_of
from commands.runner import perform

app = typer.Typer(help="Wallets: what accounts have paid in advance, and what it was spent on.", no_args_is_help=True)

Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="In major units of the account's currency: 50.00.")]
WalletType = Annotated[str, typer.Option("--type", help="Type of wallet transaction, of the definitions.")]
RequestId = Annotated[str, typer.Option("--id", help="Your own id: the same under the same id is done once.")]


@app.command("show")
def show_wallet(account: AccountId, as_json: Json = False) -> None:
    """Show what is in a wallet, and what is left of each credit in the order in which it is spent."""
    from commands.wallets.wallets import show

    perform(lambda output: show(output, account), as_json=as_json)


@app.command("credit")
@changes()
def credit_wallet(
    account: AccountId,
    amount: Amount,
    *,
    type: WalletType,
    id: RequestId = "",
    expires_on: Annotated[
        date | None,
        typer.Option(
            "--expires-on", parser=day_of, metavar="DAY", help="Last day on which it can be spent; else by type."
        ),
    ] = None,
    actor: Actor = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Credit a wallet. Where the type has a product, the account is invoiced for it; else it is a present."""
    from commands.wallets.wallets import WalletMove, credit

    asked = WalletMove(account, amount, type, id, actor, reason)
    perform(lambda output: credit(output, asked, expires_on), as_json=as_json)


@app.command("debit")
@changes()
def debit_wallet(
    account: AccountId,
    amount: Amount,
    *,
    type: WalletType,
    invoice: Annotated[
        list[str] | None, typer.Option("--invoice", help="Pay this invoice first; may be given several times.")
    ] = None,
    id: RequestId = "",
    actor: Actor = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Debit a wallet: buy what the type invoices, or pay what the account owes. Never more than is in it."""
    from commands.wallets.wallets import WalletMove, debit

    asked = WalletMove(account, amount, type, id, actor, reason)
    perform(lambda output: debit(output, asked, invoice or []), as_json=as_json)


@app.command("pay")
@changes()
def pay_services(
    account: AccountId,
    amount: Amount,
    *,
    method: Annotated[str, typer.Option("--method", help="How the money came: a payment method of no provider.")],
    type: WalletType,
    service: Annotated[
        list[str] | None,
        typer.Option("--service", help="A subscription of the account; may be given several times. Without: all."),
    ] = None,
    id: RequestId = "",
    actor: Actor = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Book a payment for subscriptions: it settles their invoices, and what is left funds the wallet by the type."""
    from commands.wallets.wallets import WalletMove, pay

    asked = WalletMove(account, amount, type, id, actor, reason)
    perform(lambda output: pay(output, asked, method, service or []), as_json=as_json)


@app.command("void")
@changes(final="A voided wallet transaction stays voided, and its invoice and payment cancelled.")
def void_wallet_transaction(
    wallet_transaction: Annotated[
        str, typer.Argument(metavar="WALLET_TRANSACTION", help="Number or id: WAL-0000000001, wt_1.")
    ],
    *,
    id: RequestId = "",
    actor: Actor = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Void a wallet transaction: what was posted beside it is cancelled. A credit that is spent stays."""
    from commands.wallets.wallets import void

    perform(lambda output: void(output, wallet_transaction, id=id, actor=actor, reason=reason), as_json=as_json)


@app.command("top-up")
@changes()
def choose_top_up(
    account: AccountId,
    *,
    is_on: Annotated[
        bool | None, typer.Option("--on/--off", help="Without either: as the rule of its currency says.")
    ] = None,
    actor: Actor = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Switch on or off that runs top up a wallet by the account's card when it is low."""
    from commands.wallets.wallets import choose_top_up

    perform(lambda output: choose_top_up(output, account, is_on=is_on, actor=actor, reason=reason), as_json=as_json)


@app.command("expire")
@changes()
def expire_wallets(as_json: Json = False) -> None:
    """Book what has expired in all wallets now, as is done every night before the ledger is audited."""
    from commands.wallets.wallets import expire

    perform(expire, as_json=as_json)


@app.command("statement")
def show_statement(
    account: AccountId,
    *,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Show the transactions of a wallet with the balance that each left, and what was posted beside it."""
    from commands.wallets.wallets import statement

    perform(lambda output: statement(output, account, since=since, until=until), as_json=as_json)
