"""The pages of a transaction, of a payment through a gateway, of a request to one, and of a refund."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.ledger.transaction_queries import TransactionQueries
from activities.messages.queries import MessageQueries
from activities.payments.queries import PaymentQueries
from activities.payments.request_queries import RequestQueries
from activities.refunds.credits import RefundCredits
from activities.refunds.queries import RefundQueries
from commands.ledger.transactions import state_of
from models.gateway.gateway_request import RequestKind
from models.ledger.transaction import Classification
from models.operations.payment_states import ATTEMPT, REFUND
from models.operations.record_states import MESSAGE
from models.problem import refusal
from models.workflow_ids import collection_id, refund_id
from web.actions.action import Action
from web.actions.forms import links_of, links_to
from web.actions.of_messages import MESSAGE_ABOUT
from web.actions.of_transactions import actions_of
from web.context import Visit
from web.views.cells import Cell, Column, Table, address, day, link, moment, money, state, table_of, text
from web.views.objects import ActionLink, ObjectPage, show_object, show_part, stripe, temporal


async def show_transaction(visit: Visit) -> Response:
    """Show a transaction with its lines, what it settles, and what was made of it."""
    records = TransactionQueries(visit.web.reading)
    found = await records.require(visit.request.path_params["id"])
    lines = await records.lines(found.id)
    allocations = await records.allocations(found.id)
    counterparts = await records.counterparts(found.id)
    request = await PaymentQueries(visit.web.reading).request_of(found.provider, found.gateway_reference)
    shown = ObjectPage(
        title=found.number or f"{found.reference_number}, without a number yet",
        kind=found.classification.replace("_", " "),
        state=state(state_of(found)),
        actions=[*links_to(visit, _actions(found), found.id, state_of(found)), *_message(visit, found)],
        figures=(
            ("Total", money(found.total_minor, found.currency)),
            ("Unsettled", money(found.unsettled_minor, found.currency)),
        ),
        facts=[*_transaction_facts(found, counterparts), ("Asked of the gateway", _request(request))],
        tables=(*_lines(lines, found.currency), _allocations(allocations, found.currency)),
        parts=(("Double entry, notes and messages", f"/transactions/{found.id}/more"),),
        links=(stripe(visit, found.gateway_reference if found.provider else None),),
    )
    return show_object(visit, shown)


_MESSAGES = (
    Column("Message", lambda row: link("messages", row.id)),
    Column("State", lambda row: state(MESSAGE.word(row.state))),
    Column("Written", lambda row: moment(row.created_at)),
    Column("Sent", lambda row: moment(row.sent_at)),
)


async def transaction_more(visit: Visit) -> Response:
    """Show the double entry of a transaction, its notes, and what was written to its customer about it."""
    records = TransactionQueries(visit.web.reading)
    found = await records.require(visit.request.path_params["id"])
    transfers = await records.transfers(found.id)
    notes = await records.notes(found.id)
    messages = await MessageQueries(visit.web.reading).about(found.account_id, found.id)
    payments = PaymentQueries(visit.web.reading)
    is_payment = found.classification == Classification.PAYMENT
    request = await payments.request_of(found.provider, found.gateway_reference) if is_payment else None
    returns = (_returns(await payments.returns(request.id)),) if request else ()
    entry = (
        Column("Debit", lambda row: text(row.debit_account)),
        Column("Credit", lambda row: text(row.credit_account)),
        Column("Amount", lambda row: money(row.amount_minor, found.currency), is_money=True),
    )
    written = (
        Column("Note", lambda row: text(row.note)),
        Column("By", lambda row: text(row.author)),
        Column("At", lambda row: moment(row.noted_at)),
    )
    return show_part(
        visit,
        (
            *returns,
            table_of("Double entry", entry, transfers, empty="A draft moves nothing."),
            table_of("Notes", written, notes),
            table_of("Messages", _MESSAGES, messages),
        ),
    )


async def show_payment(visit: Visit) -> Response:
    """Show a payment through a gateway with its attempts, and what was given back of it."""
    id = visit.request.path_params["id"]
    queries = PaymentQueries(visit.web.reading)
    found = await queries.payments([id], 1)
    if not found:
        raise refusal("payment", "payment_exists", f"there is no payment {id!r}")
    payment = found[0]
    attempts = await queries.attempts(id)
    returns = await queries.returns(id)
    workflow = collection_id(payment.account_id, payment.period)
    shown = ObjectPage(
        title=payment.id,
        kind="payment through a gateway",
        state=state(payment.state),
        figures=(("Amount", money(payment.amount_minor, payment.currency)),),
        facts=(
            ("Account", link("accounts", payment.account_id)),
            ("Why not", text(payment.code if payment.state != "succeeded" else "")),
            ("Number", link("transactions", payment.payment_id, payment.number)),
            ("Receivable", link("collections", f"{payment.account_id}/{payment.period}", payment.period)),
            ("Asked by", _asked_by(payment)),
            ("Method", text(f"{payment.method or ''} {payment.preference or ''}".strip())),
            ("Card", text(payment.card)),
            ("Provider", text(payment.provider)),
            ("Application fee", money(payment.application_fee_minor or None, payment.currency)),
            ("Passed on to", text(payment.merchant_provider)),
            ("At the gateway", text(" ".join(filter(None, (payment.gateway_reference, payment.charge_reference))))),
            ("Invoices", text(", ".join(payment.invoices or ()))),
            ("Asked", moment(payment.created_at)),
            ("Decided", moment(payment.executed_at)),
        ),
        tables=(attempts_table(attempts, payment.currency), _returns(returns)),
        links=(stripe(visit, payment.gateway_reference), temporal(visit, workflow)),
    )
    return show_object(visit, shown)


async def show_gateway_request(visit: Visit) -> Response:
    """Show a request to a gateway with its attempts (X32). Nobody can edit one (X31)."""
    id = visit.request.path_params["id"]
    found = await RequestQueries(visit.web.reading).find(id)
    if found is None:
        raise refusal("request", "request_exists", f"there is no request {id!r}")
    attempts = await PaymentQueries(visit.web.reading).attempts(id)
    noun = {RequestKind.PAYMENT: "payments", RequestKind.CARD_VALIDATION: ""}.get(found.kind, "refunds")
    shown = ObjectPage(
        title=found.id,
        kind=f"request to a gateway, {found.kind.replace('_', ' ')}",
        state=state(found.state),
        figures=(("Amount", money(found.amount_minor or None, found.currency)),),
        facts=(
            ("Account", link("accounts", found.account_id)),
            ("What it became", link(noun, found.id) if noun else text("")),
            ("Provider", text(found.provider)),
            ("Run", link("runs", found.run_id)),
            ("Preference", text(found.preference)),
            ("Card", text(found.card)),
            ("Payment", link("transactions", found.payment_id)),
            ("Payment cancellation", link("transactions", found.payment_cancellation_id)),
            ("Refund", link("transactions", found.refund_id)),
            ("Gives back", link("requests", found.of_request_id)),
            ("Invoices", text(", ".join(found.invoices))),
            ("Paid bills", text(", ".join(found.paid_bills))),
            ("Topped-up wallet", text(", ".join(found.topped_up_wallets))),
            ("At the gateway", text(found.gateway_reference)),
            ("Error", text(f"{found.error_code} {found.error_description}".strip())),
            ("Asked by", text(f"{found.asked_by} {found.asked_because}".strip())),
            ("Asked", moment(found.created_at)),
            ("Executed", moment(found.executed_at)),
        ),
        tables=(attempts_table(attempts, found.currency),),
        links=(stripe(visit, found.gateway_reference),),
    )
    return show_object(visit, shown)


async def show_refund(visit: Visit) -> Response:
    """Show a refund or a payment cancellation."""
    id = visit.request.path_params["id"]
    found = await RefundQueries(visit.web.reading).find(id)
    if found is None:
        raise refusal("refund", "refund_exists", f"there is no refund {id!r}")
    credit = await RefundCredits(visit.web.reading).find(id)
    shown = ObjectPage(
        title=found.id,
        kind=found.kind.replace("_", " "),
        state=state(REFUND.word(found.state)),
        actions=links_of(visit, "refunds", found.id, REFUND.word(found.state)),
        figures=(("Amount", money(found.amount_minor, found.currency)),),
        facts=(
            ("Account", link("accounts", found.account_id)),
            ("Payment", link("transactions", found.payment_id)),
            ("Why not", text(found.code)),
            ("In the ledger", link("transactions", found.transaction_id)),
            ("Credit note", link("transactions", credit.credit_note_id if credit else None)),
            ("Asked by", text(found.asked_by)),
            ("Because", text(found.asked_because)),
            ("At the gateway", text(found.gateway_reference)),
            ("Asked", moment(found.created_at)),
            ("Executed", moment(found.executed_at)),
        ),
        links=(stripe(visit, found.gateway_reference), temporal(visit, refund_id(found.id))),
    )
    return show_object(visit, shown)


def attempts_table(rows: Sequence[Row[Any]], currency: str) -> Table:
    """Make the table of a request's attempts: which card, what came of it, and why."""
    columns = (
        Column("No.", lambda row: text(row.attempt), is_number=True),
        Column("Cause", lambda row: text(row.cause)),
        Column("Amount", lambda row: money(row.amount_minor or None, currency), is_money=True),
        Column("Card", _card_of),
        Column("Outcome", lambda row: state(ATTEMPT.word(row.outcome))),
        Column("Why", lambda row: text(row.decline_code or row.code)),
        Column("At the gateway", lambda row: text(row.gateway_reference)),
        Column("Asked", lambda row: moment(row.started_at)),
        Column("Answered", lambda row: moment(row.finished_at)),
    )
    return table_of("Attempts", columns, rows, empty="None was made.")


def _request(found: Row[Any] | None) -> Cell:
    """Lead to what a transaction came of: a payment through the gateway, or what was given back of one."""
    return link("payments" if found.kind == RequestKind.PAYMENT else "refunds", found.id) if found else Cell()


def _card_of(row: Row[Any]) -> Cell:
    """Show the card of an attempt by its label, or by what it is made of; a refund's has none."""
    known = row._mapping  # noqa: SLF001  # SQLAlchemy's public name
    return text(known["card"] if "card" in known else f"{row.brand or ''} {row.last4 or ''}".strip())


def _actions(found: Row[Any]) -> Sequence[Action]:
    return actions_of(found.classification, found.state, found.provider)


def _message(visit: Visit, found: Row[Any]) -> Sequence[ActionLink]:
    """Return the link to write about it: the owner of the account is, and only about what is posted."""
    if not visit.user.may(MESSAGE_ABOUT.permission):
        return ()
    why_not = "" if found.posted_on is not None else f"not while {found.state}"
    return (ActionLink("Message", f"{address('transactions', found.id)}/message", why_not),)


def _asked_by(payment: Row[Any]) -> Cell:
    if payment.run_id:
        return link("runs", payment.run_id)
    if payment.payment_request_id:
        return link("payment-requests", payment.payment_request_id)
    return text(payment.order_id or payment.kind)


def _returns(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Refund", lambda row: link("refunds", row.id)),
        Column("Kind", lambda row: text(row.kind.replace("_", " "))),
        Column("State", lambda row: state(REFUND.word(row.stored_state))),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Why, or where", lambda row: text(row.error_code or row.gateway_reference)),
    )
    return table_of("Given back", columns, rows, empty="Nothing.")


def _transaction_facts(found: Row[Any], counterparts: Sequence[Row[Any]]) -> list[tuple[str, Cell]]:
    posted = f"{found.posted_at:%Y-%m-%d %H:%M}Z by {found.actor}" if found.posted_at else f"no; made by {found.actor}"
    return [
        ("Account", link("accounts", found.account_id)),
        ("Id, reference number", text(f"{found.id}, {found.reference_number}")),
        ("Type", text(found.type_id)),
        ("Category", text(found.category)),
        ("Issued on", day(found.issued_on)),
        ("Posted on", day(found.posted_on)),
        ("Due on", day(found.due_on)),
        ("Posted", text(posted)),
        ("Method", text(found.method)),
        ("Gateway", text(f"{found.provider} {found.gateway_reference or ''}".strip() if found.provider else "")),
        ("Payment reference", text(found.payment_reference)),
        ("Back office code", text(found.back_office_code)),
        ("Addressed invoices", text(", ".join(found.addressed_invoice_ids))),
        ("Meant for", link("accounts", found.intended_account_id)),
        ("Issue reason", text(found.issue_reason)),
        ("Rejected", text(f"{found.rejection_reason} by {found.rejected_by}" if found.rejected_at else "")),
        ("Made of", link("transactions", found.counterpart_id)),
        *(
            (f"Its {one.classification.replace('_', ' ')}", link("transactions", one.id, one.number))
            for one in counterparts
        ),
    ]


def _rate(row: Row[Any]) -> str:
    if row.tax_percent:
        return f"{row.tax_percent.normalize():f} %"
    return "service" if row.applied_taxes else "none"


def _lines(rows: Sequence[Row[Any]], currency: str) -> list[Table]:
    if not rows:
        return []
    columns = (
        Column("No.", lambda row: text(row.position), is_number=True),
        Column("Product", lambda row: text(row.description or row.product_id)),
        Column("Period", lambda row: text(f"{row.period_from} to {row.period_to}" if row.period_from else "")),
        Column("Quantity", lambda row: text(f"{row.quantity.normalize():f}"), is_number=True),
        Column("Price", lambda row: money(row.unit_price_minor, currency), is_money=True),
        Column("Discount", lambda row: money(row.discount_minor, currency), is_money=True),
        Column("Net", lambda row: money(row.net_minor, currency), is_money=True),
        Column("Rate", lambda row: text(_rate(row))),
        Column("Tax", lambda row: money(row.tax_minor, currency), is_money=True),
        Column("Total", lambda row: money(row.total_minor, currency), is_money=True),
    )
    return [table_of("Lines", columns, rows)]


def _allocations(rows: Sequence[Row[Any]], currency: str) -> Table:
    columns = (
        Column("Number", lambda row: link("transactions", row.id, row.number)),
        Column("Kind", lambda row: text(row.classification.replace("_", " "))),
        Column("Amount", lambda row: money(row.amount_minor, currency), is_money=True),
        Column("Since", lambda row: moment(row.created_at)),
    )
    return table_of("Settles, or is settled by", columns, rows, empty="Nothing.")
