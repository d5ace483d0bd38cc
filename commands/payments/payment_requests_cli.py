"""`payment-requests`: payments by a link. What is requested of a gateway is another noun, `requests`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes, person_of
from commands.options import ANSWER_SECONDS, AccountId, Actor, After, AsCsv, Json, Limit, Since, Until, WaitSeconds
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.payments.payment_request import PaymentRequestState

app = typer.Typer(help="Payments by a link: asked for, paid on a page, expired or withdrawn.", no_args_is_help=True)

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="Id of a payment request.")]

Title = Annotated[str, typer.Option("--title", help="What is to be paid, as the payer reads it.")]
Amount = Annotated[
    str, typer.Option("--amount", help="So much, such as 50.00: on account, or of the invoices that are named.")
]
Invoices = Annotated[
    list[str] | None,
    typer.Option("--invoice", help="An invoice by id or number, or a part: INV-12=50.00. May be given again."),
]
Least = Annotated[
    str,
    typer.Option("--least", help="The payer chooses: so much at least. --amount is what is suggested."),
]
Most = Annotated[str, typer.Option("--most", help="The payer chooses: so much at most.")]
Description = Annotated[str, typer.Option("--description", help="More about it, for the payer.")]
ValidDays = Annotated[int, typer.Option("--valid-days", min=1, max=365, help="Its link is good so long.")]
ValidFor = Annotated[str, typer.Option("--valid-for", help="Instead of --valid-days: 90s, 45m, 12h or 3d.")]
IsMailed = Annotated[
    bool, typer.Option("--mail/--no-mail", help="Mail the link to the account's address, and reminders.")
]
Payers = Annotated[
    list[str] | None,
    typer.Option("--payer", help="Mail a link to this address instead; of several, who pays first pays for all."),
]
SenderEmail = Annotated[str, typer.Option("--sender-email", help="Who is told when it is paid.")]
OwnId = Annotated[
    str, typer.Option("--id", help="Your id of it: the same id is the same request, however often it is made.")
]
Provider = Annotated[str, typer.Option("--provider", envvar="DULY_PROVIDER", help="The provider to be paid through.")]

Owner = Annotated[
    str, typer.Option("--owner", help="Make the account where there is none, for this person; needs --currency.")
]
OwnerEmail = Annotated[str, typer.Option("--owner-email", help="The address of the account that is made.")]
Currency = Annotated[str, typer.Option("--currency", help="The account's; needed only where it is to be made.")]
Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--attach",
        exists=True,
        dir_okay=False,
        readable=True,
        help="Show a PDF, PNG or JPEG to the payer: 5 MiB at most, 5 files at most. May be given again.",
    ),
]


class PaymentRequestWord(StrEnum):
    """States to filter by."""

    OPEN = PaymentRequestState.OPEN
    PROCESSING = PaymentRequestState.PROCESSING
    PAID = PaymentRequestState.PAID
    EXPIRED = PaymentRequestState.EXPIRED
    WITHDRAWN = PaymentRequestState.WITHDRAWN


@app.command("create")
@changes()
def create_payment_request(
    account: AccountId,
    title: Title,
    *,
    amount: Amount = "",
    invoice: Invoices = None,
    least: Least = "",
    most: Most = "",
    description: Description = "",
    valid_days: ValidDays = 14,
    valid_for: ValidFor = "",
    is_mailed: IsMailed = True,
    payer: Payers = None,
    owner: Owner = "",
    owner_email: OwnerEmail = "",
    currency: Currency = "",
    attach: Files = None,
    sender_email: SenderEmail = "",
    id: OwnId = "",
    provider: Provider = "stripe",
    actor: Actor = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the request.")] = "",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Ask an account for a payment, and return the link on which it is paid.

    Invoices that are named are nobody else's to charge until it is over; an amount without invoices is paid on account.
    """
    from commands.payments.payment_requests import RequestOptions, create

    options = RequestOptions(
        *(id, account, provider, title, description, amount, tuple(invoice or ()), valid_days, is_mailed, sender_email),
        *(person_of(actor), reason, least, most, tuple(payer or ()), owner, owner_email, currency, valid_for),
        tuple(attach or ()),
    )
    perform(lambda output: create(output, options, wait_seconds=wait_seconds), as_json=as_json)


@app.command("import")
@changes()
def import_payment_requests(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="CSV with a header line.")
    ],
    *,
    provider: Provider = "stripe",
    actor: Actor = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with each request.")],
    as_json: Json = False,
) -> None:
    """Make the request of every good row of a file; bad ones are named. Importing a file again changes nothing."""
    from commands.payments.request_import import import_file

    who = person_of(actor)
    perform(lambda output: import_file(output, file, provider, actor=who, reason=reason), as_json=as_json)


@app.command("show")
def show_payment_request(request: RequestId, as_json: Json = False) -> None:
    """Show one payment request. Its link was told when it was made, and is kept nowhere: `link` makes another."""
    from commands.payments.payment_requests import show

    perform(lambda output: show(output, request), as_json=as_json)


@app.command("link")
@changes()
def give_link(
    request: RequestId,
    actor: Annotated[str, typer.Option("--actor", help="Who asks; kept with the request.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the request.")],
    as_json: Json = False,
) -> None:
    """Make one more link of a request that is open; those that were given out before stay good."""
    from commands.payments.payment_requests import give_link as give
    from models.operator_command import OperatorCommand

    perform(lambda output: give(output, request, OperatorCommand(actor, reason)), as_json=as_json)


@app.command("list")
def list_payment_requests(
    *,
    account: Annotated[str, typer.Option("--account", help="Only of this account.")] = "",
    state: Annotated[PaymentRequestWord | None, typer.Option("--state", help="Only in this state.")] = None,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List payment requests, the newest first, a page at a time."""
    from commands.payments.payment_requests import list_page

    page = list_page_of(after, limit, since, until)
    perform(lambda output: list_page(output, page, state or "", account), as_json=as_json, as_csv=as_csv)


@app.command("send")
@changes()
def send_payment_request(
    request: RequestId,
    actor: Annotated[str, typer.Option("--actor", help="Who asks; kept with the request.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the request.")],
    as_json: Json = False,
) -> None:
    """Mail the link once more."""
    from commands.payments.payment_requests import command
    from models.operator_command import OperatorCommand

    perform(lambda output: command(output, request, "send_link", OperatorCommand(actor, reason)), as_json=as_json)


@app.command("withdraw")
@changes(final="The link leads nowhere any more.")
def withdraw_payment_request(
    request: RequestId,
    actor: Annotated[str, typer.Option("--actor", help="Who asks; kept with the request.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the request.")],
    as_json: Json = False,
) -> None:
    """Close the page of a request and ask for the payment no more. Whoever paid at the last moment has paid."""
    from commands.payments.payment_requests import command
    from models.operator_command import OperatorCommand

    perform(lambda output: command(output, request, "withdraw", OperatorCommand(actor, reason)), as_json=as_json)


@app.command("attach")
@changes()
def attach_file(
    request: RequestId,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="A PDF, PNG or JPEG.")
    ],
    actor: Annotated[str, typer.Option("--actor", help="Who attaches it; kept with the file.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the command.")],
    *,
    name: Annotated[str, typer.Option("--name", help="What its payers read; else the file's name.")] = "",
    as_json: Json = False,
) -> None:
    """Show a file to the payers of a request that is open, behind their links. The same file again changes nothing."""
    from commands.payments.attachments import attach_file as attach

    perform(lambda output: attach(output, request, file, name, actor, reason), as_json=as_json)


@app.command("pay")
@changes()
def pay_payment_request(
    request: RequestId,
    actor: Annotated[str, typer.Option("--actor", help="Who pays for the payer; kept with the request.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the request.")],
    *,
    card: Annotated[str, typer.Option("--card", help="Charge this card of the account; else its first.")] = "",
    amount: Annotated[str, typer.Option("--amount", help="So much, where the payer chooses; else as suggested.")] = "",
    as_json: Json = False,
) -> None:
    """Charge a card on file of the account that is asked, for the payer. A page that is open is closed first.

    A decline leaves the request as it is, and its link good.
    """
    from commands.payments.payment_requests import pay
    from models.payments.card_payment import CardPayment

    given = CardPayment(actor, reason, card)
    perform(lambda output: pay(output, request, given, amount), as_json=as_json)


@app.command("resolve")
@changes(final="The outcome is settled for good.")
def resolve_payment_request(
    request: RequestId,
    actor: Annotated[str, typer.Option("--actor", help="Who has found out; kept with the payment.")],
    reason: Annotated[str, typer.Option("--reason", help="How; kept with the payment.")],
    gateway_reference: Annotated[
        str, typer.Option("--gateway-reference", help="The gateway's id of the payment, such as pi_...")
    ] = "",
    was_not_charged: Annotated[
        bool, typer.Option("--was-not-charged", help="Nothing was paid, by decision: there is no such payment.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what became of a payment whose outcome nobody knows."""
    from commands.payments.payment_requests import resolve
    from models.operator_command import UnknownResolution

    resolution = UnknownResolution(actor, reason, gateway_reference=gateway_reference, was_not_charged=was_not_charged)
    perform(lambda output: resolve(output, request, resolution), as_json=as_json)
