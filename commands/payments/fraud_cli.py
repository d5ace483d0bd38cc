"""`fraud`: what is never charged, and what waits for a person before it is."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, After, AsCsv, Json, Limit, ReceivableName, Since, Until, moment_of
from commands.options import list_page as list_page_of
from commands.runner import perform

app = typer.Typer(help="Fraud: what is never charged, and what waits for a person before.", no_args_is_help=True)


class BlockKind(StrEnum):
    """What can be on the block list."""

    ACCOUNT = "account"
    CARD = "card"
    EMAIL = "email"
    DOMAIN = "domain"


class BlockState(StrEnum):
    """Whether an entry of the block list counts."""

    IN_FORCE = "in_force"
    ENDED = "ended"
    LIFTED = "lifted"


class HoldState(StrEnum):
    """What became of a charge that a rule holds."""

    WAITING = "waiting"
    RELEASED = "released"
    OVER = "over"


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
    *,
    state: Annotated[
        BlockState | None, typer.Option("--state", help="Only entries in this state; those in force unless said.")
    ] = BlockState.IN_FORCE,
    every: Annotated[bool, typer.Option("--all", help="Also what has ended or was taken off.")] = False,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List what is on the block list, the newest first, a page at a time."""
    from commands.payments.fraud import list_blocked

    wanted = "" if every or state is None else state
    page = list_page_of(after, limit, since, until)
    perform(lambda output: list_blocked(output, page, state=wanted), as_json=as_json, as_csv=as_csv)


@app.command("holds")
def list_holds(
    *,
    state: Annotated[
        HoldState | None, typer.Option("--state", help="Only charges in this state; those that wait unless said.")
    ] = HoldState.WAITING,
    every: Annotated[bool, typer.Option("--all", help="Also what was released, or is over.")] = False,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List charges that a rule holds until a person or its time releases them, the newest first, a page at a time."""
    from commands.payments.fraud import list_held

    wanted = "" if every or state is None else state
    page = list_page_of(after, limit, since, until)
    perform(lambda output: list_held(output, page, state=wanted), as_json=as_json, as_csv=as_csv)


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
