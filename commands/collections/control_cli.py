"""Commands to collections: retry, skip, extend, mark paid, give up, resolve, assign."""

from datetime import datetime
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, Json, ReceivableName, moment_of
from commands.runner import perform

app = typer.Typer()

Actor = Annotated[str, typer.Option("--actor", help="Who asks for it; kept in the collection's history.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the collection's history.")]


@app.command("retry")
@changes()
def retry(
    account: AccountId,
    period: ReceivableName,
    actor: Actor,
    reason: Reason,
    card: Annotated[str, typer.Option("--card", help="Charge this card instead of the usual one.")] = "",
    as_json: Json = False,
) -> None:
    """Try now. A manual attempt does not use up the policy's attempts."""
    from commands.collections.control import send_update
    from models.collections.collection import RetryCommand

    command = RetryCommand(actor, reason, card)
    perform(lambda output: send_update(output, account, period, "retry_now", command, str), as_json=as_json)


@app.command("skip")
@changes()
def skip(account: AccountId, period: ReceivableName, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Leave out the next scheduled attempt; it counts as used."""
    from commands.collections.control import send_update
    from models.operator_command import OperatorCommand

    command = OperatorCommand(actor, reason)
    perform(lambda output: send_update(output, account, period, "skip_attempt", command, str), as_json=as_json)


@app.command("extend")
@changes()
def extend(
    account: AccountId,
    period: ReceivableName,
    until: Annotated[
        datetime,
        typer.Option(
            "--until", parser=moment_of, metavar="MOMENT", help="Leave the customer in peace until then (UTC)."
        ),
    ],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Move whatever comes next to a later moment."""
    from commands.collections.control import send_update
    from models.collections.collection import GraceCommand

    command = GraceCommand(actor, reason, until)
    perform(lambda output: send_update(output, account, period, "extend_grace", command, str), as_json=as_json)


@app.command("mark-paid")
@changes(final="A payment is posted, and the collection ends.")
def mark_paid(
    account: AccountId,
    period: ReceivableName,
    reference: Annotated[str, typer.Option("--reference", help="Where the money is found, such as a bank reference.")],
    actor: Actor,
    reason: Reason,
    method: Annotated[str, typer.Option("--method", help="How it was paid; not a gateway's method.")] = "bank_transfer",
    as_json: Json = False,
) -> None:
    """Post what is still owed as paid by other means, and end the collection."""
    from commands.collections.control import send_update
    from models.collections.collection import PaidOutsideCommand

    command = PaidOutsideCommand(actor, reason, reference, method)
    perform(lambda output: send_update(output, account, period, "mark_paid_outside", command, str), as_json=as_json)


@app.command("give-up")
@changes(final="The receivable is given up, and what the dunning policy says becomes of the account.")
def give_up(account: AccountId, period: ReceivableName, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Stop collecting; the receivable stays open, and the policy says what becomes of the account."""
    from commands.collections.control import send_update
    from models.operator_command import OperatorCommand

    command = OperatorCommand(actor, reason)
    perform(lambda output: send_update(output, account, period, "give_up", command, str), as_json=as_json)


@app.command("resolve")
@changes()
def resolve(
    account: AccountId,
    period: ReceivableName,
    actor: Actor,
    reason: Reason,
    gateway_reference: Annotated[
        str, typer.Option("--gateway-reference", help="The gateway's id of the payment; it is checked there.")
    ] = "",
    was_not_charged: Annotated[
        bool, typer.Option("--was-not-charged", help="Decide that nothing was charged; kept with who and why.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what became of an attempt whose outcome nobody knows: by the gateway's id, or by decision."""
    from commands.collections.control import send_update
    from models.gateway.gateway_request import CollectResult
    from models.operator_command import UnknownResolution

    command = UnknownResolution(actor, reason, gateway_reference, was_not_charged)
    perform(
        lambda output: send_update(output, account, period, "resolve_unknown", command, CollectResult), as_json=as_json
    )


@app.command("assign")
@changes()
def assign(
    account: AccountId,
    period: ReceivableName,
    actor: Annotated[str, typer.Option("--actor", help="Who asks for it; kept with the command.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the command.")],
    user: Annotated[str, typer.Option("--user", help="A user of the console; nobody unless given.")] = "",
    as_json: Json = False,
) -> None:
    """Say which user of the console looks after an open collection. It goes on as it did."""
    from commands.collections.assigning import assign as carry

    del reason

    perform(lambda output: carry(output, account, period, user, actor=actor), as_json=as_json)
