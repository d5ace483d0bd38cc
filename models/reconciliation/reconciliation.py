"""Reconciliation: a provider's day compared with the ledger, both ways, and the certificate of what was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

# What the gateway lists late may bear an earlier moment, so every reading looks back: three days, and five weeks on
# Sundays, for fees are billed up to a month late.
LOOKBACK = timedelta(days=3)
LOOKBACK_ON_SUNDAYS = timedelta(days=35)
_SUNDAY = 6

# Objects younger than this by the gateway's clock are carried over: whoever has just moved the money books it.
YOUNG_MINUTES = 15

# So many workflows are named to be woken at a time; all others find what was booked by themselves.
WAKE_MAX = 50

# What the ledger has booked shows at the gateway within an hour as a rule; after a day it is missing.
OVERDUE = timedelta(hours=24)


def lookback_of(day: date) -> timedelta:
    """Return how far before a day its reconciliation reads."""
    return LOOKBACK_ON_SUNDAYS if day.weekday() == _SUNDAY else LOOKBACK


class GatewayList(StrEnum):
    """The lists of a gateway that are read."""

    MOVEMENTS = "movements"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    PAYOUTS = "payouts"


@dataclass(frozen=True)
class ReconciliationRequest:
    """Reconcile a day of a provider; without a day it is the day before the one on which it starts, in UTC.

    Objects younger than `young_minutes` by the gateway's clock are carried over: whoever moved the money books it.
    """

    provider: str = "stripe"
    day: date | None = None
    young_minutes: int = YOUNG_MINUTES


@dataclass(frozen=True)
class ObjectCheckRequest:
    """Look at an object of the gateway that an event names: a payment, a refund, or a platform's fee that went back.

    On the account of the merchant of whom the fee was taken that is `CHARGE/FEE`.
    """

    object_id: str
    provider: str = "stripe"


@dataclass(frozen=True)
class CheckedObject:
    """What became of it: matched, mended, listed, or waiting for whoever is about to record it."""

    outcome: str
    kind: str = ""
    wake: str = ""


@dataclass(frozen=True)
class PlanRequest:
    """Plan the next round of a day's reconciliation."""

    reconciliation_id: str
    provider: str
    day: date
    young_minutes: int


@dataclass(frozen=True)
class ListWindow:
    """A part of a list: what was created from one moment until before another, by the gateway's clock."""

    list: GatewayList
    read_from: datetime
    read_until: datetime


@dataclass(frozen=True)
class ReconciliationPlan:
    """What one round reads. `started_at` is the database's: what was booked by then is looked for afterwards.

    `old_before` is the gateway's: what is not matched and was there by then is a candidate.
    """

    reconciliation_id: str
    provider: str
    day: date
    round: int
    read_from: datetime
    read_until: datetime
    started_at: datetime
    old_before: datetime
    windows: tuple[ListWindow, ...]


@dataclass(frozen=True)
class WindowReading:
    """Read one window of a round."""

    reconciliation_id: str
    provider: str
    round: int
    old_before: datetime
    window: ListWindow


@dataclass(frozen=True)
class WindowRead:
    """How many objects a window lists, how many of them were new, and which workflows wait for one of them."""

    listed: int
    found: int
    wake: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matched:
    """What matching came to: movements looked at, and matched."""

    seen: int = 0
    matched: int = 0


@dataclass(frozen=True)
class ConfirmedCandidates:
    """What became of the candidates: matched after all, booked by Duly itself, listed for a person, or still under way.

    `wake` are the workflows that wait for what was found, by their ids: at most a page of them.
    """

    matched: int = 0
    mended: int = 0
    listed: int = 0
    waiting: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    wake: tuple[str, ...] = ()


@dataclass(frozen=True)
class BalanceComparison:
    """A currency's balance at the gateway and in the ledger; `unbooked_minor` is listed there and not booked here."""

    currency: str
    gateway_minor: int
    ledger_minor: int
    unbooked_minor: int

    @property
    def difference_minor(self) -> int:
        """What nothing explains."""
        return self.gateway_minor - self.ledger_minor - self.unbooked_minor


@dataclass(frozen=True)
class MovementTotal:
    """The day's movements of one kind in one currency; amounts in minor units."""

    currency: str
    kind: str
    state: str
    movements: int
    amount_minor: int
    fee_minor: int
    net_minor: int


@dataclass(frozen=True)
class TransitTotal:
    """What of a currency is between a gateway and the bank, in minor units; below zero on its way out of the bank."""

    currency: str
    payouts: int
    amount_minor: int


@dataclass(frozen=True)
class DiscrepancyTotal:
    """Discrepancies of a kind that are open, or that this reconciliation has found."""

    kind: str
    state: str
    discrepancies: int


@dataclass(frozen=True)
class ReconciliationCertificate:
    """The closing statement of a round, sealed."""

    reconciliation_id: str
    provider: str
    day: date
    round: int
    read_from: datetime
    read_until: datetime
    listed: int
    balances: tuple[BalanceComparison, ...]
    in_transit: tuple[TransitTotal, ...]
    totals: tuple[MovementTotal, ...]
    discrepancies: tuple[DiscrepancyTotal, ...]
    sha256: str

    @property
    def open_discrepancies(self) -> int:
        """How many discrepancies wait for a person."""
        return sum(total.discrepancies for total in self.discrepancies if total.state == "open")
