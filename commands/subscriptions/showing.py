"""Showing and listing subscriptions."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row

from activities.subscriptions.subscriptions import Subscriptions
from commands.formatting import document, moment, money
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.session import read_settings, reading_database_of
from models.listing import ListPage
from models.period import Period
from models.runs.billing import CannotBillError
from models.subscriptions.billing import BillableSubscription
from models.subscriptions.cycle import Term
from models.subscriptions.documents import bill_of
from models.subscriptions.stored import Known, StoredSubscription
from models.subscriptions.timeline import DatedChange, Discount

LINES = ("Line", "Net")
SHOWN = frozenset(
    {
        "id",
        "account_id",
        "state",
        "product_id",
        "price_minor",
        "currency",
        "quantity",
        "term_months",
        "billing_day",
        "starts_on",
        "ends_on",
        "by_day_from",
        "billed_until",
    }
)


async def show(output: Output, subscription: str) -> None:
    """Show a subscription. Raises RefusedError when there is none."""
    async with reading_database_of(read_settings()) as database:
        subscriptions = Subscriptions(database)
        stored = await subscriptions.require(subscription)
        billable = await subscriptions.billable(subscription)
        history = await subscriptions.history(subscription)
    following = _next_bill(billable, stored.today) if billable else None
    output.answer(
        {
            **{name: value for name, value in vars(stored).items() if name in SHOWN},
            "next_bill": following,
            "history": [document(row) for row in history],
        },
        table("", "Subscription", stored.id, rows=_facts(stored)),
        *_next_tables(following, stored.currency),
        _history(history, stored.currency),
    )


async def list_page(output: Output, page: ListPage, *, account_id: str, state: str) -> None:
    """List a page of subscriptions, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await Subscriptions(database).page(page, account_id=account_id, state=state)
    columns = {
        "Subscription": lambda row: row.id,
        "Account": lambda row: row.account_id,
        "Product": lambda row: row.product_name,
        "Price>": _price,
        "State": state_word,
        "Billed until": lambda row: row.billed_until,
        "Ends": lambda row: row.ends_on,
    }
    await answer_list(output, settings, "subscriptions", listed, columns)


def _price(row: Row[Any]) -> str:
    return f"{row.quantity} x {money(row.price_minor, row.currency)} a {Term.of(row.term_months)}"


def _facts(stored: StoredSubscription) -> list[tuple[str, object]]:
    terms = Known(stored).timeline.terms_on(max(stored.today, stored.starts_on))
    each = f"{terms.quantity} x {money(terms.price_minor, stored.currency)} a {terms.cycle.term}"
    facts = [
        ("Account", stored.account_id),
        ("State", stored.state),
        ("Product", stored.products[terms.product_id].name),
        ("Price", each),
        ("Discount", _discount(terms.discount, stored.currency)),
        ("Billing day", terms.cycle.billing_day),
        ("Starts", stored.starts_on),
        ("Trial until", Known(stored).timeline.trial_ends_on),
        ("Ends", stored.ends_on),
        ("Billed", "by day" if stored.by_day_from else "in whole months"),
        ("Billed until", stored.billed_until or (stored.newest.period_to if stored.newest else None)),
    ]
    return [(name, value) for name, value in facts if value]


def _discount(discount: Discount, currency: str) -> str:
    if not discount.percent and not discount.amount_minor:
        return ""
    off = f"{discount.percent.normalize():f} %" if discount.percent else money(discount.amount_minor, currency)
    return f"{off} until {discount.until}" if discount.until else off


def _next_bill(subscription: BillableSubscription, today: date) -> dict[str, Any] | None:
    """Return what is billed next, as everything is now: the run of next month settles what was changed in a long term.

    Else it is the run of the month in which its next day lies.
    """
    in_term = Period.of(subscription.new_from)
    settling = min(in_term, Period.of(today).next(), key=lambda month: month.starts_on)
    bill = _bill_in(subscription, settling)
    return bill if bill["lines"] or bill["credited"] else _bill_in(subscription, in_term)


def _bill_in(subscription: BillableSubscription, month: Period) -> dict[str, Any]:
    try:
        bill = bill_of(subscription, month)
    except CannotBillError as error:
        return {"period": str(month), "reason": error.rule, "lines": [], "credited": []}
    return {
        "period": str(month),
        "reason": "" if bill.invoice or bill.credit_note else bill.reason,
        "lines": _lines(bill.invoice),
        "credited": _lines(bill.credit_note),
    }


def _lines(document_: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    wanted = ("description", "period_from", "period_to", "net_minor", "tax_minor", "total_minor")
    return [{name: line[name] for name in wanted} for line in (document_ or {"lines": []})["lines"]]


def _next_tables(following: dict[str, Any] | None, currency: str) -> list[Any]:
    if following is None:
        return []
    rows = [(line["description"], money(line["net_minor"], currency)) for line in following["lines"]]
    rows += [(line["description"], money(-line["net_minor"], currency)) for line in following["credited"]]
    title = f"Next bill, {following['period']}{', ' if following['reason'] else ''}{following['reason']}"
    return [table(title, *LINES, rows=rows, right=("Net",))]


def _history(rows: Sequence[Row[Any]], currency: str) -> Any:
    shown = [
        (row.from_on, row.kind, _what(document(row), currency), row.actor, row.reason, moment(row.changed_at))
        for row in rows
    ]
    return table("History", "From", "Kind", "What", "Who", "Why", "When", rows=shown)


def changes_document(changes: Sequence[DatedChange]) -> list[dict[str, Any]]:
    """Return changes as a program reads them: what they leave as it is is not in it."""
    return [{name: value for name, value in vars(change).items() if value is not None} for change in changes]


def change_rows(changes: Sequence[DatedChange], currency: str) -> list[tuple[str, str]]:
    """Return changes as a person reads them."""
    return [(f"{change.kind} from {change.from_on}", _what(vars(change), currency)) for change in changes]


def _what(change: Mapping[str, Any], currency: str) -> str:
    shown: dict[str, Callable[[Any], str]] = {
        "product_id": str,
        "quantity": lambda pieces: "1 piece" if pieces == 1 else f"{pieces} pieces",
        "price_minor": lambda price: money(price, currency),
        "term_months": lambda months: f"a {Term.of(months)}",
        "billing_day": lambda day: f"billing day {day}",
        "is_paused": lambda is_paused: "paused" if is_paused else "not paused",
        "trial_ends_on": lambda day: f"trial until {day}",
        "ends_on": lambda day: f"ends on {day}",
        "discount_percent": lambda percent: f"{percent.normalize():f} % off",
        "discount_minor": lambda amount: f"{money(amount, currency)} off",
        "discount_until": lambda day: f"off until {day}",
    }
    return ", ".join(text(change[name]) for name, text in shown.items() if change[name] is not None)
