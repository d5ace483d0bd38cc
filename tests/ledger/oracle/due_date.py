"""When an invoice falls due, and which dates a person may choose instead (F110 to F116)."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class ProximityOperator(StrEnum):
    """On which side of the computed date the proximity range lies."""

    MINUS = "minus"
    PLUS = "plus"
    PLUS_MINUS = "plus_minus"


class DueDateError(ValueError):
    """A rule that cannot be, or a date outside the credit period."""


@dataclass(frozen=True)
class Proximity:
    """How many days a due date may lie away from the computed one (F113)."""

    operator: ProximityOperator
    days: int

    def __post_init__(self) -> None:
        if not 1 <= self.days <= 366:
            raise DueDateError("proximity days must lie between 1 and 366")


@dataclass(frozen=True)
class DaysAfter:
    """Rule A: a number of days after the posting date (F112)."""

    number_of_days: int
    proximity: Proximity | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.number_of_days <= 3660:
            raise DueDateError("number_of_days must lie between 0 and 3660")


@dataclass(frozen=True)
class DayOfMonth:
    """Rule B: the n-th day, a number of months after the posting date (F112)."""

    day_of_month: int
    after_months: int
    proximity: Proximity | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.day_of_month <= 31:
            raise DueDateError("day_of_month must lie between 1 and 31")
        if not 0 <= self.after_months <= 120:
            raise DueDateError("after_months must lie between 0 and 120")


DueDateRule = DaysAfter | DayOfMonth


@dataclass(frozen=True)
class DueWindow:
    """The dates that the credit period allows, both ends included."""

    earliest: date
    latest: date


def due_window(rule: DueDateRule, posted_on: date) -> DueWindow:
    """Return the window that a due date must lie in; without a proximity range it is a single day."""
    base, proximity = _base_date(rule, posted_on), rule.proximity
    if proximity is None:
        return DueWindow(base, base)
    days = timedelta(days=proximity.days)
    match proximity.operator:
        case ProximityOperator.MINUS:
            return DueWindow(base - days, base)
        case ProximityOperator.PLUS:
            return DueWindow(base, base + days)
        case ProximityOperator.PLUS_MINUS:
            return DueWindow(base - days, base + days)


def due_on_for(
    rule: DueDateRule, posted_on: date, *, chosen: date | None = None, credit_period_days: int | None = None
) -> date:
    """Return the due date: the chosen one if the rule allows it, else the rule's own (F110, F111, F115).

    The rule's own date is the computed one moved by the account's credit period, or the earliest of the proximity
    range when the account has none (Q7). A date outside the window is an error, never corrected silently.
    """
    window = due_window(rule, posted_on)
    due_on = chosen if chosen is not None else _default(rule, posted_on, window, credit_period_days)
    if not window.earliest <= due_on <= window.latest:
        raise DueDateError(f"due date {due_on} is outside {window.earliest} to {window.latest}")
    return due_on


def _default(rule: DueDateRule, posted_on: date, window: DueWindow, credit_period_days: int | None) -> date:
    if rule.proximity is None or credit_period_days is None:
        return window.earliest
    return _base_date(rule, posted_on) + timedelta(days=credit_period_days)


def _base_date(rule: DueDateRule, posted_on: date) -> date:
    if isinstance(rule, DaysAfter):
        return posted_on + timedelta(days=rule.number_of_days)
    months = posted_on.year * 12 + posted_on.month - 1 + rule.after_months
    year, month = divmod(months, 12)
    # A month too short for the day ends with its last one (F116).
    last_day = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(rule.day_of_month, last_day))
