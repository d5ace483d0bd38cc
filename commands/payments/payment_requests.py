"""Making, listing and showing payment requests, and commands to them."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Row
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from activities.payments.orders import PaymentOrders
from activities.payments.payment_requests import PaymentRequestActivities, PaymentRequestQueries, open_payment_request
from activities.request_tokens import RequestLinks
from commands.formatting import document, moment, money
from commands.links import link_line, workflow_link
from commands.lists.next_actions import next_action, next_document, next_fact
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.payments.attachments import read_files
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from commands.updates import ask, require_who_and_why, start_and_ask
from models.gateway.gateway_request import CollectResult
from models.listing import ListPage
from models.operations.payment_states import PAYMENT_REQUEST
from models.operator_command import OperatorCommand, UnknownResolution
from models.payments.card_payment import CardPayment
from models.payments.order import amount_of, asked_of, order_id
from models.payments.payment_request import PaymentLink, PaymentRequestInput, pay_path
from models.payments.request_terms import InvalidPaymentRequestError, PaymentRequestTerms
from models.payments.validity import InvalidValidityError, seconds_of
from models.problem import refusal
from models.workflow_ids import WORKFLOW_QUEUE, payment_request_id
from settings import Settings
from workflows.payments.payment_request import PaymentRequest
from workflows.visibility import payment_request_label

NOUN = "payment_request"


@dataclass(frozen=True)
class RequestOptions:
    """What a person asks an account for; an empty id is a new request."""

    id: str
    account: str
    provider: str
    title: str
    description: str
    amount: str
    invoices: tuple[str, ...]
    valid_days: int
    is_mailed: bool
    sender_email: str
    sender: str
    reason: str
    least: str = ""
    most: str = ""
    payers: tuple[str, ...] = ()
    owner: str = ""
    owner_email: str = ""
    currency: str = ""
    valid_for: str = ""
    files: tuple[Path, ...] = ()


async def create(output: Output, options: RequestOptions, *, wait_seconds: float) -> None:
    """Make a request, or find it by its id, and answer with its link. Raises RefusedError naming the rule."""
    settings = read_settings()
    id = order_id(options.id or f"req-{uuid4().hex[:12]}")
    request = await _written(settings, PaymentRequestInput(id, options.provider), options)

    def operation() -> WithStartWorkflowOperation[Any, Any]:
        return WithStartWorkflowOperation(
            PaymentRequest.run,
            request,
            id=payment_request_id(id),
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            **payment_request_label(id, account=options.account, provider=options.provider),
        )

    made = await start_and_ask(
        await temporal_for_orders(settings),
        operation,
        "created",
        PaymentLink,
        workflow_id=payment_request_id(id),
        noun=NOUN,
        wait_seconds=wait_seconds,
        given=request,
    )
    facts = [
        ("State", made.state),
        ("Amount", money(made.amount_minor, made.currency)),
        ("Until", moment(made.expires_at)),
        ("Link", f"{settings.public_url}{made.path}"),
    ]
    link = workflow_link(settings, payment_request_id(id))
    output.answer(
        {**_without_path(made), "url": f"{settings.public_url}{made.path}", "link": link},
        table("", "Payment request", id, rows=facts),
        *link_line(link),
    )


async def show(output: Output, id: str) -> None:
    """Show one request. Raises RefusedError when there is none."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        found = await PaymentRequestQueries(database).find(id)
        if found is None:
            raise refusal("request", "payment_request_exists", f"there is no payment request {id!r}")
        stored = await PaymentRequestActivities(database).load_payment_request(id)
        files = await PaymentRequestQueries(database).files(id)
    action = await next_action(settings, payment_request_id(id))
    link = workflow_link(settings, payment_request_id(id))
    facts = [
        ("State", f"{PAYMENT_REQUEST.word(found.state)} {found.reason if found.closed_at else ''}".strip()),
        ("Account", found.account_id),
        ("Title", found.title),
        ("Amount", money(found.amount_minor, found.currency)),
        ("Payer chooses", _limits(found)),
        ("To pay now", money(stored.payable_minor, found.currency) if found.closed_at is None else ""),
        ("Invoices", ", ".join(found.invoices)),
        ("Until", moment(found.expires_at)),
        *next_fact(action),
        ("Payers", "\n".join(found.payers)),
        ("Files", "\n".join(files)),
        ("Sender", " ".join(filter(None, (found.sender, found.sender_email)))),
        ("Made", moment(found.created_at)),
        ("Over", moment(found.closed_at)),
        ("Decisions", "\n".join(found.decisions)),
    ]
    output.answer(
        {
            **document(found),
            "payable_minor": stored.payable_minor,
            "files": files,
            **next_document(action),
            "link": link,
        },
        table("", "Payment request", id, rows=[(name, value) for name, value in facts if value]),
        *link_line(link),
    )


async def give_link(output: Output, id: str, given: OperatorCommand) -> None:
    """Make one more link of a request. Raises RefusedError: there is none, or it is over."""
    require_who_and_why(given.actor, given.reason)
    settings = read_settings()
    async with database_of(settings) as database:
        token = await RequestLinks(database).given(id, actor=given.actor, reason=given.reason)
    url = f"{settings.public_url}{pay_path(token)}"
    output.answer({"request": id, "url": url}, table("", "Payment request", id, rows=[("Link", url)]))


async def list_page(output: Output, page: ListPage, state: str, account_id: str) -> None:
    """List a page of requests, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await PaymentRequestQueries(database).page(page, state=state, account_id=account_id)
    columns = {
        "Request": lambda row: row.id,
        "Account": lambda row: row.account_id,
        "Title": lambda row: row.title,
        "Amount>": lambda row: money(row.amount_minor, row.currency),
        "State": state_word,
        "Until": lambda row: moment(row.expires_at),
    }
    await answer_list(
        output, settings, "payment_requests", listed, columns, workflow_id=lambda row: payment_request_id(row.id)
    )


async def command(output: Output, id: str, update: str, given: OperatorCommand) -> None:
    """Ask a request for something, and show what it answered. Raises RefusedError with its own reason."""
    answered = await _asked(id, update, given, str)
    output.answer({"request": id, "answer": answered}, table("", "Payment request", id, rows=[("Answer", answered)]))


async def pay(output: Output, id: str, given: CardPayment, amount: str) -> None:
    """Charge a card for what a request asks for, its page closed first, and say what it came to. Raises RefusedError.

    A decline is an answer too: the request is open as before.
    """
    async with reading_database_of(read_settings()) as database:
        found = await PaymentRequestQueries(database).find(id)
    if found is None:
        raise refusal("request", "payment_request_exists", f"there is no payment request {id!r}")
    asked = amount_of(amount, found.currency)
    order = replace(given, amount_minor=asked.amount_minor if asked else 0)
    result = await _asked(id, "pay", order, CollectResult)
    facts = [
        ("Outcome", result.outcome),
        ("Amount", money(result.amount_minor, found.currency)),
        ("Card", result.card_label),
        ("Why not", result.decline_code or result.code),
    ]
    output.answer(
        {"request": id, "answer": asdict(result)},
        table("", "Payment request", id, rows=[(name, value) for name, value in facts if value]),
    )


async def resolve(output: Output, id: str, resolution: UnknownResolution) -> None:
    """Settle what nobody knew. Raises RefusedError with the request's own reason."""
    resolved = await _asked(id, "resolve_unknown", resolution, CollectResult)
    output.answer(
        {"request": id, "answer": asdict(resolved)},
        table("", "Payment request", id, rows=[("Answer", resolved.outcome)]),
    )


async def _asked(id: str, update: str, given: OperatorCommand, answer: type[Any]) -> Any:
    client = await temporal_for_orders(read_settings())
    return await ask(client, payment_request_id(id), update, given, answer, noun=NOUN)


async def _written(settings: Settings, request: PaymentRequestInput, options: RequestOptions) -> PaymentRequestInput:
    """Write the request down with its claim, once by its id, and return what its workflow is started with."""
    async with database_of(settings) as database:
        # Of an account that is to be made nothing is known yet but what is asked for.
        currency = options.currency or (await PaymentOrders(database).payer(options.account)).currency
        wanted = replace(request, terms=_terms(options, currency))
        files = read_files(options.files)
        _ = await open_payment_request(database, wanted, files)
    return wanted


def _terms(options: RequestOptions, currency: str) -> PaymentRequestTerms:
    least, most = (amount_of(text, currency, name) for text, name in ((options.least, "least"), (options.most, "most")))
    if least or most:
        asked, invoices = amount_of(options.amount, currency), options.invoices
    else:
        asked, invoices = asked_of(options.amount, options.invoices, currency)
    try:
        return PaymentRequestTerms(
            options.account,
            options.title,
            description=options.description,
            amount_minor=asked.amount_minor if asked else 0,
            currency=currency if asked or least or most else "",
            invoices=invoices,
            valid_days=options.valid_days,
            is_mailed=options.is_mailed,
            sender=options.sender,
            sender_email=options.sender_email,
            reason=options.reason,
            least_minor=least.amount_minor if least else 0,
            most_minor=most.amount_minor if most else 0,
            payers=options.payers,
            owner_name=options.owner,
            owner_email=options.owner_email,
            valid_seconds=seconds_of(options.valid_for),
        )
    except InvalidValidityError as error:
        raise refusal("valid_for", "validity_format", str(error)) from error
    except InvalidPaymentRequestError as error:
        field, _, message = str(error).partition(": ")
        raise refusal(field, "payment_request_valid", message) from error


def _limits(found: Row[Any]) -> str:
    if found.most_minor is None:
        return ""
    return f"{money(found.least_minor, found.currency)} to {money(found.most_minor, found.currency)}"


def _without_path(made: PaymentLink) -> dict[str, Any]:
    return {name: value for name, value in asdict(made).items() if name != "path"}
