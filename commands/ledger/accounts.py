"""Showing accounts."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row

from activities.ledger.account_queries import AccountQueries
from commands.formatting import document, moment, money
from commands.output import Output, table
from commands.paging import answer_page
from commands.session import database_of, read_settings
from models.problem import refusal

PAYMENTS = 12


async def show(output: Output, account_id: str) -> None:
    """Show one account with all that belongs to it. Raises RefusedError when there is none."""
    async with database_of(read_settings()) as database:
        records = AccountQueries(database)
        account = await records.find(account_id)
        if account is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        subscriptions = await records.subscriptions(account_id)
        cards = await records.cards(account_id)
        customers = await records.customers(account_id)
        unsettled = await records.unsettled(account_id)
        payments = await records.payments(account_id, PAYMENTS)
    output.answer(
        {
            **document(account),
            "customers": [document(row) for row in customers],
            "subscriptions": [document(row) for row in subscriptions],
            "cards": [document(row) for row in cards],
            "unsettled_invoices": [document(row) for row in unsettled],
            "payments": [document(row) for row in payments],
        },
        table("", "Account", account.id, rows=_facts(account, customers)),
        _subscriptions(subscriptions),
        _cards(cards),
        _invoices(unsettled, account.currency),
        _payments(payments),
    )


async def list_page(output: Output, *, after: str, limit: int, state: str) -> None:
    """List one page of accounts; `next` continues behind it."""
    async with database_of(read_settings()) as database:
        rows = await AccountQueries(database).page(after=after, limit=limit, state=state)
    shown = [(row.id, row.owner_name, row.state, row.time_zone, money(row.balance_minor, row.currency)) for row in rows]
    answer_page(
        output,
        "accounts",
        rows,
        table("", "Account", "Owner", "State", "Time zone", "Balance", rows=shown, right=("Balance",)),
        limit=limit,
    )


def _facts(account: Row[Any], customers: Iterable[Row[Any]]) -> list[tuple[str, object]]:
    limit = account.credit_limit_minor
    return [
        ("Owner", account.owner_name),
        ("State", account.state),
        ("Balance", money(account.balance_minor, account.currency)),
        ("Credit limit", "none" if limit is None else money(limit, account.currency)),
        ("Time zone, locale", f"{account.time_zone}, {account.locale}"),
        ("E-mail", account.email),
        *((f"Customer at {row.provider_id}", row.customer_reference) for row in customers),
    ]


def _subscriptions(rows: Iterable[Row[Any]]) -> Any:
    shown = [
        (
            row.id,
            row.name,
            f"{row.quantity} x {money(row.price_minor, row.currency)}",
            row.billing_day,
            row.starts_on,
            row.ends_on,
        )
        for row in rows
    ]
    return table("Subscriptions", "Id", "Product", "Price", "Day", "Starts", "Ends", rows=shown, right=("Price", "Day"))


def _cards(rows: Iterable[Row[Any]]) -> Any:
    shown = [
        (
            row.fallback_order,
            f"{row.brand} {row.last4}",
            f"{row.exp_month:02d}/{row.exp_year}",
            "yes" if row.is_recurring else "no",
            f"{row.state} {row.state_reason}".strip(),
            row.provider_id,
        )
        for row in rows
    ]
    return table("Cards", "Order", "Card", "Expires", "Recurring", "State", "Provider", rows=shown, right=("Order",))


def _invoices(rows: Iterable[Row[Any]], currency: str) -> Any:
    shown = [
        (row.number, row.due_on, money(row.total_minor, currency), money(row.unsettled_minor, currency)) for row in rows
    ]
    right = ("Total", "Unsettled")
    return table("Unsettled invoices", "Number", "Due", "Total", "Unsettled", rows=shown, right=right)


def _payments(rows: Iterable[Row[Any]]) -> Any:
    shown = [
        (
            row.id,
            row.period,
            row.state,
            money(row.amount_minor, row.currency),
            row.error_description or row.error_code or row.gateway_reference,
            moment(row.created_at),
        )
        for row in rows
    ]
    columns = ("Request", "Period", "State", "Amount", "Why, or where", "Asked")
    return table("Payments", *columns, rows=shown, right=("Amount",))
