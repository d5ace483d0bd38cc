"""Process runs: the frozen membership, the page a shard works on, the totals, the certificate (X16 to X30)."""

from dataclasses import dataclass, field, replace
from enum import StrEnum


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
    IN_DUNNING = "in_dunning"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    PARKED = "parked"


@dataclass(frozen=True)
class RunRequest:
    """Execute a definition for a period; the same pair is one run, however often it is asked for.

    The rest is where a billing run goes on after continuing as new.
    """

    definition_id: str
    period: str
    after: str = ""
    billed: int = 0
    parked: int = 0

    def resumed_after(self, after: str, *, billed: int, parked: int) -> "RunRequest":
        """Return the request for the execution that goes on behind a cursor."""
        return replace(self, after=after, billed=billed, parked=parked)


@dataclass(frozen=True)
class ScheduledRunRequest:
    """What a schedule asks for; the period is that of the scheduled moment on the definition's clock."""

    definition_id: str
    kind: RunKind
    time_zone: str


@dataclass(frozen=True)
class RunPlan:
    """What freezing the membership gave."""

    run_id: str
    provider: str
    shards: int
    window: int
    page: int
    members: int
    skipped: int


@dataclass(frozen=True)
class ShardRequest:
    """One shard's share of a run, from a cursor on. `tally` is what the earlier pages came to."""

    run_id: str
    period: str
    provider: str
    shard: int
    window: int
    page: int
    after: str = ""
    tally: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ShardProgress:
    """What one shard has come to after a page: members by outcome."""

    shard: int
    tally: dict[str, int]


@dataclass(frozen=True)
class PageRequest:
    """Ask for the next members of a shard after a cursor, by keyset."""

    run_id: str
    shard: int
    after: str
    limit: int


@dataclass(frozen=True)
class BillingPageRequest:
    """Ask to bill the next subscriptions after a cursor."""

    run_id: str
    period: str
    after: str
    limit: int


@dataclass(frozen=True)
class Due:
    """One member to collect from; the text is what the timeline shows."""

    account_id: str
    summary: str


@dataclass(frozen=True)
class DuePage:
    """Members in order of their account id. An empty page ends the shard."""

    members: tuple[Due, ...]


@dataclass(frozen=True)
class BilledPage:
    """What one page of billing came to; `after` is empty at the end."""

    after: str
    billed: int
    parked: int


@dataclass(frozen=True)
class OutcomeTotal:
    """Members with one outcome and reason in one currency; amount in minor units."""

    outcome: ItemOutcome
    reason: str
    currency: str
    members: int
    amount_minor: int


@dataclass(frozen=True)
class Certificate:
    """The closing statement of a run: every member counted once, money equal to what the ledger posted."""

    run_id: str
    definition_id: str
    period: str
    members: int
    totals: tuple[OutcomeTotal, ...]
    sha256: str
