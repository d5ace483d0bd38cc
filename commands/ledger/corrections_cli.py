"""`transactions cancel`, `write-off` and `move`: each corrects by a new transaction."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.ledger.transaction_options import (
    AnyDay,
    BackOfficeCode,
    Category,
    Key,
    PostedOn,
    Reason,
    Transaction,
    Type,
    write_options,
)
from commands.options import Actor, Json
from commands.runner import perform

app = typer.Typer()


@app.command("cancel")
@changes(final="The transaction is cancelled for good.")
def cancel_transaction(
    transaction: Transaction,
    *,
    reason: Reason = "",
    type: Type = "",
    back_office_code: BackOfficeCode = "",
    posted_on: PostedOn = None,
    any_day: AnyDay = "",
    key: Key = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Cancel a posted invoice or payment, all of it. What had settled it, or it had settled, is allocated again.

    The type says why; the reason says more. A payment that went through a gateway is cancelled when the gateway has
    confirmed that the money is returned, not by hand.
    """
    from commands.ledger.corrections import Because, cancel

    because = Because(type or None, reason or None, back_office_code or None, posted_on)
    perform(lambda output: cancel(output, transaction, because, write_options(actor, key, any_day)), as_json=as_json)


@app.command("write-off")
@changes(final="The debt is written off.")
def write_off_invoice(
    transaction: Transaction,
    *,
    type: Annotated[str, typer.Option("--type", help="Write-off type; must be given.")] = "",
    category: Category = "",
    reason: Reason = "",
    back_office_code: BackOfficeCode = "",
    posted_on: PostedOn = None,
    any_day: AnyDay = "",
    key: Key = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Write off what is unsettled of an invoice. The write-off account gets an invoice of the same amount.

    A write-off is permanent.
    """
    from commands.ledger.corrections import Because, write_off

    because = Because(type or None, reason or None, back_office_code or None, posted_on, category or None)
    perform(lambda output: write_off(output, transaction, because, write_options(actor, key, any_day)), as_json=as_json)


@app.command("move")
@changes()
def move_payment(
    transaction: Transaction,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account that the payment belongs to.")],
    reason: Reason = "",
    posted_on: PostedOn = None,
    any_day: AnyDay = "",
    key: Key = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Move a posted payment to another account, such as one in suspense whose account is known now.

    The money stays where it is: no gateway is asked, and a later refund finds the payment where it is now.
    """
    from commands.ledger.corrections import Because, move

    because = Because(reason=reason or None, posted_on=posted_on)
    perform(
        lambda output: move(output, transaction, account, because, write_options(actor, key, any_day)), as_json=as_json
    )
