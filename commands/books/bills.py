"""Making, paying and showing bills."""

import uuid
from typing import Any

from rich.table import Table
from sqlalchemy import Row

from activities.books.bills import Bills
from activities.database import Database
from activities.payments.orders import PaymentOrders
from commands.changing.changes import person_of
from commands.collection_signals import signal_collections
from commands.formatting import document, moment, money
from commands.ledger.corrections import Because
from commands.ledger.transaction_writer import WriteOptions
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.payments.quick_pay import QuickPay, charge, order_id_of, provider_to_ask, require_of_gateway
from commands.session import database_of, read_settings, reading_database_of
from commands.updates import require_who_and_why
from models.listing import ListPage
from models.money import Money, MoneyError
from models.problem import refusal

NO_LIMIT = "none"


async def make(output: Output, account: str, period: str, *, actor: str) -> None:
    """Make the bill of an account for a period."""
    async with database_of(read_settings()) as database:
        bill = await Bills(database).make(account, period, actor=person_of(actor))
        rows = await Bills(database).documents(bill.id)
        steps = await Bills(database).steps(bill.id)
    _answer(output, bill, rows, steps)


async def limit(output: Output, currency: str, amount: str, *, actor: str, reason: str) -> None:
    """Say above which amount a bill is exceptional."""
    limit_minor = None if amount == NO_LIMIT else _minor(amount, currency)
    async with database_of(read_settings()) as database:
        await Bills(database).limit(currency, limit_minor, actor=person_of(actor), reason=reason)
    output.answer(
        {"currency": currency, "limit_minor": limit_minor},
        f"Bills above {money(limit_minor, currency)} are exceptional." if limit_minor else f"No limit in {currency}.",
    )


async def pay(output: Output, identifier: str, asked: QuickPay, *, key: str, actor: str, wait_seconds: float) -> None:
    """Pay what is unsettled of a bill: a gateway charges where it handles the method, else it is booked."""
    settings = read_settings()
    async with database_of(settings) as database:
        bills = Bills(database)
        bill = await bills.require(identifier)
        provider = await provider_to_ask(database, asked, key)
        if provider:
            await _charge(output, database, bill, provider, asked, WriteOptions(actor, key), wait_seconds)
            return
        receipt = await bills.pay(
            bill.id,
            key=key or f"cli:{uuid.uuid4()}",
            method=asked.method,
            payment_reference=asked.reference or None,
            actor=person_of(actor),
        )
        signals = await signal_collections(output, database, settings, [bill.account_id])
        bill = await bills.require(identifier)
    output.answer(
        {"payment": receipt.number, "bill": _document(bill), **signals},
        f"Paid {bill.number} by {receipt.number}; {money(bill.unsettled_minor, bill.currency)} of it is unsettled.",
    )


async def _charge(
    output: Output,
    database: Database,
    bill: Row[Any],
    provider: str,
    asked: QuickPay,
    options: WriteOptions,
    wait_seconds: float,
) -> None:
    require_of_gateway(asked, Because(), options)
    documents = await Bills(database).documents(bill.id)
    unsettled = [one.id for one in documents if one.classification == "invoice" and one.unsettled_minor]
    # Asked for again it is the payment that it was, whatever that has settled.
    ordered = await PaymentOrders(database).invoices_of(order_id_of(options.key)) if options.key else []
    if not {*ordered} <= {one.id for one in documents}:
        raise refusal(
            "key", "key_means_one_request", f"it was given to a payment of other invoices than those of {bill.number}"
        )
    if not ordered and not unsettled:
        raise refusal("bill", "bill_unsettled", f"nothing of {bill.number} is unsettled")
    await charge(output, bill.account_id, ordered or unsettled, provider, asked, options, wait_seconds=wait_seconds)


async def present(output: Output, identifier: str, state: str, *, actor: str, reason: str) -> None:
    """Take a bill one step on: presented, confirmed or rejected. Where it stands already, nothing changes."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database:
        bills = Bills(database)
        bill = await bills.require(identifier)
        was = await bills.present(bill.id, state, actor=actor, reason=reason)
        bill = await bills.require(identifier)
    output.answer(
        {"bill": _document(bill), "was": was},
        table("", "Bill", bill.number, rows=[("State", bill.state), ("Before", was)]),
    )


async def show(output: Output, identifier: str) -> None:
    """Show a bill with its documents."""
    async with reading_database_of(read_settings()) as database:
        bill = await Bills(database).require(identifier)
        rows = await Bills(database).documents(bill.id)
        steps = await Bills(database).steps(bill.id)
    _answer(output, bill, rows, steps)


async def list_page(
    output: Output,
    page: ListPage,
    *,
    account_id: str,
    period: str,
    state: str,
    is_exceptional: bool,
    is_unsettled: bool,
) -> None:
    """List a page of bills, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await Bills(database).page(
            page,
            account_id=account_id,
            period=period,
            state=state,
            is_exceptional=is_exceptional,
            is_unsettled=is_unsettled,
        )
    columns = {
        "Number": lambda row: row.number,
        "Account": lambda row: row.account_id,
        "Period": lambda row: row.period,
        "Outstanding>": lambda row: money(row.outstanding_minor, row.currency),
        "Unsettled>": lambda row: money(row.unsettled_minor, row.currency),
        "State": state_word,
        "Exceptional": lambda row: "yes" if row.is_exceptional else "",
    }
    await answer_list(output, settings, "bills", listed, columns, also=_settled)


async def history(
    output: Output, account: str, period: str, limit_rows: int, *, is_exceptional: bool, state: str = ""
) -> None:
    """Show bills, the newest first."""
    async with reading_database_of(read_settings()) as database:
        rows = await Bills(database).history(account, period, limit_rows, is_exceptional=is_exceptional, state=state)
    shown = [
        (
            one.number,
            one.account_id,
            one.period,
            money(one.outstanding_minor, one.currency),
            money(one.unsettled_minor, one.currency),
            one.state,
            _word(one),
        )
        for one in rows
    ]
    columns = ("Number", "Account", "Period", "Outstanding", "Unsettled", "State", "Settled")
    output.answer(
        {"bills": [_document(one) for one in rows]},
        table("Bills", *columns, rows=shown, right=("Outstanding", "Unsettled")),
    )


def _answer(output: Output, bill: Row[Any], rows: Any, steps: Any) -> None:
    facts = [
        ("Account, period", f"{bill.account_id}, {bill.period}"),
        ("Brought forward", money(bill.brought_forward_minor, bill.currency)),
        ("Debited since", money(bill.debited_minor, bill.currency)),
        ("Credited since", money(bill.credited_minor, bill.currency)),
        ("Invoices", money(bill.invoiced_minor, bill.currency)),
        ("Credit notes", money(bill.credit_notes_minor, bill.currency)),
        ("Outstanding", money(bill.outstanding_minor, bill.currency)),
        ("Unsettled now", money(bill.unsettled_minor, bill.currency)),
        ("State", bill.state),
        ("Settled", _word(bill)),
        ("Exceptional", f"above {money(bill.exceeded_minor, bill.currency)}" if bill.is_exceptional else "no"),
        ("Made", f"{moment(bill.made_at)} by {bill.run_id or bill.actor}"),
    ]
    kept = [(moment(one.at), one.state, one.actor, one.reason) for one in steps]
    output.answer(
        {
            **_document(bill),
            "documents": [document(one) for one in rows],
            "steps": [document(one) for one in steps],
        },
        table("", "Bill", bill.number, rows=facts),
        _table(bill, rows),
        *([table("Steps", "At", "State", "By", "Why", rows=kept)] if kept else []),
    )


def _table(bill: Row[Any], rows: Any) -> Table:
    shown = [
        (one.number, one.classification, one.posted_on, one.due_on, money(one.total_minor, bill.currency))
        for one in rows
    ]
    return table("Documents", "Number", "Classification", "Posted", "Due", "Total", rows=shown, right=("Total",))


def _document(bill: Row[Any]) -> dict[str, Any]:
    return {**document(bill), **_settled(bill)}


def _settled(bill: Row[Any]) -> dict[str, Any]:
    return {"is_settled": bill.unsettled_minor == 0}


def _word(bill: Row[Any]) -> str:
    return "no" if bill.unsettled_minor else "yes"


def _minor(amount: str, currency: str) -> int:
    try:
        return Money.parse(amount, currency).amount_minor
    except (MoneyError, ValueError) as error:
        raise refusal("amount", "amount_format", str(error)) from error
