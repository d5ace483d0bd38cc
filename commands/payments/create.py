"""Charging a card of an account now: what is behind `payments create`, and behind each form to pay by.

A payment by a method of a gateway provider is a request to it (F52), made here by hand as runs make theirs (X13).
"""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from activities.collections.queries import CollectionQueries
from activities.database import Database
from activities.payments.orders import Ordered, PayingAccount, PaymentOrders
from activities.payments.queries import PaymentQueries
from commands.formatting import document, money
from commands.links import link_line, workflow_link
from commands.output import Failure, Output, table
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from commands.updates import require_who_and_why, start_and_ask
from models.collections.collection import CollectionRequest
from models.collections.collection_start import problems_of_start
from models.gateway.gateway_request import CollectResult
from models.payments.order import PaymentOrder, asked_of, order_id, state_of
from models.payments.state import PaymentState
from models.problem import Problem, RefusedError
from models.workflow_ids import WORKFLOW_QUEUE, collection_id
from settings import Settings
from workflows.collections.collection import Collection
from workflows.visibility import collection_label


@dataclass(frozen=True)
class OrderOptions:
    """What a person asks for; an empty id is a new payment."""

    id: str
    account: str
    provider: str
    amount: str
    invoices: tuple[str, ...]
    card: str
    preference: str
    hands_over: bool
    actor: str
    reason: str
    prepays: bool = False


async def create(output: Output, options: OrderOptions, *, wait_seconds: float) -> None:
    """Charge what is asked for, and say what it came to: a decline is an answer too. Raises RefusedError."""
    require_who_and_why(options.actor, options.reason)
    settings = read_settings()
    async with database_of(settings) as database:
        order, ordered = await place(database, options)
    await _answer(output, settings, order, ordered, wait_seconds)


async def place(database: Database, options: OrderOptions) -> tuple[PaymentOrder, Ordered]:
    """Write an order down with its claim, once by its id. Raises RefusedError or RuleBrokenError, nothing written."""
    orders = PaymentOrders(database)
    payer = await orders.payer(options.account)
    asked, invoices = asked_of(options.amount, options.invoices, payer.currency)
    order = PaymentOrder(
        order_id(options.id or f"pay-{uuid4().hex[:12]}"),
        options.account,
        options.provider,
        asked,
        invoices,
        options.card,
        options.preference,
        options.hands_over,
        options.actor,
        options.reason,
        options.prepays,
    )
    period = payer.receivable(order.id, datetime.now(UTC))
    if not await orders.is_known(order.id):
        await _require_collectable(database, order, payer, period)
    return order, await orders.order(order, payer, period)


async def _require_collectable(database: Database, order: PaymentOrder, payer: PayingAccount, period: str) -> None:
    """Ask what a run asks, before anything is written; whether the card may be charged, the order itself does."""
    found = await CollectionQueries(database).collectable(payer.account_id, period, order.provider)
    known = replace(found, has_card=True) if found else None
    found_wrong = problems_of_start(payer.account_id, period, order.provider, known, order.asked, prepays=order.prepays)
    if problems := [_with_way_out(each) for each in found_wrong]:
        raise RefusedError(problems)


def _with_way_out(problem: Problem) -> Problem:
    """Say beside a refusal of more than is owed what keeps the rest as credit."""
    if problem.rule not in {"amount_collectable", "something_owed"}:
        return problem
    return replace(problem, message=f"{problem.message}; with --prepay what is left is kept as credit")


async def _answer(
    output: Output, settings: Settings, order: PaymentOrder, ordered: Ordered, wait_seconds: float
) -> None:
    workflow_id = collection_id(ordered.account_id, ordered.period)
    result = await _first_outcome(settings, ordered, workflow_id, wait_seconds) if ordered.is_open else None
    async with reading_database_of(settings) as database:
        payment = await PaymentQueries(database).of_receivable(ordered.account_id, ordered.period)
    state = _state(order, ordered, result, payment)
    link = workflow_link(settings, workflow_id)
    why = (result.decline_code or result.code) if result else (payment.code if payment else "")
    facts = [
        ("State", state if state is not None else "still open: ask again with the same --id"),
        ("Amount", money(payment.amount_minor, payment.currency) if payment else ""),
        ("Card", payment.card if payment else ""),
        ("Number", payment.number if payment else ""),
        ("Why not", why if state is not PaymentState.SUCCEEDED else ""),
    ]
    output.answer(
        {
            "id": order.id,
            "state": state,
            "is_open": state is None,
            "workflow_id": workflow_id,
            "first_outcome": asdict(result) if result else None,
            "payment": document(payment) if payment else None,
            "link": link,
        },
        table("", "Payment", order.id, rows=[(name, value) for name, value in facts if value]),
        *link_line(link),
    )


def _state(
    order: PaymentOrder, ordered: Ordered, result: CollectResult | None, payment: Row[Any] | None
) -> PaymentState | None:
    """Return where the payment stands; None while nobody has answered."""
    if result is not None:
        return state_of(result, hands_over=order.hands_over)
    if ordered.is_open:
        return None
    return PaymentState(payment.state) if payment else PaymentState.CANCELED


async def _first_outcome(
    settings: Settings, ordered: Ordered, workflow_id: str, wait_seconds: float
) -> CollectResult | None:
    """Start what charges, or find it at work, and return what its first attempt came to; None: not yet."""
    client = await temporal_for_orders(settings)
    request = CollectionRequest(ordered.account_id, ordered.period, ordered.provider)

    def operation() -> WithStartWorkflowOperation[Any, Any]:
        return WithStartWorkflowOperation(
            Collection.run,
            request,
            id=workflow_id,
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            **collection_label(request, f"{ordered.account_id}: {ordered.id}, ordered by hand"),
        )

    try:
        return await start_and_ask(
            client,
            operation,
            "first_outcome",
            CollectResult,
            workflow_id=workflow_id,
            noun="payment",
            wait_seconds=wait_seconds,
        )
    except Failure as failure:
        if [problem.rule for problem in failure.problems] == ["answered_in_time"]:
            return None
        raise
