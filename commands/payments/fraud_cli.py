"""`fraud`: what is never charged, and what waits for a person before it is."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, Json, ReceivableName, moment_of
from commands.runner import perform

app = typer.Typer(help="Fraud: what is never charged, and what waits for a person before.", no_args_is_help=True)


class BlockKind(StrEnum):
    """What can be on the block list."""

    ACCOUNT = "account"
    CARD = "card"
    EMAIL = "email"
    DOMAIN = "domain"


Kind = Annotated[BlockKind, typer.Argument(metavar="KIND", help="account, card, email or domain.")]
Value = Annotated[
    str,
    typer.Argument(
        metavar="VALUE",
        help="An account's id, a card's id or fingerprint (never its number), an e-mail address, or a domain.",
    ),
]
Who = Annotated[str, typer.Option("--actor", help="Who asks; kept with it.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]


@app.command("block")
@changes()
def block_value(
    kind: Kind,
    value: Value,
    actor: Who,
    reason: Why,
    until: Annotated[
        datetime | None,
        typer.Option("--until", parser=moment_of, metavar="MOMENT", help="It ends then (UTC); else when taken off."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Charge an account, a card on every account, or accounts of an e-mail address or a domain no more.

    Runs pass them over with the reason, what a person asks for is refused, and what is being collected waits. An
    attempt that was begun before ends as it ends.
    """
    from commands.payments.fraud import block

    perform(lambda output: block(output, kind, value, until, actor, reason), as_json=as_json)


@app.command("unblock")
@changes()
def unblock_value(kind: Kind, value: Value, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Take something off the block list: what waits for it goes on, of an account at once, else within the hour."""
    from commands.payments.fraud import unblock

    perform(lambda output: unblock(output, kind, value, actor, reason), as_json=as_json)


@app.command("list")
def list_blocks(
    with_ended: Annotated[bool, typer.Option("--all", help="Also what has ended or was taken off.")] = False,
    as_json: Json = False,
) -> None:
    """List what is on the block list, the newest first, 1,000 at most."""
    from commands.payments.fraud import list_blocked

    perform(lambda output: list_blocked(output, with_ended=with_ended), as_json=as_json)


@app.command("holds")
def list_holds(
    with_ended: Annotated[bool, typer.Option("--all", help="Also what was released, or is over.")] = False,
    as_json: Json = False,
) -> None:
    """List charges that a rule holds until a person releases them, the newest first, 1,000 at most."""
    from commands.payments.fraud import list_held

    perform(lambda output: list_held(output, with_ended=with_ended), as_json=as_json)


@app.command("release")
@changes()
def release_hold(
    account: AccountId,
    period: ReceivableName,
    actor: Who,
    reason: Why,
    amount: Annotated[str, typer.Option("--amount", help="The amount that is held; needed where several are.")] = "",
    as_json: Json = False,
) -> None:
    """Let a charge go on that a rule holds, for the amount that is held and no other. It is sent at once.

    What is not to be charged is given up: `collections give-up`.
    """
    from commands.payments.fraud import release

    perform(lambda output: release(output, account, period, amount, actor, reason), as_json=as_json)
