"""Process runs: the frozen membership, the page a shard works on, the totals, the certificate (X16 to X30)."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from models.runs.breaker import BreakerState
from models.runs.criteria import LeftOut
from models.runs.run_control import Steering
from models.runs.run_period import PeriodUnit


class RunKind(StrEnum):
    """What a run does."""

    BILLING = "billing"
    PAYMENT = "payment"


class RunState(StrEnum):
    """Life of a process run."""

    RUNNING = "running"
    COMPLETED = "completed"


class ItemOutcome(StrEnum):
    """What became of one account in a run; every member of a certified run has one."""

    BILLED = "billed"
    CHARGED = "charged"
    PENDING = "pending"  # asked of a provider that answers later
    IN_DUNNING = "in_dunning"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    PARKED = "parked"
    RELEASED = "released"


@dataclass(frozen=True)
class RunRequest:
    """Execute a definition for a period; the same pair is one run, however often it is started.

    A shadow run does all that a payment run does, against a gateway that does nothing. `not_due_yet` runs a period that
    is not due, and `over_nobody` one in which nobody is to be charged or billed; both are refused otherwise, for they
    close the period. `supplement` is 0 for the period's own run; each further number is a run for whom those before it
    did not have. The rest is where a billing run goes on after continuing as new.
    """

    definition_id: str
    period: str
    is_shadow: bool = False
    not_due_yet: bool = False
    after: str = ""
    billed: int = 0
    parked: int = 0
    over_nobody: bool = False
    supplement: int = 0
    skipped: int = 0

    def resumed_after(self, after: str, *, billed: int, parked: int, skipped: int) -> "RunRequest":
        """Return the request for the execution that goes on behind a cursor."""
        return replace(self, after=after, billed=billed, parked=parked, skipped=skipped)


@dataclass(frozen=True)
class ScheduledRunRequest:
    """What a schedule starts; the period is that of the scheduled moment on the definition's clock.

    Of every so many weeks or days, `every` says how many, counted from the first of them, which `counted_from` lies in;
    of every so many minutes too, which are counted from midnight in UTC.
    """

    definition_id: str
    kind: RunKind
    time_zone: str
    unit: PeriodUnit = PeriodUnit.MONTH
    every: int = 1
    counted_from: date | None = None


@dataclass(frozen=True)
class RunPlan:
    """What freezing the membership gave; `due` is what its members owe, in minor units by currency."""

    run_id: str
    provider: str
    shards: int
    window: int
    page: int
    members: int
    skipped: int
    due: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DueMember:
    """One member to collect from; the text is what the timeline shows."""

    account_id: str
    summary: str


@dataclass(frozen=True)
class ShardRequest:
    """One shard's share of a run, from a cursor on; with what the earlier pages came to, and how it is steered.

    `window` is the most that may be under way. What follows `breaker` is of a shard that continues as new while
    payments are under way: those, the size that its window had, and how many executions there were before.
    """

    run_id: str
    period: str
    provider: str
    shard: int
    window: int
    page: int
    is_shadow: bool = False
    report_every: int = 1
    steering: Steering = field(default_factory=Steering)
    after: str = ""
    pages: int = 0
    tally: dict[str, int] = field(default_factory=dict)
    charged: dict[str, int] = field(default_factory=dict)
    breaker: BreakerState = field(default_factory=BreakerState)
    carried: tuple[DueMember, ...] = ()
    window_size: int = 0
    executions: int = 0


@dataclass(frozen=True)
class ShardProgress:
    """What one shard has come to: members by outcome, minor units charged by currency.

    `held_since` is set while the gateway answers nobody there.
    """

    shard: int
    tally: dict[str, int]
    charged: dict[str, int] = field(default_factory=dict)
    held_since: datetime | None = None


@dataclass(frozen=True)
class CountedShards:
    """What the rows of a run's members say of each of its shards that has come to anything."""

    shards: tuple[ShardProgress, ...]


@dataclass(frozen=True)
class RunSnapshot:
    """What a run carries from one execution to the next.

    How it is steered, what was decided, a changed rate, and what its shards have reported.
    """

    steering: Steering = field(default_factory=Steering)
    decisions: tuple[str, ...] = ()
    calls_per_second: int | None = None
    progress: tuple[ShardProgress, ...] = ()


@dataclass(frozen=True)
class PageRequest:
    """Read the next members of a shard after a cursor, by keyset."""

    run_id: str
    shard: int
    after: str
    limit: int


@dataclass(frozen=True)
class BillingPageRequest:
    """Bill the next subscriptions after a cursor."""

    run_id: str
    period: str
    after: str
    limit: int


@dataclass(frozen=True)
class DuePage:
    """Members in order of their account id. An empty page ends the shard."""

    members: tuple[DueMember, ...]


@dataclass(frozen=True)
class BilledPage:
    """What one page of billing came to; `after` is empty at the end. Who is skipped has nothing to pay this time."""

    after: str
    billed: int
    parked: int
    skipped: int = 0


@dataclass(frozen=True)
class FromWallets:
    """What a run has settled from wallets in one currency; amount in minor units."""

    currency: str
    accounts: int
    amount_minor: int


@dataclass(frozen=True)
class OutcomeTotal:
    """Members with one outcome and reason in one currency; amount in minor units.

    A billing run has its net, its tax and their total; of what was not billed there is the net price alone. There
    `amount_minor` is the total of what was billed, and the net price of the rest.
    """

    outcome: ItemOutcome
    reason: str
    currency: str
    members: int
    amount_minor: int
    net_minor: int | None = None
    tax_minor: int | None = None
    total_minor: int | None = None


@dataclass(frozen=True)
class Comparison:
    """A shadow run beside the last certified run: members by difference (same, new, gone, amount, card, both)."""

    baseline_id: str
    members: dict[str, int]


@dataclass(frozen=True)
class Certificate:
    """The closing statement of a run: every member counted once, money equal to what the ledger posted.

    `decisions` are what operators did to it, and why. Only a shadow run has a comparison. `taken_again` is what of a
    supplement the certificates before it count as passed over, parked or released: with that taken away, all
    certificates of a period add up to it. `criteria` are those of the definition when the members were fixed, and
    `left_out` who owed and was no member for them. `from_wallet` is what was settled from wallets when the members were
    fixed: it is no member's, and no card was asked for it.
    """

    run_id: str
    definition_id: str
    period: str
    members: int
    totals: tuple[OutcomeTotal, ...]
    sha256: str
    is_aborted: bool = False
    decisions: tuple[str, ...] = ()
    comparison: Comparison | None = None
    supplement: int = 0
    taken_again: tuple[OutcomeTotal, ...] = ()
    criteria: dict[str, Any] | None = None
    left_out: tuple[LeftOut, ...] = ()
    from_wallet: tuple[FromWallets, ...] = ()
