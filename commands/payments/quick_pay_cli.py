"""`transactions quick-pay`, and the options of every payment that a gateway or a person may make."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.ledger.transaction_options import AnyDay, Key, PostedOn, Reference, Transaction, Type, write_options
from commands.options import ANSWER_SECONDS, Actor, Json, WaitSeconds
from commands.runner import perform

app = typer.Typer()

Method = Annotated[
    str,
    typer.Option(
        "--method", help="Payment method: cash is booked; one that a gateway handles, such as card, is charged."
    ),
]
Card = Annotated[str, typer.Option("--card", help="Charge this card; else the account's first of the method.")]
Preference = Annotated[str, typer.Option("--preference", help="Charge a card of this preference: PP-1042.")]
ThroughProvider = Annotated[
    str, typer.Option("--provider", help="The provider to charge through; else the one that handles the method.")
]
HandOver = Annotated[
    bool, typer.Option("--hand-over", help="Follow a decline up by the dunning policy; else it ends the payment.")
]
WhyPaid = Annotated[str, typer.Option("--reason", help="Why; kept with the command. A charge must have one.")]


@app.command("quick-pay")
@changes()
def quick_pay_invoice(
    transaction: Transaction,
    *,
    method: Method,
    card: Card = "",
    preference: Preference = "",
    provider: ThroughProvider = "",
    hand_over: HandOver = False,
    type: Type = "",
    reference: Reference = "",
    posted_on: PostedOn = None,
    any_day: AnyDay = "",
    key: Key = "",
    actor: Actor = "",
    reason: WhyPaid = "",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Pay all that is unsettled of an invoice: booked by a method of yours, or charged now where a gateway handles it.

    Of a charge the first outcome is answered, as `payments create` does; type, reference and days are its own.
    """
    from commands.ledger.corrections import Because
    from commands.payments.quick_pay import QuickPay, quick_pay

    asked = QuickPay(method, provider, card, preference, hand_over, reference, reason)
    because = Because(type=type or None, posted_on=posted_on)
    options = write_options(actor, key, any_day)
    perform(
        lambda output: quick_pay(output, transaction, asked, because, options, wait_seconds=wait_seconds),
        as_json=as_json,
    )
