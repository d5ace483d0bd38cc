"""What a subscription is on each day: terms that hold from a day on, until others do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from models.money import half_up
from models.subscriptions.cycle import BillingCycle, DateRange, Term


class ChangeKind(StrEnum):
    """What was done to a subscription."""

    STARTED = "started"  # as it was when the first change was made to it
    CREATED = "created"
    CHANGED = "changed"
    IMPORTED = "imported"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"


@dataclass(frozen=True)
class Discount:
    """What is taken off the price of a period: a percentage or an amount in minor units, up to a day if it has one."""

    percent: Decimal = Decimal(0)
    amount_minor: int = 0
    until: date | None = None

    def taken_off(self, price_minor: int) -> int:
        """Return what it takes off a price; halves are rounded up, and no price falls below nothing."""
        return min(price_minor, half_up(Fraction(self.percent) * price_minor / 100) + self.amount_minor)


@dataclass(frozen=True)
class SubscriptionTerms:
    """What is bought on a day: price in minor units, before tax, for one piece and one billing period."""

    product_id: str
    price_minor: int
    quantity: int
    cycle: BillingCycle
    discount: Discount = Discount()
    is_paused: bool = False

    @property
    def list_minor(self) -> int:
        """The price of a billing period before any discount."""
        return self.price_minor * self.quantity

    @property
    def period_minor(self) -> int:
        """What a whole billing period costs, before tax."""
        return self.list_minor - self.discount.taken_off(self.list_minor)


@dataclass(frozen=True)
class DatedChange:
    """What holds from a day on; what is None stays as it was. Of two for the same day, the newer one counts.

    The end and the end of the trial are days themselves: those of the newest change that names one count.
    """

    version: int
    from_on: date
    product_id: str | None = None
    price_minor: int | None = None
    quantity: int | None = None
    term_months: int | None = None
    billing_day: int | None = None
    anchor_on: date | None = None
    is_paused: bool | None = None
    trial_ends_on: date | None = None
    ends_on: date | None = None
    discount_percent: Decimal | None = None
    discount_minor: int | None = None
    discount_until: date | None = None
    kind: ChangeKind = ChangeKind.CHANGED


@dataclass(frozen=True)
class Segment:
    """Days within one billing period on which the same terms hold; `is_free` ones cost nothing."""

    days: DateRange
    period: DateRange
    terms: SubscriptionTerms
    is_free: bool

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its billing period."""
        return self.days == self.period

    @property
    def amount_minor(self) -> int:
        """What its days cost before tax, in minor units."""
        if self.is_free:
            return 0
        return share(self.terms.period_minor, self.period, self.days)


def share(amount_minor: int, period: DateRange, days: DateRange) -> int:
    """Return the part of a period's amount that some of its days have.

    It is the part up to their end less the part up to their beginning, each rounded once, halves up: so the parts of
    any division of the period add up to the whole, to the minor unit.
    """
    return _part_until(amount_minor, period, days.ends_on) - _part_until(amount_minor, period, days.starts_on)


def _part_until(amount_minor: int, period: DateRange, day: date) -> int:
    return (2 * amount_minor * period.until(day) + period.length) // (2 * period.length)


class Timeline:
    """A subscription from its first day on. The first change must name everything but what has a default."""

    def __init__(self, starts_on: date, changes: Sequence[DatedChange]) -> None:
        self.starts_on = starts_on
        self._changes = sorted(changes, key=lambda change: (change.from_on, change.version))
        by_version = sorted(changes, key=lambda change: change.version)
        self.ends_on = _newest([change.ends_on for change in by_version])
        self.trial_ends_on = _newest([change.trial_ends_on for change in by_version])

    def terms_on(self, day: date) -> SubscriptionTerms:
        """Return the terms that hold on a day; before the first, those of the first."""
        first, *later = self._changes
        terms = _begun(first)
        for change in later:
            if change.from_on <= day:
                terms = _changed(terms, change)
        until = terms.discount.until
        return replace(terms, discount=Discount()) if until is not None and day >= until else terms

    def is_free_on(self, day: date) -> bool:
        """Whether nothing is charged for a day: before the first, in the trial, after the end, or while paused."""
        if day < self.starts_on or (self.ends_on is not None and day >= self.ends_on):
            return True
        return (self.trial_ends_on is not None and day < self.trial_ends_on) or self.terms_on(day).is_paused

    def segments(self, window: DateRange) -> Iterator[Segment]:
        """Cut a window at every day on which terms, prices or billing periods change."""
        for begins_on, ends_on in pairwise(self._cuts(window)):
            terms, day = self.terms_on(begins_on), begins_on
            while day < ends_on:
                period = terms.cycle.period_of(day)
                days = DateRange(day, min(ends_on, period.ends_on))
                yield Segment(days, period, terms, self.is_free_on(day))
                day = days.ends_on

    def _cuts(self, window: DateRange) -> list[date]:
        marks = [self.starts_on, self.ends_on, self.trial_ends_on]
        for change in self._changes:
            marks += [change.from_on, change.discount_until]
        within = {mark for mark in marks if mark is not None and window.starts_on < mark < window.ends_on}
        return sorted(within | {window.starts_on, window.ends_on})


def _begun(first: DatedChange) -> SubscriptionTerms:
    if first.product_id is None or first.price_minor is None or first.billing_day is None:
        raise ValueError("changes: the first must name a product, a price and a billing day")
    cycle = BillingCycle(Term.of(first.term_months or 1), first.billing_day, first.anchor_on or first.from_on)
    terms = SubscriptionTerms(
        first.product_id, first.price_minor, first.quantity or 1, cycle, is_paused=bool(first.is_paused)
    )
    return replace(terms, discount=_discount(terms.discount, first))


def _changed(terms: SubscriptionTerms, change: DatedChange) -> SubscriptionTerms:
    cycle = terms.cycle
    return SubscriptionTerms(
        terms.product_id if change.product_id is None else change.product_id,
        terms.price_minor if change.price_minor is None else change.price_minor,
        terms.quantity if change.quantity is None else change.quantity,
        BillingCycle(
            cycle.term if change.term_months is None else Term.of(change.term_months),
            cycle.billing_day if change.billing_day is None else change.billing_day,
            cycle.anchor_on if change.anchor_on is None else change.anchor_on,
        ),
        _discount(terms.discount, change),
        terms.is_paused if change.is_paused is None else change.is_paused,
    )


def _discount(before: Discount, change: DatedChange) -> Discount:
    if change.discount_percent is None and change.discount_minor is None:
        return before
    return Discount(change.discount_percent or Decimal(0), change.discount_minor or 0, change.discount_until)


def _newest(days: Sequence[date | None]) -> date | None:
    return next((day for day in reversed(days) if day is not None), None)
