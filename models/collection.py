"""What a collection is told, what it answers, and what it remembers."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from models.dunning import DunningPolicy
from models.gateway_request import AttemptCause, CollectResult


class Stage(StrEnum):
    """Where a receivable stands; the search attribute `Stage` carries it."""

    COLLECTING = "collecting"
    DUNNING = "dunning"
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    GIVEN_UP = "given_up"


@dataclass(frozen=True)
class CollectionRequest:
    """Collect what an account owes for a period; without invoices, all that nobody else is collecting."""

    account_id: str
    period: str
    provider: str = "stripe"
    run_id: str = ""
    invoices: tuple[str, ...] = ()
    resumed: "CollectionState | None" = None

    def resumed_as(self, state: "CollectionState") -> "CollectionRequest":
        """Return the request for the execution that goes on with a state."""
        return replace(self, resumed=state)


@dataclass(frozen=True)
class CollectionOpening:
    """Ask to own a receivable; `owner` is the workflow execution, so that it may ask twice and another may not."""

    account_id: str
    period: str
    provider: str
    run_id: str
    invoices: tuple[str, ...]
    owner: str


@dataclass(frozen=True)
class CollectionTerms:
    """What a collection is opened with: the policy it will finish under, and the account's clock."""

    policy: DunningPolicy
    time_zone: str
    amount_minor: int
    currency: str
    invoices: tuple[str, ...] = ()


@dataclass
class CollectionState:
    """What must survive a continue-as-new."""

    terms: CollectionTerms
    attempt: int = 1
    cause: AttemptCause = AttemptCause.SCHEDULED
    card_id: str = ""
    soft_declines: int = 0
    technical_declines: int = 0
    unknown_since: datetime | None = None
    looks: int = 0
    decisions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CollectionClosing:
    """How a collection ends: settled, or given up and why."""

    account_id: str
    period: str
    stage: Stage
    reason: str
    actor: str = ""


@dataclass(frozen=True)
class CollectionResult:
    """What a collection came to."""

    stage: Stage
    reason: str
    attempts: int
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class CollectionStatus:
    """The answer to the query `status`."""

    stage: Stage
    attempt: int
    amount_minor: int
    currency: str
    next_action_at: datetime | None
    last: CollectResult | None
    decisions: tuple[str, ...]


@dataclass(frozen=True)
class OperatorCommand:
    """Who asks for something, and why: both are kept in the history."""

    actor: str
    reason: str
