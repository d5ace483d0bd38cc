"""`refunds` through the gateway: create, cancel a payment, show, list, retry, check, resolve."""

from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import (
    ANSWER_SECONDS,
    After,
    AsCsv,
    FollowSeconds,
    Json,
    Limit,
    NotDueYet,
    OverNobody,
    Since,
    Until,
    WaitSeconds,
    day_of,
)
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.gateway.gateway_request import RequestKind

app = typer.Typer()


class RefundWord(StrEnum):
    """States to filter by."""

    PENDING = "pending"
    UNKNOWN = "unknown"
    REFUNDED = "refunded"
    REJECTED = "rejected"
    REVERSED = "reversed"


PaymentId = Annotated[str, typer.Argument(metavar="PAYMENT", help="Id, number or reference number of a payment.")]
RefundId = Annotated[str, typer.Argument(metavar="REFUND", help="Id of a refund.")]
Actor = Annotated[str, typer.Option("--actor", help="Who asks for it; kept with the refund.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the refund.")]
RunDay = Annotated[date, typer.Argument(parser=day_of, metavar="DAY", help="A day, such as 2026-11-26.")]
Name = Annotated[
    str, typer.Option("--id", help="An id for the refund: asking twice under one id is one refund. Else one is made.")
]


@app.command("create")
@changes(final="Money goes back to the customer.")
def create_refund(
    payment: PaymentId,
    actor: Actor,
    reason: Reason,
    *,
    amount: Annotated[str, typer.Option("--amount", help="In major units, such as 12.50; else all that is left.")] = "",
    name: Name = "",
    with_credit_note: Annotated[
        bool, typer.Option("--credit-note", help="Credit what it is for: the invoice that the payment settles.")
    ] = False,
    credit_invoice: Annotated[
        str, typer.Option("--credit-invoice", help="The invoice to credit, where the payment settles several.")
    ] = "",
    credit_product: Annotated[
        str,
        typer.Option("--credit-product", help="Credit only this product of the invoice; else each by its share."),
    ] = "",
    is_acknowledged: Annotated[
        bool, typer.Option("--acknowledge-warning", help="Refund although it exceeds the credit limit.")
    ] = False,
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Give money of a payment back through the gateway that took it, and wait for the first answer.

    The refund is posted when the gateway has paid it, and with it the credit note that was asked for, in one commit.
    Its workflow watches it afterwards: it may still come back.
    """
    from commands.refunds.credit import CreditOptions
    from commands.refunds.refunds import RefundOptions, create

    has_credit = with_credit_note or bool(credit_invoice or credit_product)
    credit = CreditOptions(credit_invoice, credit_product) if has_credit else None
    options = RefundOptions(payment, RequestKind.REFUND, amount, name, actor, reason, is_acknowledged, credit)
    perform(lambda output: create(output, options, wait_seconds=wait_seconds), as_json=as_json)


@app.command("cancel")
@changes(final="All that is left of the payment goes back to its customer.")
def cancel_payment(
    payment: PaymentId,
    actor: Actor,
    reason: Reason,
    name: Name = "",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Cancel a payment that went through the gateway: all that is left goes back, and its invoices are open again."""
    from commands.refunds.refunds import RefundOptions, create

    options = RefundOptions(payment, RequestKind.PAYMENT_CANCELLATION, "", name, actor, reason, is_acknowledged=True)
    perform(lambda output: create(output, options, wait_seconds=wait_seconds), as_json=as_json)


@app.command("retry")
@changes(final="Money goes back to the customer.")
def retry_refund(
    refund: RefundId,
    actor: Actor,
    reason: Reason,
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Ask again for a refund that was rejected or came back: a new one, with the next number behind its id."""
    from commands.refunds.refunds import retry

    perform(
        lambda output: retry(output, refund, actor=actor, reason=reason, wait_seconds=wait_seconds), as_json=as_json
    )


@app.command("show")
def show_refund(refund: RefundId, as_json: Json = False) -> None:
    """Show one refund or payment cancellation: where it stands, at the gateway and in the ledger."""
    from commands.refunds.refunds import show

    perform(lambda output: show(output, refund), as_json=as_json)


@app.command("list")
def list_refunds(
    *,
    account: Annotated[str, typer.Option("--account", help="Only refunds to this account.")] = "",
    state: Annotated[RefundWord | None, typer.Option("--state", help="Only refunds in this state.")] = None,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List refunds and payment cancellations through the gateway, the newest first, a page at a time."""
    from commands.refunds.refunds import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, account_id=account, state=state or ""), as_json=as_json, as_csv=as_csv
    )


@app.command("check")
@changes()
def check_refund(refund: RefundId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Ask the gateway now how a refund stands."""
    from commands.refunds.refunds import send_update
    from models.operator_command import OperatorCommand

    perform(
        lambda output: send_update(output, refund, "check_now", OperatorCommand(actor, reason), str), as_json=as_json
    )


@app.command("resolve")
@changes()
def resolve_refund(
    refund: RefundId,
    actor: Actor,
    reason: Reason,
    gateway_reference: Annotated[
        str, typer.Option("--gateway-reference", help="The gateway's id of the refund; it is checked there.")
    ] = "",
    was_not_refunded: Annotated[
        bool, typer.Option("--was-not-refunded", help="Decide that no money left; kept with who and why.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what became of a refund whose outcome nobody knows: by the gateway's id, or by decision."""
    from commands.refunds.refunds import send_update
    from models.operator_command import UnknownResolution
    from models.refunds.refund import RefundResult

    command = UnknownResolution(actor, reason, gateway_reference, was_not_refunded)
    perform(lambda output: send_update(output, refund, "resolve_unknown", command, RefundResult), as_json=as_json)


@app.command("run")
@changes(final="Money goes back to everybody who is due, and the day is closed.")
def run_refunds(
    day: Annotated[
        date | None, typer.Option("--day", parser=day_of, metavar="DAY", help="The day to run, in UTC; else today.")
    ] = None,
    not_due_yet: NotDueYet = False,
    over_nobody: OverNobody = False,
    wait_seconds: FollowSeconds = None,
    as_json: Json = False,
) -> None:
    """Send what is due back through the gateway, rewards and accounts in credit, and wait for the certificate.

    A day has one run, which a schedule starts at night; one that has not begun is refused, and so is one over nobody,
    which would close the day. Whether accounts in credit get their money back is a rule.
    """
    from commands.runs.refund_runs import run

    perform(
        lambda output: run(output, day, not_due_yet=not_due_yet, over_nobody=over_nobody, wait_seconds=wait_seconds),
        as_json=as_json,
    )


@app.command("certificate")
def show_certificate(
    day: RunDay,
    as_json: Json = False,
) -> None:
    """Show the certificate of a day's refund run."""
    from commands.runs.refund_runs import show

    perform(lambda output: show(output, day), as_json=as_json)


@app.command("pause")
@changes()
def pause_refunds(day: RunDay, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Let a day's refund run begin with nobody else. What it has asked for goes back all the same."""
    _steer(day, "pause", actor, reason, as_json=as_json)


@app.command("resume")
@changes()
def resume_refunds(day: RunDay, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Let a day's refund run that was paused go on."""
    _steer(day, "resume", actor, reason, as_json=as_json)


def _steer(day: date, update: str, actor: str, reason: str, *, as_json: bool) -> None:
    from commands.runs.refund_runs import run_of, steer
    from models.operator_command import OperatorCommand

    perform(lambda output: steer(output, run_of(day), update, OperatorCommand(actor, reason)), as_json=as_json)
