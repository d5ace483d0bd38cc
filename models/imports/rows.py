"""The rows of an import: what each cell must be before anything is written (S48, X3, X5)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from models.currency import UnknownCurrencyError, exponent_of
from models.gateway.amounts import charge_step, steps_text
from models.imports.columns import ACCOUNTS, COLUMNS, NamedCells
from models.imports.subscriptions import ImportedSubscription, kept_discount
from models.moment import YEARS, YEARS_MEANING
from models.money import AMOUNT_MINOR_MAX, Money, MoneyError
from models.problem import Problem, RefusedError
from models.subscriptions.cycle import Term

ID_PATTERN = re.compile(r"^[!-~]{1,64}$")
ID_MEANING = "must be 1 to 64 ASCII characters without blanks"
_WHOLE = re.compile(r"^-?[0-9]{1,9}$")
_DAY = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+$")
# The ledger names its own accounts like this.
_RESERVED = ("acc_suspense_", "acc_write_off_")
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class ImportReference:
    """What rows may refer to, as the import found it when it began."""

    products: frozenset[str]
    due_date_rules: frozenset[str]
    time_zones: frozenset[str]
    locales: frozenset[str]
    provider_currencies: frozenset[str] = frozenset()
    payment_methods: frozenset[str] = frozenset()
    clears_empty: bool = False


@dataclass(frozen=True)
class ImportedAccount:
    """An account to open or to change. Limit in minor units. What is `kept` stays as it is where there is one."""

    account_id: str
    owner_name: str
    currency: str
    email: str | None = None
    locale: str = "en"
    time_zone: str = "UTC"
    owner_reference: str | None = None
    credit_limit_minor: int | None = None
    credit_period_days: int | None = None
    due_date_rule_id: str | None = None
    region: str | None = None
    segment: str | None = None
    classification: str | None = None
    payment_method: str | None = None
    kept: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True)
class ImportedCard:
    """A card that the gateway keeps: its token, and what a receipt may show."""

    account_id: str
    customer: str
    token: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_recurring: bool
    fallback_order: int
    kept: frozenset[str] = field(default=frozenset(), compare=False)


Row = ImportedAccount | ImportedSubscription | ImportedCard
Read = TypeVar("Read")


class Cells:
    """Reads the cells of one row and notes what is wrong, so that a row is corrected once and not field by field."""

    def __init__(self, source: str, line: int, cells: Mapping[str, str]) -> None:
        self._source, self._line, self._cells = source, line, cells
        self.problems: list[Problem] = []
        for column in COLUMNS[source]:
            if column.default is None and not cells[column.name]:
                self.refuse(column.name, "value_required", "is empty")

    def refuse(self, field: str, rule: str, message: str) -> None:
        self.problems.append(Problem(field, rule, message, self._source, self._line))

    def text(self, field: str) -> str:
        return self._cells[field]

    def optional(self, field: str) -> str | None:
        return self._cells[field] or None

    def matching(self, field: str, pattern: re.Pattern[str], rule: str, message: str) -> str:
        value = self._cells[field]
        if value and not pattern.match(value):
            self.refuse(field, rule, f"{value!r} {message}")
        return value

    def within(self, field: str, most: int) -> str:
        value = self._cells[field]
        if len(value) > most:
            self.refuse(field, "length", f"must be at most {most} characters")
        return value

    def id(self, field: str) -> str:
        return self.matching(field, ID_PATTERN, "id_format", ID_MEANING)

    def one_of(self, field: str, known: Iterable[str], rule: str, message: str) -> str:
        value = self._cells[field]
        if value and value not in known:
            self.refuse(field, rule, f"{value!r} {message}")
        return value

    def locale(self, field: str, known: frozenset[str]) -> str:
        value = self._cells[field].replace("-", "_")
        if value not in known:
            self.refuse(field, "locale_exists", f"{value!r} is no known locale")
        return value

    def whole(self, field: str, least: int, most: int) -> int:
        value = self._cells[field]
        if value and not (_WHOLE.match(value) and least <= int(value) <= most):
            self.refuse(field, "whole_number_in_range", f"{value!r} must be a whole number from {least} to {most}")
            return least
        return int(value or least)

    def day(self, field: str) -> date:
        value = self._cells[field]
        try:
            if _DAY.match(value):
                return self._in_years(field, date.fromisoformat(value))
        except ValueError:
            self.refuse(field, "day_exists", f"{value!r} is not a day of the calendar")
            return date.min
        if value:
            self.refuse(field, "day_format", f"{value!r} must be written like 2026-11-01")
        return date.min

    def _in_years(self, field: str, day: date) -> date:
        if day.year not in YEARS:
            self.refuse(field, "day_in_years", f"{day} is not within {YEARS_MEANING}")
        return day

    def currency(self, field: str) -> str:
        value = self._cells[field]
        try:
            exponent_of(value)
        except UnknownCurrencyError:
            if value:
                self.refuse(field, "currency_exists", f"{value!r} is not an active ISO 4217 code in upper case")
            return ""
        return value

    def amount(self, field: str, currency: str, *, least: int) -> int:
        value = self._cells[field]
        if not value or not currency:
            return 0
        try:
            amount = Money.parse(value, currency).amount_minor
        except MoneyError as error:
            self.refuse(field, "amount_format", str(error))
            return 0
        if amount > AMOUNT_MINOR_MAX:
            self.refuse(field, "amount_at_most", f"{value} is more than one invoice can carry")
        elif amount < least:
            wanted = "more than nothing" if least else "nothing or more"
            self.refuse(field, "amount_positive" if least else "amount_not_negative", f"{value} must be {wanted}")
        return amount

    def completed(self, row: ImportedSubscription) -> ImportedSubscription:
        """Return a subscription with its discount; what it could not begin with is noted."""
        try:
            row = replace(row, discount=kept_discount(self._cells["discount"], row.discount_until, row.currency))
            if row.is_billed_by_day:
                row.creation()
        except RefusedError as error:
            for problem in error.problems:
                self.refuse(problem.field, problem.rule, problem.message)
        return row

    def finish(self, row: Read) -> Read:
        if self.problems:
            raise RefusedError(self.problems)
        return row


# What the field is called whose column has another name.
_FIELDS = {"credit_limit": "credit_limit_minor", "due_date_rule": "due_date_rule_id", "recurring": "is_recurring"}


def read_row(source: str, line: int, cells: NamedCells, reference: ImportReference) -> Row:
    """Read one row of a file. Raises RefusedError with everything that is wrong with it.

    A column that the file does not have, or that the row leaves empty, says nothing about what is there already.
    """
    reading = Cells(source, line, cells)
    left_out = cells.absent if reference.clears_empty else cells.absent | cells.empty
    kept = frozenset(_FIELDS.get(column, column) for column in left_out)
    match source:
        case "accounts":
            return replace(reading.finish(_account(reading, reference)), kept=kept)
        case "subscriptions":
            return replace(reading.finish(_subscription(reading, reference)), kept=kept)
        case _:
            return replace(reading.finish(_card(reading)), kept=kept)


def read_account(cells: Mapping[str, str], reference: ImportReference) -> ImportedAccount:
    """Read one account that stands in no file. Raises RefusedError with everything that is wrong with it."""
    reading = Cells(ACCOUNTS, 0, cells)
    account = _account(reading, reference)
    reading.problems = [replace(problem, source="") for problem in reading.problems]
    return reading.finish(account)


def _account(cells: Cells, reference: ImportReference) -> ImportedAccount:
    currency = cells.currency("currency")
    account_id = cells.id("account_id")
    if account_id.startswith(_RESERVED):
        cells.refuse("account_id", "id_not_reserved", f"{account_id!r} names an account of the ledger itself")
    if len(cells.text("owner_name")) > 200:
        cells.refuse("owner_name", "length", "must be at most 200 characters")
    return ImportedAccount(
        account_id=account_id,
        owner_name=cells.text("owner_name"),
        currency=currency,
        email=cells.matching("email", _EMAIL, "email_format", "is not an e-mail address") or None,
        locale=cells.locale("locale", reference.locales),
        time_zone=cells.one_of("time_zone", reference.time_zones, "time_zone_exists", "is no IANA time zone"),
        owner_reference=cells.optional("owner_reference"),
        credit_limit_minor=cells.amount("credit_limit", currency, least=0) if cells.text("credit_limit") else None,
        credit_period_days=cells.whole("credit_period_days", -366, 366) if cells.text("credit_period_days") else None,
        due_date_rule_id=cells.one_of(
            "due_date_rule", reference.due_date_rules, "due_date_rule_exists", "is no due date rule"
        )
        or None,
        region=cells.optional("region"),
        segment=cells.optional("segment"),
        classification=cells.optional("classification"),
        payment_method=cells.one_of(
            "payment_method", reference.payment_methods, "method_exists", "is no payment method in use"
        )
        or None,
    )


def _subscription(cells: Cells, reference: ImportReference) -> ImportedSubscription:
    currency = cells.currency("currency")
    price_minor, quantity = cells.amount("price", currency, least=1), cells.whole("quantity", 1, 1_000_000)
    if price_minor <= AMOUNT_MINOR_MAX < price_minor * quantity:
        cells.refuse("quantity", "amount_at_most", "price times quantity is more than one invoice can carry")
    elif currency and 0 < price_minor * quantity < charge_step(currency):
        cells.refuse("price", "amount_in_steps", f"a period costs less than one step: {steps_text(currency)}")
    starts_on = cells.day("starts_on")
    ends_on, trial_until, discount_until = (
        cells.day(name) if cells.text(name) else None for name in ("ends_on", "trial_until", "discount_until")
    )
    if ends_on is not None and ends_on <= starts_on and not cells.problems:
        cells.refuse("ends_on", "ends_after_start", f"{ends_on} is not after {starts_on}")
    row = ImportedSubscription(
        subscription_id=cells.id("subscription_id"),
        account_id=cells.id("account_id"),
        product_id=cells.one_of("product_id", reference.products, "product_exists", "is no product in use"),
        price_minor=price_minor,
        currency=currency,
        quantity=quantity,
        billing_day=cells.whole("billing_day", 1, 31),
        starts_on=starts_on,
        ends_on=ends_on,
        term=cells.one_of("term", tuple(Term), "term_exists", "is no term: month, quarter or year"),
        trial_until=trial_until,
        discount_until=discount_until,
    )
    return cells.completed(row) if not cells.problems else row


def _card(cells: Cells) -> ImportedCard:
    return ImportedCard(
        account_id=cells.id("account_id"),
        customer=cells.id("customer"),
        token=cells.matching("token", re.compile(r"^[A-Za-z]+_[!-~]{1,120}$"), "token_format", "is no gateway token"),
        brand=cells.matching("brand", re.compile(r"^[A-Za-z][A-Za-z _-]{0,31}$"), "brand_format", "is no card brand"),
        last4=cells.matching("last4", re.compile(r"^[0-9]{4}$"), "last4_format", "must be four digits"),
        exp_month=cells.whole("exp_month", 1, 12),
        exp_year=cells.whole("exp_year", 2000, 2100),
        is_recurring=_YES_OR_NO.get(cells.one_of("recurring", _YES_OR_NO, "yes_or_no", "must be yes or no"), False),
        fallback_order=cells.whole("fallback_order", 1, 100),
    )
