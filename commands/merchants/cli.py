"""`merchants`: who takes part in rewards and on which terms, and who is paid on an account of its own."""

from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import ANSWER_SECONDS, Actor, AsCsv, Json, WaitSeconds
from commands.runner import perform

app = typer.Typer(help="Merchants: their reward settings, and their own accounts at the gateway.", no_args_is_help=True)

Merchant = Annotated[str, typer.Argument(metavar="MERCHANT", help="Id of a merchant.")]
Payer = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Id of a customer's account.")]
Who = Annotated[str, typer.Option("--actor", help="Who asks; kept with the merchant.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept with the merchant.")]
Provider = Annotated[
    str, typer.Option("--provider", envvar="DULY_PROVIDER", help="The provider whose platform connects the account.")
]


@app.command("apply")
@changes()
def apply_merchants(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="A TOML document.")
    ],
    as_json: Json = False,
) -> None:
    """Apply merchants, their groups and back-end reduction settings, all or nothing. A merchant overrides its group.

    An example is docs/merchants.example.toml. Awards keep the settings that they were given under.
    """
    from commands.reductions.merchants import apply

    perform(lambda output: apply(output, file), as_json=as_json)


@app.command("list")
def list_merchants(as_csv: AsCsv = False, as_json: Json = False) -> None:
    """List merchants with the settings that hold for each, and where their own accounts stand."""
    from commands.merchants.connections import list_all

    perform(list_all, as_json=as_json, as_csv=as_csv)


@app.command("show")
def show_merchant(merchant: Merchant, as_json: Json = False) -> None:
    """Show a merchant's account at the gateway, what is missing, its link, and what became of it."""
    from commands.merchants.connections import show

    perform(lambda output: show(output, merchant), as_json=as_json)


@app.command("enable")
@changes()
def enable_merchant(merchant: Merchant, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Let a merchant connect an account at the gateway and be paid on it."""
    from commands.merchants.connections import switch

    perform(lambda output: switch(output, merchant, actor, reason, is_on=True), as_json=as_json)


@app.command("disable")
@changes()
def disable_merchant(merchant: Merchant, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Let a merchant connect no account, and ask for nothing new on the one it has. What is known of it stays true."""
    from commands.merchants.connections import switch

    perform(lambda output: switch(output, merchant, actor, reason, is_on=False), as_json=as_json)


@app.command("assign")
@changes()
def assign_payer(merchant: Merchant, account: Payer, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Take an account's payments for a merchant of the flow destination from now on.

    They are charged on the platform's account and passed on to the merchant's, less what the platform takes.
    """
    from commands.merchants.payers import assign

    perform(lambda output: assign(output, merchant, account, actor, reason), as_json=as_json)


@app.command("release")
@changes()
def release_payer(merchant: Merchant, account: Payer, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Take an account's payments for the platform itself again. What was taken before stays the merchant's."""
    from commands.merchants.payers import release

    perform(lambda output: release(output, merchant, account, actor, reason), as_json=as_json)


@app.command("connect")
@changes()
def connect_merchant(
    merchant: Merchant,
    *,
    email: Annotated[str, typer.Option("--email", help="The owner's address, to begin with at the gateway.")],
    country: Annotated[str, typer.Option("--country", help="Where its business is, such as DE.")],
    new_account: Annotated[
        bool, typer.Option("--new-account", help="Another account than that which was disconnected.")
    ] = False,
    provider: Provider = "stripe",
    actor: Actor = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the merchant.")] = "",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Make a merchant's account at the gateway, and return the link on which its owner completes it.

    The link leads to Stripe's own pages. Whoever has it acts for the owner, so send it to nobody else.
    """
    from commands.changing.changes import person_of
    from commands.merchants.connections import ConnectOptions, connect

    options = ConnectOptions(
        merchant, provider, email, person_of(actor), reason, country=country, is_new_account=new_account
    )
    perform(lambda output: connect(output, options, wait_seconds=wait_seconds), as_json=as_json)


@app.command("reconnect")
@changes()
def reconnect_merchant(
    merchant: Merchant,
    *,
    account: Annotated[str, typer.Option("--account", help="The account's id at the gateway, such as acct_...")],
    email: Annotated[str, typer.Option("--email", help="The address under which the gateway knows it.")],
    actor: Who,
    reason: Why,
    provider: Provider = "stripe",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Let the account go on as which a merchant was connected. Id and address are compared with the gateway's."""
    from commands.merchants.connections import ConnectOptions, connect

    options = ConnectOptions(merchant, provider, email, actor, reason, gateway_account=account)
    perform(lambda output: connect(output, options, wait_seconds=wait_seconds), as_json=as_json)


@app.command("refresh")
@changes()
def refresh_merchant(merchant: Merchant, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Read a merchant's account at the gateway now, whatever events have come."""
    from commands.merchants.connections import refresh

    perform(lambda output: refresh(output, merchant, actor, reason), as_json=as_json)


@app.command("disconnect")
@changes(final="The merchant takes no new payments from now on.")
def disconnect_merchant(merchant: Merchant, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Stop new payments on a merchant's account at once. It lives on at the gateway, and its history is kept."""
    from commands.merchants.connections import disconnect

    perform(lambda output: disconnect(output, merchant, actor, reason), as_json=as_json)
