"""The page of a transaction: its lines, what it settles, its double entry, and what was written about it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.ledger.transaction_queries import TransactionQueries
from activities.messages.queries import MessageQueries
from activities.payments.queries import PaymentQueries
from commands.formatting import moment as moment_text
from commands.ledger.transactions import state_of
from models.gateway.gateway_request import RequestKind
from models.ledger.transaction import Classification
from models.operations.record_states import MESSAGE
from web.actions.action import Action
from web.actions.forms import links_to
from web.actions.of_messages import MESSAGE_ABOUT
from web.actions.of_transactions import actions_of
from web.context import Visit
from web.views.cells import Cell, Column, Table, address, day, link, moment, money, state, table_of, text
from web.views.money_objects import returns_table
from web.views.objects import ActionLink, ObjectPage, show_object, show_part, stripe


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
    returns = (returns_table(await payments.returns(request.id)),) if request else ()
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


def _request(found: Row[Any] | None) -> Cell:
    """Lead to what a transaction came of: a payment through the gateway, or what was given back of one."""
    return link("payments" if found.kind == RequestKind.PAYMENT else "refunds", found.id) if found else Cell()


def _actions(found: Row[Any]) -> Sequence[Action]:
    return actions_of(found.classification, found.state, found.provider)


def _message(visit: Visit, found: Row[Any]) -> Sequence[ActionLink]:
    """Return the link to write about it: the owner of the account is, and only about what is posted."""
    if not visit.user.may(MESSAGE_ABOUT.permission):
        return ()
    why_not = "" if found.posted_on is not None else f"not while {found.state}"
    return (ActionLink("Message", f"{address('transactions', found.id)}/message", why_not),)


def _transaction_facts(found: Row[Any], counterparts: Sequence[Row[Any]]) -> list[tuple[str, Cell]]:
    posted = f"{moment_text(found.posted_at)} by {found.actor}" if found.posted_at else f"no; made by {found.actor}"
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
