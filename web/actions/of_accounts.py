"""Actions on accounts: drafts of documents, subscriptions and payment requests are made, as the commands make them."""

from dataclasses import replace
from typing import Any

from commands.console.limited import ANSWER_SECONDS, AskedAction, options_of
from commands.ledger.drafts import create as create_transaction
from commands.output import Output
from commands.payments.create import OrderOptions
from commands.payments.create import create as create_payment
from commands.payments.payment_requests import RequestOptions
from commands.payments.payment_requests import create as create_request
from commands.subscriptions.making import Asked, NewSubscription
from commands.subscriptions.making import create as create_subscription
from models.console.roles import Permission
from models.payments.validity import VALID_DAYS_MAX
from models.problem import Problem, RefusedError, refusal
from models.subscriptions.cycle import Term
from web.actions.action import Action, FormField, day_given, whole_given

_VALID_DAYS = 14
_OPEN = frozenset({"active", "suspended"})
# As `subscriptions create` has them.
_BOUNDS = {"quantity": (1, 1_000_000), "billing_day": (1, 31), "trial_days": (0, 3660)}
_NUMBER = "{!r} is not a decimal number such as '12.34'"
_COMMA = {
    **dict.fromkeys(("price", "quantity"), _NUMBER),
    "discount": "{!r} is no amount such as 5.00, and no share such as 15%",
    **dict.fromkeys(("product", "description"), "may have no comma: commas stand between a line's words"),
}


async def _invoice(output: Output, asked: AskedAction) -> None:
    await _draft(output, asked, "invoice", {"due_on": asked["due_on"]})


async def _credit_note(output: Output, asked: AskedAction) -> None:
    invoices = {"invoices": (asked["invoice"],)} if asked["invoice"] else {}
    await _draft(output, asked, "credit_note", {**invoices, "reason": asked.reason})


async def _draft(output: Output, asked: AskedAction, classification: str, more: dict[str, Any]) -> None:
    given = {"lines": _lines(asked), "type": asked["type"], **more}
    known = {name: value for name, value in given.items() if value}
    options = options_of(asked)
    try:
        await create_transaction(
            output, classification, asked.id, known, None, options, is_draft=True, is_acknowledged=False
        )
    except RefusedError as refused:
        raise RefusedError(map(_at_field, refused.problems)) from refused


async def _subscribe(output: Output, asked: AskedAction) -> None:
    try:
        term = Term(asked["term"]) if asked["term"] else None
    except ValueError as error:
        raise refusal("term", "term_known", f"must be one of {', '.join(Term)}") from error
    quantity, day, trial = (whole_given(name, asked[name], *_BOUNDS[name]) for name in _BOUNDS)
    terms = Asked(asked["product"], asked["price"], quantity, term, day, asked["discount"], None, 0)
    starts_on = day_given("starts_on", asked["starts_on"])
    new = NewSubscription(asked.id, f"sub_{asked.key[:24]}", terms, starts_on, None, trial or 0, None)
    await create_subscription(output, new, actor=asked.actor, reason=asked.reason)


async def _request(output: Output, asked: AskedAction) -> None:
    options = RequestOptions(
        id=f"req-{asked.key[:24]}",
        account=asked.id,
        provider=asked["provider"],
        title=asked["title"],
        description=asked["description"],
        amount=asked["amount"],
        invoices=_words(asked["invoices"]),
        valid_days=whole_given("valid_days", asked["valid_days"], 1, VALID_DAYS_MAX) or _VALID_DAYS,
        is_mailed=asked["is_mailed"] == "yes",
        sender_email="",
        sender=asked.actor,
        reason=asked.reason,
    )
    await create_request(output, options, wait_seconds=ANSWER_SECONDS)


async def _charge(output: Output, asked: AskedAction) -> None:
    options = OrderOptions(
        f"pay-{asked.key[:24]}",
        asked.id,
        asked["provider"],
        asked["amount"],
        _words(asked["invoices"]),
        asked["card"],
        asked["preference"],
        asked["hands_over"] == "yes",
        asked.actor,
        asked.reason,
        asked["prepays"] == "yes",
    )
    await create_payment(output, options, wait_seconds=ANSWER_SECONDS)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _lines(asked: AskedAction) -> list[str]:
    """Return lines as the command takes them: the one of the fields, then those that are written out.

    Raises RefusedError for a comma in a field: it would end it, and what follows would be another of the line's words.
    """
    values = {name: asked[name] for name in ("product", "quantity", "price", "discount", "description")}
    if wrong := [name for name, value in values.items() if "," in value]:
        raise RefusedError([Problem(name, "line_format", _COMMA[name].format(values[name])) for name in wrong])
    first = ",".join(f"{name}={value}" for name, value in values.items() if value)
    return [first, *(line.strip() for line in asked["more"].splitlines() if line.strip())]


def _at_field(problem: Problem) -> Problem:
    """Return what is wrong with a line at the field that it was typed in: the first has its own, others share one."""
    head, _, place = problem.field.partition(".")
    number, _, name = place.partition(".")
    if head == "line":
        # The first has no comma, and so is no line that is written wrongly.
        return replace(problem, field="more")
    if head != "lines" or not number.isdigit():
        return problem
    if number != "0":
        return replace(problem, field="more", message=f"line {number}: {name + ' ' if name else ''}{problem.message}")
    return replace(problem, field=name or ("discount" if problem.message.startswith("discount") else "price"))


_PRODUCT = FormField("product", "Product", "select", "products", is_required=True)
_PRICE = FormField("price", "Price", is_required=True, help="Of one piece before tax, in major units, such as 9.99.")
_LINE = (
    _PRODUCT,
    FormField("quantity", "Quantity", value="1", is_required=True),
    _PRICE,
    FormField("discount", "Discount", help="An amount, or a rate such as 15%."),
    FormField("description", "Description"),
    FormField(
        "more", "Further lines", "textarea", help="One a line: product=gold,quantity=2,price=100.00,discount=15%"
    ),
)
ACTIONS = (
    Action(
        *("accounts", "invoice", "Draft an invoice", "transactions create", Permission.CORRECT),
        "A draft of an invoice is made: nothing is owed before it is posted.",
        _invoice,
        (*_LINE, FormField("due_on", "Due on", "date", help="By the account's terms unless given.")),
        _OPEN,
    ),
    Action(
        *("accounts", "credit-note", "Draft a credit note", "transactions create", Permission.CORRECT),
        "A draft of a credit note is made: nothing is credited before it is posted.",
        _credit_note,
        (
            FormField("type", "Why, as a type", "select", "types:credit_note"),
            *_LINE,
            FormField("invoice", "For the invoice", help="Its number, such as INV-0000000007."),
        ),
        _OPEN,
    ),
    Action(
        *("accounts", "request", "Ask for a payment", "payment-requests create", Permission.COLLECT),
        "A link is made on which the account pays. Its invoices are nobody else's to charge until it is over.",
        _request,
        (
            FormField("title", "Title", is_required=True, help="What the payer reads."),
            FormField("amount", "Amount", help="In major units; what the invoices come to unless given."),
            FormField("invoices", "Invoices", help="Their numbers; without any it is paid on account."),
            FormField("description", "Description", "textarea"),
            FormField("valid_days", "Days for which it is good", value=str(_VALID_DAYS)),
            FormField("provider", "Provider", "select", "providers", is_required=True),
            FormField("is_mailed", "Mail the link to the account", "checkbox", value="yes"),
        ),
        _OPEN,
    ),
    Action(
        *("accounts", "charge", "Charge a card", "payments create", Permission.COLLECT),
        "A card of the account is charged now, and what that came to is shown. A decline ends it.",
        _charge,
        (
            FormField(
                "amount",
                "Amount",
                help="In major units, of the oldest invoices; what the invoices come to unless given.",
            ),
            FormField("invoices", "Invoices", help="Their numbers; a part of one is INV-0000000012=50.00."),
            FormField("card", "Card", help="Its id; the account's first unless given."),
            FormField("preference", "Payment preference", help="Such as PP-1042: a card of it is charged."),
            FormField("provider", "Provider", "select", "providers", is_required=True),
            FormField("prepays", "More than is owed is meant: the rest is kept as credit", "checkbox"),
            FormField("hands_over", "Follow a decline up by the dunning policy", "checkbox"),
        ),
        _OPEN,
    ),
    Action(
        *("accounts", "subscribe", "Add a subscription", "subscriptions create", Permission.CORRECT),
        "It is billed by day from its first day on, with the next billing run.",
        _subscribe,
        (
            _PRODUCT,
            _PRICE,
            FormField("quantity", "Quantity", value="1"),
            FormField("term", "Billing period", "select", words=tuple((one, one) for one in Term), value="month"),
            FormField("billing_day", "Day on which periods begin", help="That of its start unless given."),
            FormField("starts_on", "First day", "date", help="Today unless given."),
            FormField("trial_days", "Days that cost nothing"),
            FormField("discount", "Discount", help="Off each billing period: 20% or an amount such as 5.00."),
        ),
        _OPEN,
    ),
)
