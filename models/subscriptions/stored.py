"""A subscription as the database has it, and the changes that are planned on it, dated and numbered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from models.problem import refusal
from models.subscriptions.billing import BilledProduct
from models.subscriptions.cycle import BillingCycle, Term
from models.subscriptions.timeline import ChangeKind, DatedChange, Timeline


@dataclass(frozen=True)
class BilledMonth:
    """The newest line of a whole month that was billed by what the subscription's row said."""

    transaction_id: str
    product_id: str
    period_from: date
    period_to: date
    quantity: Decimal
    unit_price_minor: int


@dataclass(frozen=True)
class StoredSubscription:
    """A subscription as the database has it; `today` is the day where its account lives. Prices in minor units."""

    id: str
    account_id: str
    currency: str
    today: date
    state: str
    starts_on: date
    ends_on: date | None
    product_id: str
    price_minor: int
    quantity: int
    term_months: int
    billing_day: int
    by_day_from: date | None
    billed_until: date | None
    version: int
    billed_version: int
    billings: int
    changes: tuple[DatedChange, ...]
    products: Mapping[str, BilledProduct]
    newest: BilledMonth | None = None


@dataclass(frozen=True)
class Plan:
    """Changes to write, and what the subscription's row says then. Without changes everything is so already."""

    changes: tuple[DatedChange, ...] = ()
    row: Mapping[str, Any] | None = None


class Known:
    """A subscription with its changes; one that was billed in whole months gets them here.

    Its days are billed by day from the change on: back into the newest invoice, but not beyond it.
    """

    def __init__(self, stored: StoredSubscription) -> None:
        self._stored = stored
        self._started = () if stored.changes else _started(stored)
        changes = stored.changes or self._started
        self.timeline = Timeline(stored.starts_on, changes)
        self._changes = changes

    @property
    def new_from(self) -> date:
        """The first day that is not billed yet."""
        stored = self._stored
        if stored.by_day_from is not None:
            return stored.billed_until or stored.by_day_from
        return stored.newest.period_to if stored.newest else self._first_start

    @property
    def resumed_days(self) -> list[date]:
        """The days from which on a pause was to be over, in order."""
        return sorted({change.from_on for change in self._changes if change.is_paused is False})

    @property
    def paused_days(self) -> list[date]:
        """The days from which on it was to be paused, in order."""
        return sorted({change.from_on for change in self._changes if change.is_paused})

    @property
    def _first_start(self) -> date:
        stored = self._stored
        return self.timeline.terms_on(stored.starts_on).cycle.first_start(stored.starts_on)

    @property
    def _reaches_back_to(self) -> date:
        stored = self._stored
        if stored.by_day_from is not None:
            return stored.by_day_from
        return stored.newest.period_from if stored.newest else stored.starts_on

    def require_open(self, from_on: date) -> None:
        """Raise RefusedError unless the subscription is there on a day that a change may reach back to."""
        ends_on = self._stored.ends_on
        if ends_on is not None and from_on >= ends_on:
            raise refusal("from", "subscription_not_ended", f"the subscription ends on {ends_on}")
        self.require_reached(from_on, "from")

    def require_reached(self, from_on: date, field: str) -> None:
        """Raise RefusedError for a day before those that are billed by day."""
        if from_on < self._reaches_back_to:
            raise refusal(field, "change_reaches_back", f"the earliest day is {self._reaches_back_to}")

    def plan(self, *changes: DatedChange) -> Plan:
        """Number the changes behind those that are there, and say what the row says then."""
        stored = self._stored
        numbered = enumerate((*self._started, *changes), stored.version + 1)
        new = [replace(change, version=version) for version, change in numbered]
        every = (*stored.changes, *new)
        timeline = Timeline(stored.starts_on, every)
        last = timeline.terms_on(max(change.from_on for change in every))
        row: dict[str, Any] = {
            "product_id": last.product_id,
            "price_minor": last.price_minor,
            "quantity": last.quantity,
            "billing_day": last.cycle.billing_day,
            "term_months": last.cycle.term.months,
            "ends_on": timeline.ends_on,
        }
        if stored.by_day_from is None:
            row |= self._by_day_from(changes[0].from_on)
        return Plan(tuple(new), row)

    def _by_day_from(self, from_on: date) -> dict[str, Any]:
        """From where on it is billed by day. Past months that no run has billed stay unbilled."""
        stored = self._stored
        day = min(from_on, stored.today)
        period = self.timeline.terms_on(day).cycle.period_of(day)
        if stored.newest is None:
            return {"by_day_from": max(self._first_start, period.starts_on), "billed_until": None, "billed_version": 0}
        billed_until = max(stored.newest.period_to, period.starts_on)
        days = {"by_day_from": min(from_on, billed_until), "billed_until": billed_until}
        return days | {"billed_version": 1}


def _started(stored: StoredSubscription) -> tuple[DatedChange, ...]:
    """Return what a subscription without changes is: the first as it was billed, the second as its row has it since."""
    row = DatedChange(
        0,
        stored.starts_on,
        stored.product_id,
        stored.price_minor,
        stored.quantity,
        stored.term_months,
        stored.billing_day,
        anchor_of(stored.billing_day, stored.starts_on),
        ends_on=stored.ends_on,
        kind=ChangeKind.STARTED,
    )
    line = stored.newest
    if line is None or line.quantity != int(line.quantity):
        return (row,)
    billed = replace(
        row,
        product_id=line.product_id,
        price_minor=line.unit_price_minor,
        quantity=int(line.quantity),
        ends_on=None,
    )
    return (billed,) if billed == row else (billed, replace(row, from_on=line.period_to))


def anchor_of(billing_day: int, day: date) -> date:
    """Return the first billing day on or after a day."""
    return BillingCycle(Term.MONTH, billing_day, day).first_start(day)
