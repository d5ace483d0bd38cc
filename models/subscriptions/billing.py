"""What a subscription is billed at a run: its new days, and what changes have made of the days billed before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from models.period import Period
from models.subscriptions.cycle import DateRange
from models.subscriptions.timeline import DatedChange, Segment, Timeline


@dataclass(frozen=True)
class BilledProduct:
    """What is sold, with the tax that applies to it now."""

    name: str
    tax_rate_id: str | None = None
    tax_percent: Decimal | None = None


@dataclass(frozen=True)
class BilledLine:
    """A line of a posted invoice or credit note of the subscription; amounts in minor units, below 0 on a credit note.

    `is_open_to_credit` where it is on an invoice that was neither cancelled nor written off.
    """

    transaction_id: str
    product_id: str
    period_from: date
    period_to: date
    net_minor: int
    total_minor: int
    tax_rate_id: str | None
    tax_percent: Decimal
    is_open_to_credit: bool = True


@dataclass(frozen=True)
class BillableSubscription:
    """A subscription that is billed by day: its days from `by_day_from` to `billed_until` are billed.

    They are billed as the changes up to `billed_version` have it. `billings` counts how often it was billed.
    """

    id: str
    account_id: str
    currency: str
    account_currency: str
    starts_on: date
    by_day_from: date
    billed_until: date | None
    version: int
    billed_version: int
    billings: int
    changes: tuple[DatedChange, ...]
    products: Mapping[str, BilledProduct]
    billed: tuple[BilledLine, ...] = ()

    @property
    def timeline(self) -> Timeline:
        """What it is on each day, as everybody knows now."""
        return Timeline(self.starts_on, self.changes)

    @property
    def new_from(self) -> date:
        """The first day that is not billed yet."""
        return self.billed_until or self.by_day_from


@dataclass(frozen=True)
class Entry:
    """An amount before tax for some days, below 0 when it was billed too high; `before` is what was billed for them."""

    product_id: str
    amount_minor: int
    segment: Segment
    before: Segment | None = None

    @property
    def days(self) -> DateRange:
        """Its days."""
        return self.segment.days


@dataclass(frozen=True)
class Owed:
    """What a run has to bill of a subscription, and up to which day all is billed then."""

    until: date
    charges: tuple[Entry, ...] = ()
    credits: tuple[Entry, ...] = ()
    reason: str = field(default="nothing_due")


def owed_in(subscription: BillableSubscription, month: Period) -> Owed:
    """Return what is to bill in a month's run: periods that begin by its end, and all that has changed before.

    The days of a period are billed in advance, as one line when nothing changes in it. What is billed is never changed:
    where a change makes its days dearer the difference is charged, where it makes them cheaper it is credited.
    """
    timeline = subscription.timeline
    last = month.ends_on - timedelta(days=1)
    until = max(subscription.new_from, timeline.terms_on(last).cycle.period_of(last).ends_on)
    entries = [*_differences(subscription, timeline), *_new_days(subscription, timeline, until)]
    return Owed(
        until,
        tuple(entry for entry in entries if entry.amount_minor > 0),
        tuple(entry for entry in entries if entry.amount_minor < 0),
        _why_nothing(timeline, max(last, subscription.starts_on)),
    )


def _new_days(subscription: BillableSubscription, timeline: Timeline, until: date) -> Iterator[Entry]:
    for segment in timeline.segments(DateRange(subscription.new_from, until)):
        yield Entry(segment.terms.product_id, segment.amount_minor, segment)


def _differences(subscription: BillableSubscription, timeline: Timeline) -> Iterator[Entry]:
    """Compare what the days that are billed cost now with what they cost when they were billed."""
    days = DateRange(subscription.by_day_from, subscription.new_from)
    if subscription.version == subscription.billed_version or days.length <= 0:
        return
    known = [change for change in subscription.changes if change.version <= subscription.billed_version]
    before = list(Timeline(subscription.starts_on, known).segments(days))
    for now in timeline.segments(days):
        for then in before:
            if (both := _overlap(now.days, then.days)) is not None:
                yield from _difference(_cut(now, both), _cut(then, both))


def _difference(now: Segment, then: Segment) -> Iterator[Entry]:
    if now.terms.product_id == then.terms.product_id:
        yield Entry(now.terms.product_id, now.amount_minor - then.amount_minor, now, then)
        return
    yield Entry(then.terms.product_id, -then.amount_minor, now, then)
    yield Entry(now.terms.product_id, now.amount_minor, now)


def _overlap(one: DateRange, other: DateRange) -> DateRange | None:
    days = DateRange(max(one.starts_on, other.starts_on), min(one.ends_on, other.ends_on))
    return days if days.length > 0 else None


def _cut(segment: Segment, days: DateRange) -> Segment:
    return Segment(days, segment.period, segment.terms, segment.is_free)


def _why_nothing(timeline: Timeline, day: date) -> str:
    if timeline.trial_ends_on is not None and day < timeline.trial_ends_on:
        return "in_trial"
    return "paused" if timeline.terms_on(day).is_paused else "nothing_due"


def creditable(billed: Sequence[BilledLine], product_id: str, days: DateRange) -> list[BilledLine]:
    """Return what was billed and credited of a product for days that overlap some, on invoices that still stand."""
    return [
        line
        for line in billed
        if line.product_id == product_id
        and line.is_open_to_credit
        and _overlap(DateRange(line.period_from, line.period_to), days) is not None
    ]
