"""Showing and listing payments through gateways (P14, P15)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from activities.merchants.overview import MerchantOverview
from activities.payments.lookup import FOUND_AT_MOST, PaymentLookup
from activities.payments.queries import PaymentFilter, PaymentQueries
from commands.formatting import document, moment, money
from commands.links import link_line, workflow_link
from commands.lists.paging import answer_list
from commands.output import Output, table
from commands.session import read_settings, reading_database_of
from models.currency import UnknownCurrencyError
from models.listing import ListPage
from models.money import Money, MoneyError
from models.operations.payment_states import ATTEMPT, REFUND
from models.problem import refusal
from models.workflow_ids import collection_id

if TYPE_CHECKING:
    from rich.table import Table


async def show(output: Output, word: str) -> None:
    """Show the payment that a word stands for, or list them where it stands for several. Raises RefusedError."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        queries = PaymentQueries(database)
        found = await queries.payments(await PaymentLookup(database).ids(word), FOUND_AT_MOST)
        if not found:
            raise refusal("payment", "payment_exists", f"no payment through a gateway is found by {word!r}")
        if len(found) > 1:
            documents = [document(row) for row in found]
            output.answer({"payments": documents}, _several(found))
            return
        payment = found[0]
        attempts, returns = await queries.attempts(payment.id), await queries.returns(payment.id)
        moves = await MerchantOverview(database).moves(payment.id)
    link = workflow_link(settings, collection_id(payment.account_id, payment.period))
    output.answer(
        {
            **document(payment),
            "attempts": attempt_documents(attempts),
            "returns": [{**document(row), "state": REFUND.word(row.state)} for row in returns],
            "transfers": [document(row) for row in moves],
            "link": link,
        },
        table("", "Payment", payment.id, rows=facts_of(payment)),
        attempts_table(attempts, payment.currency),
        *([_returns(returns)] if returns else []),
        *([_moves(moves)] if moves else []),
        *link_line(link),
    )


async def list_page(
    output: Output, page: ListPage, wanted: PaymentFilter, *, bounds: tuple[str, str], with_totals: bool
) -> None:
    """List a page of payments, the newest first; `bounds` are the least and the most amount. Raises RefusedError."""
    wanted = within(wanted, bounds)
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await PaymentQueries(database).page(page, wanted, with_totals=with_totals)
    columns = {
        "Payment": lambda row: row.id,
        "Account": lambda row: row.account_id,
        "State": lambda row: row.state,
        "Amount>": lambda row: money(row.amount_minor, row.currency),
        "Card": lambda row: row.card,
        "Tries>": lambda row: row.attempts,
        "Asked": lambda row: moment(row.created_at),
    }
    await answer_list(output, settings, "payments", listed, columns)


def within(wanted: PaymentFilter, bounds: tuple[str, str]) -> PaymentFilter:
    """Read the bounds of an amount, in major units of the currency that is wanted. Raises RefusedError."""
    if any(bounds) and not wanted.currency:
        raise refusal("currency", "currency_given", "an amount is of a currency: name it, too")
    try:
        least, most = (Money.parse(text, wanted.currency).amount_minor if text else None for text in bounds)
    except UnknownCurrencyError as error:
        raise refusal("currency", "currency_known", str(error)) from error
    except MoneyError as error:
        raise refusal("amount", "amount_is_decimal", str(error)) from error
    return replace(wanted, least_minor=least, most_minor=most)


def facts_of(payment: Row[Any]) -> list[tuple[str, object]]:
    """Return what a person reads of a payment."""
    facts = [
        ("State", payment.state),
        ("Account", payment.account_id),
        ("Amount", money(payment.amount_minor, payment.currency)),
        ("Application fee", _application_fee(payment)),
        ("Passed on to", payment.merchant_provider),
        ("Number", payment.number),
        ("Method", f"{payment.method or ''} {payment.preference or ''}".strip()),
        ("Card", payment.card),
        ("Asked by", payment.order_id or payment.payment_request_id or payment.run_id or payment.kind),
        ("Why not", payment.code if payment.state != "succeeded" else ""),
        ("At the gateway", " ".join(filter(None, (payment.gateway_reference, payment.charge_reference)))),
        ("Asked", moment(payment.created_at)),
        ("Decided", moment(payment.executed_at)),
    ]
    return [(name, value) for name, value in facts if value]


def _application_fee(payment: Row[Any]) -> str:
    return money(payment.application_fee_minor, payment.currency) if payment.application_fee_minor else ""


def attempt_documents(rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """Return attempts as a program reads them."""
    return [{**document(row), "outcome": ATTEMPT.word(row.outcome)} for row in rows]


def attempts_table(rows: Sequence[Row[Any]], currency: str) -> "Table":
    """Make the table of a request's attempts."""
    shown = [
        (
            row.attempt,
            row.channel,
            row.cause,
            money(row.amount_minor, currency) if row.amount_minor else "",
            row.card,
            ATTEMPT.word(row.outcome),
            row.decline_code or row.code or row.gateway_reference,
            moment(row.started_at),
        )
        for row in rows
    ]
    columns = ("No.", "Channel", "Cause", "Amount", "Card", "Outcome", "Why, or where", "Asked")
    return table("Attempts", *columns, rows=shown, right=("No.", "Amount"))


def _several(rows: Sequence[Row[Any]]) -> "Table":
    shown = [(row.id, row.state, money(row.amount_minor, row.currency), moment(row.created_at)) for row in rows]
    return table("Payments", "Payment", "State", "Amount", "Asked", rows=shown, right=("Amount",))


def _returns(rows: Sequence[Row[Any]]) -> "Table":
    shown = [
        (
            row.id,
            row.kind,
            REFUND.word(row.state),
            money(row.amount_minor, row.currency),
            row.gateway_reference or row.error_code,
        )
        for row in rows
    ]
    return table("Given back", "Request", "Kind", "State", "Amount", "Why, or where", rows=shown, right=("Amount",))


def _moves(rows: Sequence[Row[Any]]) -> "Table":
    shown = [
        (
            row.place,
            row.kind,
            "somebody else" if row.cause == "outside" else row.cause,
            money(row.amount_minor, row.currency),
            row.state,
            row.code or " ".join(filter(None, (row.gateway_reference, row.connected_reference))),
            moment(row.finished_at or row.sent_at),
        )
        for row in rows
    ]
    return table("Passed on", "No.", "What", "For", "Amount>", "State", "Why, or where", "At", rows=shown)
