"""What stands in a message for each tag: amounts and dates as the reader writes them, as things are now."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import NumberPattern, parse_pattern

from models.currency import exponent_of
from models.messages.message import MessageKind
from models.money import Money
from models.period import InvalidPeriodError, Period, month_of
from models.printable import is_seen
from models.workflow_ids import collection_id

# What these say of time is a day. Outboxes of older releases have it as noon of that day in UTC.
_OF_DAYS = frozenset(
    {MessageKind.RECEIPT, MessageKind.INVOICE_POSTED, MessageKind.INVOICE_DUE, MessageKind.INVOICE_OVERDUE}
    | {MessageKind.DEBIT_ANNOUNCED}
)
_DAY_LENGTH = len("2026-11-29")

_LETTERS_BEFORE_DIGITS = re.compile(r"(?<=[A-Z])(?=[0-9])")


@dataclass(frozen=True)
class ClaimedMessage:
    """A message that is being sent, with what the database knows about its account at this moment."""

    id: str
    kind: MessageKind
    account_id: str
    period: str
    run_id: str
    parameters: Mapping[str, Any]
    claimed_at: datetime
    created_at: datetime
    installation: str
    email: str
    name: str
    locale: str
    time_zone: str
    card_brand: str
    card_last4: str
    number: str
    link_token: str
    title: str = ""
    description: str = ""
    recipient: str = ""
    request_id: str = ""
    payer: int = 0
    # Of a payment request: whether its link still leads to a payment (duly.standing_of_request).
    standing: str = ""
    # Of the address that is written to, by which a mail server's answer about it is kept.
    address_hash: str = ""
    # Of a communication: its template by language, and what its tags say.
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    # Whether the law or a contract requires a communication: nobody opts out of it.
    is_required: bool = False

    @property
    def is_optional(self) -> bool:
        """Whether its reader may opt out of mail like it: receipts, invoices, reminders, notices are none."""
        return self.kind is MessageKind.COMMUNICATION and not self.is_required


@dataclass(frozen=True)
class Facts:
    """All that a message is rendered from."""

    message: ClaimedMessage
    locale: Locale
    sender: str
    public_url: str
    ui_url: str
    portal_url: str = ""

    def money(self, name: str) -> str:
        """Write the amount under a name of the parameters."""
        parameters = self.message.parameters
        return money_text(Money(int(parameters[name]), str(parameters["currency"])), self.locale)

    def optional_money(self, name: str) -> str:
        """Write an amount that not every message of the kind has; empty where it is none."""
        return self.money(name) if self.message.parameters.get(name) else ""

    def day(self, name: str) -> str:
        """Write the day of the moment under a name of the parameters, on the reader's calendar."""
        if (given := self._day_given(name)) is not None:
            return str(format_date(given, "long", locale=self.locale))
        return self.day_of(datetime.fromisoformat(str(self.message.parameters[name])))

    def day_of(self, moment: datetime) -> str:
        """Write a moment's day."""
        local = moment.astimezone(ZoneInfo(self.message.time_zone))
        return str(format_date(local.date(), "long", locale=self.locale))

    def until(self, name: str) -> str:
        """Write the day on which something ends, and the minute where it is a moment."""
        if (given := self._day_given(name)) is not None:
            return str(format_date(given, "long", locale=self.locale))
        at = datetime.fromisoformat(str(self.message.parameters[name]))
        return until_text(at, self.message.time_zone, self.locale)

    def _day_given(self, name: str) -> date | None:
        """Return the day that a parameter is: of an account's books, the same one wherever its reader is."""
        given = str(self.message.parameters[name])
        return date.fromisoformat(given[:_DAY_LENGTH]) if self.message.kind in _OF_DAYS else None

    def workflow_link(self) -> str:
        """Link to the workflow that a message is about in the Temporal UI; empty where no address of it is set."""
        message = self.message
        workflow_id = collection_id(message.account_id, message.period) if message.account_id else message.run_id
        workflow_id = message.parameters.get("workflow", workflow_id)
        return f"{self.ui_url}/workflows/{quote(workflow_id, safe='')}" if self.ui_url else ""


def until_text(at: datetime, time_zone: str, locale: Locale) -> str:
    """Write the day and the minute in which something ends, by the reader's clock: a day alone would mean all of it."""
    local = at.astimezone(ZoneInfo(time_zone))
    day = str(format_date(local.date(), "long", locale=locale))
    return f"{day}, {format_time(local, 'short', locale=locale)}"


def money_text(money: Money, locale: Locale) -> str:
    """Write an amount with all its decimals: money is not rounded to what a locale thinks usual."""
    pattern: NumberPattern = locale.currency_formats["standard"]
    decimals = exponent_of(money.currency)
    exact = parse_pattern(pattern.pattern.replace("0.00", "0." + "0" * decimals if decimals else "0"))
    written = str(exact.apply(money.to_decimal(), locale, currency=money.currency, currency_digits=False))
    # Where a currency has no sign its letters stand in front of the digits, and a space between them (CLDR).
    return _LETTERS_BEFORE_DIGITS.sub("\N{NO-BREAK SPACE}", written)


def month_text(period: str, locale: Locale) -> str:
    """Write a period's month; a period that is none is written as it is."""
    month = month_of(period)
    try:
        Period.parse(month)
    except InvalidPeriodError:
        return period
    return str(format_skeleton("yMMMM", date.fromisoformat(f"{month}-01"), locale=locale))


def one_line(text: str) -> str:
    """Return what a person gave as one printable line: no header or line of a message is of their making."""
    return " ".join("".join(one if is_seen(one) else " " for one in text).split())


def _card(facts: Facts) -> str:
    message = facts.message
    return f"{message.card_brand.capitalize()} •••• {message.card_last4}" if message.card_last4 else ""


def _link(facts: Facts) -> str:
    token = facts.message.link_token
    if facts.message.kind is MessageKind.PORTAL_LINK:
        return f"{facts.portal_url}/enter/{token}" if token else ""
    place = "cards" if facts.message.kind is MessageKind.CARD_CONFIRMATION else "pay"
    return f"{facts.public_url}/{place}/{token}" if token else ""


def _found(facts: Facts) -> str:
    """One line for each kind of what was found, with the ids of the first ones."""
    kinds = facts.message.parameters["kinds"]
    return "\n".join(
        f"    {kind['count']:>7}  {kind['kind']} ({kind['state']}): {', '.join(kind['objects'])}" for kind in kinds
    )


def _reasons(facts: Facts) -> str:
    counted: Mapping[str, int] = facts.message.parameters["reasons"]
    return "\n".join(f"    {count:>7}  {reason}" for reason, count in sorted(counted.items()))


# One value a tag. A customer's `link` leads to a page to pay on, an operator's to the Temporal UI.
VALUES: Mapping[str, Callable[[Facts], object]] = MappingProxyType(
    {
        "account": lambda facts: facts.message.account_id,
        "amount": lambda facts: facts.money("amount_minor"),
        "card": _card,
        "code": lambda facts: facts.message.parameters["code"],
        "count": lambda facts: facts.message.parameters["count"],
        "creditor": lambda facts: facts.message.parameters["creditor"],
        "description": lambda facts: facts.message.description,
        "days": lambda facts: facts.message.parameters["days"],
        "event": lambda facts: facts.message.parameters["event"],
        "failures": lambda facts: facts.message.parameters["failures"],
        "found": _found,
        "least": lambda facts: facts.optional_money("least_minor"),
        "link": _link,
        "mandate": lambda facts: facts.message.parameters["mandate"],
        "members": lambda facts: facts.message.parameters["members"],
        "most": lambda facts: facts.optional_money("most_minor"),
        "name": lambda facts: one_line(facts.message.name),
        "number": lambda facts: facts.message.number,
        "object": lambda facts: facts.message.parameters["object"],
        "occasion": lambda facts: facts.message.parameters["occasion"],
        "paid_on": lambda facts: (
            facts.day("at") if facts.message.parameters.get("at") else facts.day_of(facts.message.created_at)
        ),
        "payments": lambda facts: facts.message.parameters["payments"],
        "period": lambda facts: month_text(facts.message.period, facts.locale),
        "provider": lambda facts: facts.message.parameters["provider"],
        "reason": lambda facts: facts.message.parameters["reason"],
        "reasons": _reasons,
        "retry_on": lambda facts: facts.day("at"),
        "run": lambda facts: facts.message.run_id,
        "sender": lambda facts: facts.sender,
        "shared": lambda facts: facts.message.payer > 0,
        "standing": lambda facts: facts.message.standing,
        "title": lambda facts: one_line(facts.message.title),
        "type": lambda facts: facts.message.parameters["type"],
        "until": lambda facts: facts.until("at"),
        "usual": lambda facts: facts.money("usual_minor"),
    }
)
