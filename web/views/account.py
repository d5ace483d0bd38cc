"""The page of an account: what it owes and why, what comes next, and all that belongs to it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.collections.queries import CollectionQueries
from activities.ledger.account_queries import AccountQueries
from activities.ledger.statement_queries import StatementQueries
from commands.formatting import expiry, local
from commands.formatting import money as money_text
from commands.lists.next_actions import NextAction, next_actions
from models.listing import ListPage
from models.operations.ledger_states import ACCOUNT, TRANSACTION
from models.operations.payment_states import ATTEMPT, CARD, COLLECTION
from models.problem import refusal
from models.subscriptions.cycle import Term
from models.workflow_ids import collection_id
from web.actions.forms import links_of
from web.bank.mandates import ways_to_pay
from web.bills.pages import bills_of
from web.context import Visit
from web.fraud.holds import holds_of
from web.merchant_scope import is_list_in_scope
from web.messages.stops import stops_of
from web.views.cells import Cell, Column, Table, address, day, link, listed, moment, money, state, table_of, text, words
from web.views.objects import ObjectPage, show_object, show_part
from web.views.wallet import wallet_of

_SHOWN = 12
_COLLECTIONS = 5
# How far back the statement on the page goes; the whole of it is the list of transactions.
_STATEMENT = timedelta(days=400)


async def show_account(visit: Visit) -> Response:
    """Show an account: figures, open documents, collections, cards; the rest comes after."""
    id = visit.request.path_params["id"]
    records = AccountQueries(visit.web.reading)
    account = await records.find(id)
    if account is None:
        raise refusal("account", "account_exists", f"there is no account {id!r}")
    now = await StatementQueries(visit.web.reading).now(id)
    unsettled = await records.unsettled(id)
    collections = await CollectionQueries(visit.web.reading).page(
        ListPage(limit=_COLLECTIONS, is_totalled=False), state="", run_id="", account_id=id
    )
    cards = await records.cards(id)
    shown = ObjectPage(
        *(account.owner_name or account.id, f"account {account.id}"),
        state=state(ACCOUNT.word(account.state)),
        figures=_figures(account, now),
        sentence=overdue_sentence(unsettled, account.currency, datetime.now(UTC).date()),
        facts=_facts(account),
        actions=links_of(visit, "accounts", id, ACCOUNT.word(account.state)),
        tables=(
            _unsettled(unsettled, account.currency),
            _collections(collections.rows, id),
            _cards(cards),
        ),
        parts=(
            ("now", f"{address('accounts', id)}/now"),
            ("What has happened", f"{address('accounts', id)}/timeline"),
            ("Statement, bills and payments", f"{address('accounts', id)}/money"),
            ("Ways to pay", f"{address('accounts', id)}/ways"),
            ("Subscriptions, mail and changes", f"{address('accounts', id)}/about"),
        ),
        links=[
            (name, Cell(name, listed(noun, account=id)))
            for name, noun in (
                ("Transactions", "transactions"),
                ("Bills", "bills"),
                ("Payments", "payments"),
                ("Collections", "collections"),
                ("Refunds", "refunds"),
                ("Disputes", "disputes"),
                ("Requests", "payment-requests"),
                ("Messages", "messages"),
                ("Vouchers", "vouchers"),
                ("Movements", "movements"),
            )
            if is_list_in_scope(visit.user, noun)
        ],
    )
    return show_object(visit, shown)


async def account_now(visit: Visit) -> Response:
    """Show what came of the newest open collection, and when what happens next, as its workflow says it."""
    id = visit.request.path_params["id"]
    records = CollectionQueries(visit.web.reading)
    found = await records.page(ListPage(limit=_COLLECTIONS, is_totalled=False), state="open", run_id="", account_id=id)
    sentences: list[str] = []
    actions = await next_actions(visit.web.settings, [collection_id(id, row.period) for row in found.rows])
    for row in found.rows[:1]:
        attempts = await records.attempts(row.request_id or "")
        action = (actions or {}).get(collection_id(id, row.period))
        sentences.append(next_sentence(row, attempts, action))
    away = "Temporal does not answer: what comes next is not known." if actions is None and found.rows else ""
    return show_part(visit, await holds_of(visit, id), sentence=" ".join(sentences), is_away=away)


async def account_money(visit: Visit) -> Response:
    """Show what was posted, with the balance after each, and what was asked of gateways."""
    id = visit.request.path_params["id"]
    account, records = await _require(visit, id)
    since = datetime.now(UTC).date() - _STATEMENT
    postings = await StatementQueries(visit.web.reading).statement(id, since, None)
    payments = await records.payments(id, _SHOWN)
    wallet = await wallet_of(visit, account)
    bills = await bills_of(visit, id)
    return show_part(visit, (_statement(postings, account.currency, id), bills, *wallet, _payments(payments, id)))


async def account_ways(visit: Visit) -> Response:
    """Show how an account pays, its mandates, and what its bank was asked for by them."""
    id = visit.request.path_params["id"]
    _, records = await _require(visit, id)
    return show_part(visit, await ways_to_pay(visit, id, await records.preferences(id)))


async def account_about(visit: Visit) -> Response:
    """Show what an account buys, why it is not written to, and who changed what of it."""
    id = visit.request.path_params["id"]
    _, records = await _require(visit, id)
    subscriptions = await records.subscriptions(id)
    changes = await records.changes(id, _SHOWN)
    stops = stops_of(await records.mail_stops(id))
    return show_part(visit, (_subscriptions(subscriptions), stops, _changes(changes)))


def overdue_sentence(unsettled: Sequence[Row[Any]], currency: str, today: date) -> str:
    """Say which document is overdue the longest, and how many more are; "" when none is."""
    overdue = [row for row in unsettled if row.due_on and row.due_on < today]
    if not overdue:
        return ""
    first = min(overdue, key=lambda row: row.due_on)
    days = (today - first.due_on).days
    more = f", and {len(overdue) - 1} more are overdue" if len(overdue) > 1 else ""
    return f"{first.number} over {money_text(first.unsettled_minor, currency)} is {_days(days)} overdue{more}."


def next_sentence(row: Row[Any], attempts: Sequence[Row[Any]], action: NextAction | None) -> str:
    """Say what came of a collection's last attempt, and what comes next."""
    last = attempts[-1] if attempts else None
    parts = []
    if last is not None:
        why = last.decline_code or last.code
        came = f"{ATTEMPT.word(last.outcome).replace('_', ' ')}{f' ({why})' if why else ''}"
        parts.append(f"{row.period}: {last.brand} {last.last4} {came} on {local(last.started_at, '%d %b %H:%M')}.")
    stage = COLLECTION.word(row.stage, action.stage if action else "")
    if action and action.needs_review:
        parts.append(f"It needs a person: {action.review_reason}.")
    elif action and action.at:
        parts.append(f"Next at {local(action.at, '%d %b %Y %H:%M')}; it stands at {stage.replace('_', ' ')}.")
    else:
        parts.append(f"It stands at {stage.replace('_', ' ')}.")
    return " ".join(parts)


async def _require(visit: Visit, id: str) -> tuple[Row[Any], AccountQueries]:
    records = AccountQueries(visit.web.reading)
    account = await records.find(id)
    if account is None:
        raise refusal("account", "account_exists", f"there is no account {id!r}")
    return account, records


def _figures(account: Row[Any], now: Row[Any] | None) -> list[tuple[str, Cell]]:
    figures = [("Balance", money(account.balance_minor, account.currency, listed("transactions", account=account.id)))]
    if now is not None:
        figures += [
            ("Outstanding, past due", money(now.outstanding_minor, account.currency)),
            ("Unsettled", money(now.unsettled_minor, account.currency)),
            ("Credit not used yet", money(now.credit_minor, account.currency)),
        ]
    return figures


def _facts(account: Row[Any]) -> list[tuple[str, Cell]]:
    limit = account.credit_limit_minor
    return [
        ("Id", text(account.id)),
        ("E-mail", text(account.email)),
        ("Reference", text(account.owner_reference)),
        ("Time zone, locale", text(f"{account.time_zone}, {account.locale}")),
        ("Credit limit", text("none") if limit is None else money(limit, account.currency)),
        ("Segment", text(account.segment)),
        ("Region", text(account.region)),
        ("Classification", text(account.classification)),
        ("Since", moment(account.created_at)),
    ]


def _unsettled(rows: Sequence[Row[Any]], currency: str) -> Table:
    today = datetime.now(UTC).date()
    columns = (
        Column("Number", lambda row: link("transactions", row.transaction_id, row.number)),
        Column("Due", lambda row: day(row.due_on)),
        Column("Overdue", lambda row: text(_late(row.due_on, today)), is_number=True),
        Column("Total", lambda row: money(row.total_minor, currency), is_money=True),
        Column("Unsettled", lambda row: money(row.unsettled_minor, currency), is_money=True),
    )
    return table_of("Unsettled invoices", columns, rows[:_SHOWN], empty="No invoice is left to pay.")


def _collections(rows: Sequence[Row[Any]], id: str) -> Table:
    columns = (
        Column("Receivable", lambda row: link("collections", f"{row.account_id}/{row.period}", row.period)),
        Column("Stage", lambda row: state(COLLECTION.word(row.stage))),
        Column("Why", lambda row: words((row.reason if row.reason != row.stage else "") or row.request_state)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Opened", lambda row: moment(row.opened_at)),
        Column("Closed", lambda row: moment(row.closed_at)),
    )
    return table_of("Collections", columns, rows, empty="Nothing had to wait.", more=listed("collections", account=id))


def _cards(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Order", lambda row: text(row.fallback_order), is_number=True),
        Column("Card", lambda row: text(f"{row.brand} {row.last4}".strip())),
        Column("Id", lambda row: Cell(row.id, is_id=True)),
        Column("Expires", lambda row: text(expiry(row))),
        Column("Recurring", lambda row: text("yes" if row.is_recurring else "no")),
        Column("State", lambda row: state(CARD.word(row.state))),
        Column("Why", lambda row: text(row.state_reason)),
        Column("Provider", lambda row: text(row.provider_id)),
    )
    return table_of("Cards", columns, rows, empty="No card: `duly cards link` sends one to its holder.")


def _statement(rows: Sequence[Row[Any]], currency: str, id: str) -> Table:
    columns = (
        Column("Posted", lambda row: day(row.posted_on)),
        Column("Number", lambda row: link("transactions", row.id, row.number)),
        Column("Kind", lambda row: text(row.classification.replace("_", " "))),
        Column("State", lambda row: state(TRANSACTION.word(row.state, "" if row.unsettled_minor else "settled"))),
        Column("Due", lambda row: day(row.due_on)),
        Column("Amount", lambda row: money(row.amount_minor, currency), is_money=True),
        Column("Balance", lambda row: money(row.balance_minor, currency), is_money=True),
    )
    newest = list(reversed(rows))[:50]
    title = f"Statement: the newest {len(newest)} of {len(rows)} within 400 days" if len(rows) > 50 else "Statement"
    return table_of(title, columns, newest, empty="Nothing was posted.", more=listed("transactions", account=id))


def _payments(rows: Sequence[Row[Any]], id: str) -> Table:
    columns = (
        Column("Payment", lambda row: link("payments", row.id)),
        Column("Period", lambda row: text(row.period)),
        Column("State", lambda row: state(row.state)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Why, or where", lambda row: text(row.error_description or row.error_code or row.gateway_reference)),
        Column("Asked", lambda row: moment(row.created_at)),
    )
    return table_of("Payments", columns, rows, empty="Nothing was charged.", more=listed("payments", account=id))


def _subscriptions(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Product", lambda row: text(row.name)),
        Column("Quantity", lambda row: text(row.quantity), is_number=True),
        Column("Price", lambda row: money(row.price_minor, row.currency), is_money=True),
        Column("Term", lambda row: text(f"a {Term.of(row.term_months)}")),
        Column("Day", lambda row: text(row.billing_day), is_number=True),
        Column("Starts", lambda row: day(row.starts_on)),
        Column("Ends", lambda row: day(row.ends_on)),
        Column("Id", lambda row: Cell(row.id, is_id=True)),
    )
    return table_of("Subscriptions", columns, rows)


def _changes(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("What", lambda row: text(_what(row.changes))),
        Column("Who", lambda row: text(row.actor)),
        Column("Why", lambda row: text(row.reason)),
        Column("When", lambda row: moment(row.changed_at)),
    )
    return table_of("Changes", columns, rows)


def _what(changes: Mapping[str, Any]) -> str:
    if "created" in changes:
        return "created"
    return ", ".join(f"{name}: {each['was']} -> {each['is']}" for name, each in changes.items())


def _late(due_on: date | None, today: date) -> str:
    return _days((today - due_on).days) if due_on and due_on < today else ""


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"
