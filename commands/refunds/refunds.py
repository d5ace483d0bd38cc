"""Refunds through the gateway: started, shown and checked."""

import re
from dataclasses import asdict, dataclass
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import Row
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.database import Database
from activities.gateway.mode import adapter_of
from activities.ledger.transaction_queries import TransactionQueries
from activities.refunds.credits import RefundCredits
from activities.refunds.queries import RefundQueries
from commands.formatting import document, moment, money
from commands.links import link_line, workflow_link
from commands.lists.next_actions import next_action, next_document, next_fact
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.refunds.credit import CreditOptions, credit_facts, planned
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from commands.updates import ask, require_who_and_why, start_and_ask
from models.gateway.gateway_request import RequestKind
from models.listing import ListPage
from models.money import Money, MoneyError
from models.operations.payment_states import REFUND
from models.problem import RefusedError, refusal
from models.refunds.refund import InvalidRefundError, RefundOrder, RefundRequest, RefundResult
from models.tables.configuration import BANK_DEBITS
from models.workflow_ids import WORKFLOW_QUEUE, refund_id
from settings import Settings
from workflows.refunds.refund import Refund
from workflows.visibility import refund_label

Answer = TypeVar("Answer")

RETRIED = frozenset({"rejected", "reversed"})


@dataclass(frozen=True)
class RefundOptions:
    """What is asked for on the command line; an amount in major units, or none for all that is left."""

    payment: str
    kind: RequestKind
    amount: str
    name: str
    actor: str
    reason: str
    is_acknowledged: bool
    credit: CreditOptions | None = None


async def create(output: Output, options: RefundOptions, *, wait_seconds: float) -> None:
    """Start a refund or payment cancellation. Raises RefusedError naming the rule."""
    require_who_and_why(options.actor, options.reason)
    settings = read_settings()
    async with database_of(settings) as database:
        payment = await TransactionQueries(database).require(options.payment)
        await _require_gateway(database, payment)
        order = _order(options, payment)
        if options.credit is not None:
            order = await planned(database, order, payment, options.credit)
        provider = payment.provider or settings.provider
        try:
            await _begin(output, settings, order, payment.account_id, provider, wait_seconds=wait_seconds)
        except RefusedError:
            await RefundCredits(database).drop(order.refund_id)
            raise


async def retry(output: Output, refund: str, *, actor: str, reason: str, wait_seconds: float) -> None:
    """Ask again for what was rejected or came back, under the next id."""
    require_who_and_why(actor, reason)
    settings = read_settings()
    found = await _found(settings, refund)
    if found.state not in RETRIED:
        word = REFUND.word(found.state)
        raise refusal("refund", "refund_is_over", f"{refund} is {word}; only what failed is asked for again")
    kind = RequestKind(found.kind)
    amount = found.amount_minor if kind is RequestKind.REFUND else 0
    order = RefundOrder(_next_name(refund), found.payment_id, amount, kind, actor, reason, is_acknowledged=True)
    async with database_of(settings) as database:
        await RefundCredits(database).move(refund, order.refund_id)
    await _begin(output, settings, order, found.account_id, found.provider_id, wait_seconds=wait_seconds)


async def show(output: Output, refund: str) -> None:
    """Show one refund."""
    settings = read_settings()
    found = await _found(settings, refund)
    async with reading_database_of(settings) as database:
        credit = await RefundCredits(database).find(refund)
    action = await next_action(settings, refund_id(refund))
    state = REFUND.word(found.state, action.stage if action else "")
    link = workflow_link(settings, refund_id(refund))
    rows = [*_facts(found, state), *next_fact(action), *credit_facts(credit, found.currency)]
    output.answer(
        {
            **document(found),
            "state": state,
            "credit_note": document(credit) if credit else None,
            **next_document(action),
            "link": link,
        },
        table("", "Refund", refund, rows=rows),
        *link_line(link),
    )


async def list_page(output: Output, page: ListPage, *, account_id: str, state: str) -> None:
    """List a page of refunds, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await RefundQueries(database).page(page, account_id=account_id, state=state)
    columns = {
        "Refund": lambda row: row.id,
        "Kind": lambda row: row.kind,
        "Account": lambda row: row.account_id,
        "Amount>": lambda row: money(row.amount_minor, row.currency),
        "State": state_word,
        "Why": lambda row: row.code,
    }
    await answer_list(output, settings, "refunds", listed, columns, workflow_id=lambda row: refund_id(row.id))


async def send_update(output: Output, refund: str, update: str, command: Any, answer: type[Answer]) -> None:
    """Ask a refund's workflow for something. Raises RefusedError with its own reason."""
    settings = read_settings()
    answered = await ask(await temporal_for_orders(settings), refund_id(refund), update, command, answer, noun="refund")
    document_ = asdict(answered) if isinstance(answered, RefundResult) else answered
    shown = answered.outcome if isinstance(answered, RefundResult) else answered
    output.answer({"refund": refund, "answer": document_}, table("", "Refund", refund, rows=[("Answer", shown)]))


async def _begin(
    output: Output, settings: Settings, order: RefundOrder, account_id: str, provider: str, *, wait_seconds: float
) -> None:
    first = await _first_outcome(await temporal_for_orders(settings), order, account_id, provider, wait_seconds)
    link = workflow_link(settings, refund_id(order.refund_id))
    facts: list[tuple[str, object]] = [
        ("Outcome", first.outcome),
        ("Why", first.code),
        ("Amount", money(first.amount_minor, first.currency) if first.currency else ""),
        ("At the gateway", first.gateway_reference),
        ("In the ledger", first.transaction_id),
    ]
    async with database_of(settings) as database:
        credit = await RefundCredits(database).find(order.refund_id)
    facts += credit_facts(credit, first.currency)
    brought = {"credit_note": document(credit)} if credit else {}
    output.answer(
        {"refund": order.refund_id, "first_outcome": asdict(first), **brought, "link": link},
        table("", "Refund", order.refund_id, rows=[fact for fact in facts if fact[1]]),
        *link_line(link),
    )


async def _first_outcome(
    client: Client, order: RefundOrder, account_id: str, provider: str, wait_seconds: float
) -> RefundResult:
    workflow_id = refund_id(order.refund_id)

    def operation() -> WithStartWorkflowOperation[Any, Any]:
        return WithStartWorkflowOperation(
            Refund.run,
            RefundRequest(order.refund_id, provider, order),
            id=workflow_id,
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            **refund_label(order.refund_id, payment=order.payment_id, account=account_id, provider=provider),
        )

    try:
        return await start_and_ask(
            client,
            operation,
            "first_outcome",
            RefundResult,
            workflow_id=workflow_id,
            noun="refund",
            wait_seconds=wait_seconds,
        )
    except WorkflowAlreadyStartedError as error:
        raise refusal("id", "refund_id_is_free", f"{order.refund_id} is over: see `refunds show`") from error


async def _require_gateway(database: Database, payment: Row[Any]) -> None:
    """Refuse what its provider can never give back: a bank debit goes back by a transfer (decision 0192)."""
    if payment.provider and await adapter_of(database, payment.provider) == BANK_DEBITS:
        raise refusal(
            "payment",
            "refund_by_transfer",
            f"{payment.id} is a bank debit: credit the account (`transactions create credit_note`, for its invoice),"
            " and the next `refunds export` gives that back by a transfer",
        )


def _order(options: RefundOptions, payment: Row[Any]) -> RefundOrder:
    try:
        amount = Money.parse(options.amount, payment.currency).amount_minor if options.amount else 0
        if options.amount and amount <= 0:
            raise refusal("amount", "amount_in_range", "must be more than nothing")
        return RefundOrder(
            options.name or f"rf_{uuid4().hex}",
            payment.id,
            amount,
            options.kind,
            options.actor,
            options.reason,
            is_acknowledged=options.is_acknowledged,
        )
    except MoneyError as error:
        raise refusal("amount", "amount_valid", str(error)) from error
    except InvalidRefundError as error:
        field, _, message = str(error).partition(": ")
        raise refusal({"refund_id": "id"}.get(field, field), "refund_valid", message) from error


def _next_name(refund: str) -> str:
    base, number = re.fullmatch(r"(.*?)(?:\.(\d+))?", refund).groups()  # type: ignore[union-attr]  # it always matches
    return f"{base}.{int(number or 1) + 1}"


async def _found(settings: Settings, refund: str) -> Row[Any]:
    async with reading_database_of(settings) as database:
        found = await RefundQueries(database).find(refund)
    if found is None:
        raise refusal("refund", "refund_exists", f"there is no refund {refund!r}")
    return found


def _facts(found: Row[Any], state: str) -> list[tuple[str, object]]:
    facts = [
        ("Kind", found.kind),
        ("Payment", found.payment_id),
        ("Account", found.account_id),
        ("Amount", str(Money(found.amount_minor, found.currency))),
        ("State", f"{state} {found.code}".strip()),
        ("At the gateway", found.gateway_reference),
        ("In the ledger", found.transaction_id),
        ("Asked by", found.asked_by),
        ("Because", found.asked_because),
        ("Asked", moment(found.created_at)),
        ("Executed", moment(found.executed_at)),
    ]
    return [(name, value) for name, value in facts if value]
