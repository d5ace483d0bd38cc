"""`payments` and `requests`: every payment through a gateway, payments by hand, and what was requested of gateways."""

from enum import StrEnum
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import (
    ANSWER_SECONDS,
    AccountId,
    Actor,
    After,
    AsCsv,
    Json,
    Limit,
    Since,
    Until,
    WaitSeconds,
)
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.gateway.gateway_request import RequestKind
from models.payments.state import FieldState, PaymentState

app = typer.Typer(help="Payments through gateways: by runs, by services, by hand.", no_args_is_help=True)
requests_app = typer.Typer(help="Requests to gateways: payments, refunds, cancellations, cards.", no_args_is_help=True)


class PaymentKind(StrEnum):
    """Who has asked for a payment."""

    RUN = "run"
    BY_HAND = "by_hand"
    BY_LINK = "by_link"
    SERVICE = "service"


Run = Annotated[str, typer.Option("--run", help="Only of this run.")]
OfAccount = Annotated[str, typer.Option("--account", help="Only of this account.")]
OfProvider = Annotated[str, typer.Option("--provider", help="Only through this provider.")]
OfMerchant = Annotated[str, typer.Option("--merchant", help="Only on the gateway account of this connected merchant.")]
OfCard = Annotated[str, typer.Option("--card", help="Only on this card.")]
OfCurrency = Annotated[str, typer.Option("--currency", help="Only in this currency.")]
AmountToCharge = Annotated[str, typer.Option("--amount", help="Charge so much, such as 50.00, of the oldest invoices.")]
InvoicesToCharge = Annotated[
    list[str] | None,
    typer.Option("--invoice", help="An invoice by id or number, or a part of one: INV-12=50.00. May be given again."),
]
Totals = Annotated[bool, typer.Option("--totals", help="Say what all pages come to as well; that reads them all.")]


@app.command("create")
@changes()
def create_payment(
    account: AccountId,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the payment.")],
    *,
    amount: AmountToCharge = "",
    invoice: InvoicesToCharge = None,
    card: Annotated[str, typer.Option("--card", help="Charge this card; else the account's first.")] = "",
    preference: Annotated[
        str, typer.Option("--preference", help="Charge a card of this preference: PP-1042, or its method.")
    ] = "",
    hand_over: Annotated[
        bool, typer.Option("--hand-over", help="Follow a decline up by the dunning policy; else it ends the payment.")
    ] = False,
    prepay: Annotated[
        bool,
        typer.Option("--prepay", help="Charge all of --amount, also what is not owed: it is kept as credit."),
    ] = False,
    id: Annotated[
        str, typer.Option("--id", help="Your id of it: the same id is the same payment, however often it is asked for.")
    ] = "",
    provider: Annotated[
        str, typer.Option("--provider", envvar="DULY_PROVIDER", help="The provider to charge through.")
    ] = "stripe",
    actor: Actor = "",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Charge a card of an account now, and wait for the outcome.

    What a run of the month has planned or others collect is left alone, and the month's run charges the rest. A decline
    ends the payment: what was asked for is free again. More than is owed is charged with --prepay alone.
    """
    from commands.changing.changes import person_of
    from commands.payments.create import OrderOptions, create

    options = OrderOptions(
        id,
        account,
        provider,
        amount,
        tuple(invoice or ()),
        card,
        preference,
        hand_over,
        person_of(actor),
        reason,
        prepay,
    )
    perform(lambda output: create(output, options, wait_seconds=wait_seconds), as_json=as_json)


@app.command("show")
def show_payment(
    word: Annotated[
        str,
        typer.Argument(
            metavar="ANY",
            help="A payment's or an order's id, a Stripe id (pi_, ch_, cs_, re_, cus_, dp_), a number, a back-office"
            " code, a payment reference, or a preference (PP-1042).",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Show the payment that something belongs to: its attempts, and what was given back. Several are listed."""
    from commands.payments.show import show

    perform(lambda output: show(output, word), as_json=as_json)


@app.command("list")
def list_payments(
    *,
    state: Annotated[PaymentState | None, typer.Option("--state", help="Only payments in this state.")] = None,
    kind: Annotated[PaymentKind | None, typer.Option("--kind", help="Only payments that this has asked for.")] = None,
    run: Run = "",
    account: OfAccount = "",
    card: OfCard = "",
    method: Annotated[str, typer.Option("--method", help="Only by this payment method.")] = "",
    provider: OfProvider = "",
    merchant: OfMerchant = "",
    currency: OfCurrency = "",
    least: Annotated[str, typer.Option("--at-least", help="Only of this amount or more; needs --currency.")] = "",
    most: Annotated[str, typer.Option("--at-most", help="Only of this amount or less; needs --currency.")] = "",
    totals: Totals = False,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List payments through gateways, the newest first, a page at a time (My Payments: P14, P15)."""
    from activities.payments.queries import PaymentFilter
    from commands.payments.show import list_page

    page = list_page_of(after, limit, since, until)
    wanted = PaymentFilter(state or "", kind or "", run, account, card, method, provider, merchant, currency)
    perform(
        lambda output: list_page(output, page, wanted, bounds=(least, most), with_totals=totals),
        as_json=as_json,
        as_csv=as_csv,
    )


@requests_app.command("show")
def show_request(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="Id of a request.")], as_json: Json = False
) -> None:
    """Show one request to a gateway with its attempts."""
    from commands.payments.requests import show

    perform(lambda output: show(output, request), as_json=as_json)


@requests_app.command("list")
def list_requests(
    *,
    state: Annotated[FieldState | None, typer.Option("--state", help="Only requests in this state.")] = None,
    kind: Annotated[RequestKind | None, typer.Option("--kind", help="Only requests of this kind.")] = None,
    run: Run = "",
    account: OfAccount = "",
    provider: OfProvider = "",
    merchant: OfMerchant = "",
    card: OfCard = "",
    preference: Annotated[str, typer.Option("--preference", help="Only by this payment preference: PP-1042.")] = "",
    currency: OfCurrency = "",
    error: Annotated[str, typer.Option("--error", help="Only with this error code.")] = "",
    reference: Annotated[
        str, typer.Option("--reference", help="Only what the gateway calls so: pi_, ch_, cs_, re_, seti_.")
    ] = "",
    totals: Totals = False,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List what was requested of gateways, the newest first, a page at a time. Nobody can edit a request."""
    from activities.payments.request_queries import RequestFilter
    from commands.payments.requests import list_page

    page = list_page_of(after, limit, since, until)
    wanted = RequestFilter(
        state or "", kind or "", run, account, provider, merchant, card, preference, currency, error, reference
    )
    perform(lambda output: list_page(output, page, wanted, with_totals=totals), as_json=as_json, as_csv=as_csv)
