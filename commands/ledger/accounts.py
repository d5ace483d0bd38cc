"""Showing accounts."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row

from activities.ledger.account_queries import AccountQueries
from commands.formatting import document, expiry, moment, money
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.session import read_settings, reading_database_of
from models.listing import ListPage, heading_of
from models.payments.preference import preference_number
from models.problem import refusal
from models.subscriptions.cycle import Term

PAYMENTS = 12
CHANGES = 20
REPORTED = ("region", "segment", "classification")


async def show(output: Output, account_id: str) -> None:
    """Show one account with all that belongs to it. Raises RefusedError when there is none."""
    async with reading_database_of(read_settings()) as database:
        records = AccountQueries(database)
        account = await records.find(account_id)
        if account is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        subscriptions = await records.subscriptions(account_id)
        cards = await records.cards(account_id)
        customers = await records.customers(account_id)
        preferences = await records.preferences(account_id)
        unsettled = await records.unsettled(account_id)
        payments = await records.payments(account_id, PAYMENTS)
        changes = await records.changes(account_id, CHANGES)
        stops = await records.mail_stops(account_id)
    output.answer(
        {
            **document(account),
            "customers": [document(row) for row in customers],
            "preferences": [_preference(row) for row in preferences],
            "subscriptions": [document(row) for row in subscriptions],
            "cards": [document(row) for row in cards],
            "unsettled_invoices": [document(row) for row in unsettled],
            "payments": [document(row) for row in payments],
            "changes": [document(row) for row in changes],
            "mail_stops": [document(row) for row in stops],
        },
        table("", "Account", account.id, rows=[*_facts(account, customers, preferences), *map(_stop, stops)]),
        _subscriptions(subscriptions),
        _cards(cards),
        _invoices(unsettled, account.currency),
        _payments(payments),
        *([_changes(changes)] if changes else []),
    )


async def list_page(
    output: Output, page: ListPage, *, state: str, segment: str, classification: str, region: str = ""
) -> None:
    """List a page of accounts, the newest first, and what all of them owe."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        accounts = AccountQueries(database)
        listed = await accounts.page(page, state=state, segment=segment, classification=classification, region=region)
    columns = {
        "Account": lambda row: row.id,
        "Owner": lambda row: row.owner_name,
        "State": state_word,
        "Time zone": lambda row: row.time_zone,
        "Balance>": lambda row: money(row.balance_minor, row.currency),
        "Since": lambda row: moment(row.created_at),
    }
    await answer_list(output, settings, "accounts", listed, columns)


def _preference(row: Row[Any]) -> dict[str, object]:
    return {**document(row), "number": preference_number(row.number)}


def _facts(
    account: Row[Any], customers: Iterable[Row[Any]], preferences: Iterable[Row[Any]]
) -> list[tuple[str, object]]:
    limit = account.credit_limit_minor
    return [
        ("Owner", account.owner_name),
        ("State", account.state),
        ("Balance", money(account.balance_minor, account.currency)),
        ("Credit limit", "none" if limit is None else money(limit, account.currency)),
        ("Time zone, locale", f"{account.time_zone}, {account.locale}"),
        ("E-mail", account.email),
        *((heading_of(name), value) for name in REPORTED if (value := getattr(account, name))),
        *(("Pays by", f"{row.method} ({preference_number(row.number)})") for row in preferences if row.is_preferred),
        *((f"Customer at {row.provider_id}", row.customer_reference) for row in customers),
    ]


def _stop(row: Row[Any]) -> tuple[str, str]:
    how = ", ".join(filter(None, (row.actor, row.reason)))
    return "Mail", f"{row.kind.replace('_', ' ')} since {moment(row.since)}: {how}"


def _subscriptions(rows: Iterable[Row[Any]]) -> Any:
    shown = [
        (
            row.id,
            row.name,
            f"{row.quantity} x {money(row.price_minor, row.currency)} a {Term.of(row.term_months)}",
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
            f"{row.brand} {row.last4}".strip(),
            expiry(row),
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


def _changes(rows: Iterable[Row[Any]]) -> Any:
    shown = [(_what(row.changes), row.actor, row.reason, moment(row.changed_at)) for row in rows]
    return table("Changes", "What", "Who", "Why", "When", rows=shown)


def _what(changes: Mapping[str, Any]) -> str:
    if "created" in changes:
        return "created"
    return ", ".join(f"{field}: {_shown(each['was'])} -> {_shown(each['is'])}" for field, each in changes.items())


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
