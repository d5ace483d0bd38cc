"""The pages of a payment through a gateway (P14), of a request to one (G17, X31 to X42), and of a refund."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.merchants.overview import MerchantOverview
from activities.payments.queries import PaymentQueries
from activities.payments.request_queries import RequestQueries
from activities.refunds.credits import RefundCredits
from activities.refunds.queries import RefundQueries
from models.gateway.gateway_request import RequestKind
from models.operations.payment_states import ATTEMPT, REFUND
from models.problem import refusal
from models.workflow_ids import collection_id, refund_id
from web.actions.forms import links_of
from web.context import Visit
from web.views.cells import Cell, Column, Table, link, moment, money, state, table_of, text, words
from web.views.objects import ObjectPage, show_object, stripe, temporal


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
    moves = await MerchantOverview(visit.web.reading).moves(id)
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
            ("Provider", _provider(visit, payment.provider)),
            ("Application fee", money(payment.application_fee_minor or None, payment.currency)),
            ("Passed on to", _provider(visit, payment.merchant_provider)),
            ("At the gateway", text(" ".join(filter(None, (payment.gateway_reference, payment.charge_reference))))),
            ("Invoices", text(", ".join(payment.invoices or ()))),
            ("Asked", moment(payment.created_at)),
            ("Decided", moment(payment.executed_at)),
        ),
        tables=(
            attempts_table(attempts, payment.currency),
            returns_table(returns),
            *([moves_table(moves)] if moves else []),
        ),
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
            ("Provider", _provider(visit, found.provider)),
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


def _provider(visit: Visit, id: str | None) -> Cell:
    """Lead to a provider; who is limited to merchants sees its id, for it may be the house's."""
    return text(id) if visit.user.merchants else link("providers", id)


def _card_of(row: Row[Any]) -> Cell:
    """Show the card of an attempt by its label, or by what it is made of; a refund's has none."""
    known = row._mapping  # noqa: SLF001  # SQLAlchemy's public name
    return text(known["card"] if "card" in known else f"{row.brand or ''} {row.last4 or ''}".strip())


def _asked_by(payment: Row[Any]) -> Cell:
    if payment.run_id:
        return link("runs", payment.run_id)
    if payment.payment_request_id:
        return link("payment-requests", payment.payment_request_id)
    return text(payment.order_id or payment.kind)


def returns_table(rows: Sequence[Row[Any]]) -> Table:
    """Make the table of what was given back of a payment."""
    columns = (
        Column("Refund", lambda row: link("refunds", row.id)),
        Column("Kind", lambda row: text(row.kind.replace("_", " "))),
        Column("State", lambda row: state(REFUND.word(row.stored_state))),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Why, or where", lambda row: text(row.error_code or row.gateway_reference)),
    )
    return table_of("Given back", columns, rows, empty="Nothing.")


def moves_table(rows: Sequence[Row[Any]]) -> Table:
    """Make the table of a payment's transfers to a merchant's account, and of what was taken back of them."""
    columns = (
        Column("No.", lambda row: text(row.place), is_number=True),
        Column("What", lambda row: text(row.kind)),
        Column("For", lambda row: text("somebody else" if row.cause == "outside" else row.cause)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("State", lambda row: state(row.state)),
        Column("Why", lambda row: words(row.code)),
        Column("At the gateway", lambda row: text(row.gateway_reference)),
        Column("On the merchant's account", lambda row: text(row.connected_reference)),
        Column("Asked", lambda row: moment(row.sent_at)),
        Column("Answered", lambda row: moment(row.finished_at)),
    )
    return table_of("Passed on to the merchant", columns, rows)
