"""The messages of a collection: requests, commands, answers, and what continue-as-new carries."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from models.collections.dunning import DunningPolicy, GiveUpAction
from models.gateway.gateway_request import AttemptCause, CollectResult
from models.messages.message import Notice
from models.operator_command import CommandError, OperatorCommand
from models.problem import refuse_unless
from models.waiting import NOTHING_PENDING, AcceptedCommands, WaiterSnapshot, Wake


class Stage(StrEnum):
    """Where a receivable stands; the search attribute `Stage` carries it."""

    COLLECTING = "collecting"
    DUNNING = "dunning"
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    GIVEN_UP = "given_up"


# Between attempts: only then may anybody decide what comes next.
BETWEEN_ATTEMPTS = frozenset({Stage.DUNNING, Stage.WAITING_FOR_CUSTOMER})

# Why a collection ended that somebody cancelled: it can be opened again, and no policy applies.
CANCELLED = "cancelled"

# Why a collection ended whose rest no gateway takes, below the minimum or less than a step: it stays owed, and is
# charged with what comes next.
UNCHARGEABLE = frozenset({"below_minimum", "amount_not_in_steps"})

# Why a collection ended whose account pays by a method that its provider does not handle: pays_by_bank_transfer.
PAYS_BY = "pays_by_"

# Nothing comes after these.
ENDED = frozenset({Stage.SETTLED, Stage.GIVEN_UP})


# So many invoices one receivable holds, and one request pays (duly.invoices_at_most).
INVOICES_AT_MOST = 5_000


@dataclass(frozen=True)
class CollectionRequest:
    """Collect what an account owes; without invoices, all that nobody else is collecting.

    `period` names the receivable: a month, or a month with a suffix, so that an account may have several in a month.
    `amount_minor`, with its `currency`: so much of it alone, the rest is left to others; 0 is all.
    """

    account_id: str
    period: str
    provider: str = "stripe"
    run_id: str = ""
    invoices: tuple[str, ...] = ()
    resumed: "CollectionSnapshot | None" = None
    amount_minor: int = 0
    currency: str = ""

    def resumed_as(self, snapshot: "CollectionSnapshot") -> "CollectionRequest":
        """Return the request for the execution that goes on with a snapshot."""
        return replace(self, resumed=snapshot)


@dataclass(frozen=True)
class CollectionOpening:
    """Own a receivable; `owner` is the workflow execution, so that it may repeat this and another may not."""

    account_id: str
    period: str
    provider: str
    run_id: str
    invoices: tuple[str, ...]
    owner: str


@dataclass(frozen=True)
class AmountOpening(CollectionOpening):
    """Own an amount of what is owed."""

    amount_minor: int
    currency: str


def opening_of(request: CollectionRequest, owner: str) -> CollectionOpening:
    """Return what takes over the receivable of a request."""
    named = (request.account_id, request.period, request.provider, request.run_id, request.invoices, owner)
    if request.amount_minor:
        return AmountOpening(*named, request.amount_minor, request.currency)
    return CollectionOpening(*named)


@dataclass(frozen=True)
class CollectionTerms:
    """What a collection is opened with: the policy it will finish under, and the account's clock.

    `attempt` and `cause` are those it goes on with: the last one that was written down for the receivable. The declines
    are those that the policy has decided about before it, and `tried_cards` were declined just before it. `has_rest`:
    more was open than one receivable holds, and what is left is the next one's. `given_up`: why it was let go already.
    """

    policy: DunningPolicy
    time_zone: str
    amount_minor: int
    currency: str
    invoices: tuple[str, ...] = ()
    attempt: int = 1
    cause: AttemptCause = AttemptCause.SCHEDULED
    soft_declines: int = 0
    has_rest: bool = False
    technical_declines: int = 0
    tried_cards: tuple[str, ...] = ()
    given_up: str = ""


class WaitingFor(StrEnum):
    """What a collection between two attempts waits for; the next execution goes on with that wait."""

    NOTHING = "nothing"
    RETRY = "retry"
    CUSTOMER = "customer"


@dataclass
class CollectionSnapshot:
    """What must survive a continue-as-new."""

    terms: CollectionTerms
    attempt: int = 1
    cause: AttemptCause = AttemptCause.SCHEDULED
    card_id: str = ""
    soft_declines: int = 0
    technical_declines: int = 0
    unknown_since: datetime | None = None
    checks: int = 0
    page: "OpenPage | None" = None
    customer_deadline: datetime | None = None
    declined: CollectResult | None = None
    # The cards that were declined since the last wait, and the decline after which another card was tried.
    tried_cards: tuple[str, ...] = ()
    deferred: CollectResult | None = None
    planned_at: datetime | None = None
    waiting_for: WaitingFor = WaitingFor.NOTHING
    stage: Stage = Stage.COLLECTING
    first: CollectResult | None = None
    last: CollectResult | None = None
    waiter: WaiterSnapshot = NOTHING_PENDING
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class CollectionCourse(AcceptedCommands):
    """What was accepted and is not done, and how far a collection had come under its policy when a fault came.

    `decided`: the last attempt about which the policy has decided, and whose decline is counted. The rows know neither
    skipped attempts nor the moments to which grace has put something off. `before_page`: skips and grace that were
    accepted before the customer's page was opened, which is not closed for them.
    """

    attempt: int = 0
    decided: int = 0
    soft_declines: int = 0
    technical_declines: int = 0
    tried_cards: tuple[str, ...] = ()
    deferred: CollectResult | None = None
    declined: CollectResult | None = None
    planned_at: datetime | None = None
    customer_deadline: datetime | None = None
    waiting_for: WaitingFor = WaitingFor.NOTHING
    unknown_since: datetime | None = None
    checks: int = 0
    before_page: tuple[Wake, ...] = ()


@dataclass(frozen=True)
class CollectionClosing:
    """How a collection ends: settled, or given up, why, and what then becomes of the account."""

    account_id: str
    period: str
    stage: Stage
    reason: str
    action: GiveUpAction = GiveUpAction.NOTHING


def action_at_end(policy: DunningPolicy, stage: Stage, reason: str) -> GiveUpAction:
    """Return what becomes of the account: the policy's action is for those who do not pay, not for a rest."""
    is_own_choice = reason in UNCHARGEABLE | {CANCELLED} or reason.startswith(PAYS_BY)
    is_by_policy = stage is Stage.GIVEN_UP and not is_own_choice
    return policy.on_giving_up if is_by_policy else GiveUpAction.NOTHING


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
    """The answer to the query `status`; `next_action` says what comes at `next_action_at`."""

    stage: Stage
    attempt: int
    amount_minor: int
    currency: str
    next_action_at: datetime | None
    last: CollectResult | None
    history: tuple[str, ...]
    is_in_review: bool = False
    review_reason: str = ""
    next_action: str = ""
    time_zone: str = "UTC"
    unknown_since: datetime | None = None


@dataclass(frozen=True)
class RetryCommand(OperatorCommand):
    """Try now, on the usual card or on another."""

    card_id: str = ""


GRACE_MAX = timedelta(days=180)


@dataclass(frozen=True)
class GraceCommand(OperatorCommand):
    """Leave the customer in peace until a moment."""

    until: datetime

    def check_at(self, now: datetime) -> None:
        """Raise CommandError unless the moment is ahead and within half a year."""
        self.check()
        refuse_unless(self.until.tzinfo is not None, CommandError, "until: needs a time zone")
        refuse_unless(self.until > now, CommandError, "until: must lie ahead")
        refuse_unless(self.until <= now + GRACE_MAX, CommandError, f"until: at most {GRACE_MAX.days} days ahead")


@dataclass(frozen=True)
class PaidOutsideCommand(OperatorCommand):
    """The customer has paid by other means; the reference finds the money again."""

    reference: str
    method: str = "bank_transfer"

    def check(self) -> None:
        """Raise CommandError unless there is a reference."""
        super().check()
        refuse_unless(bool(self.reference.strip()), CommandError, "reference: say where the money is found")


@dataclass(frozen=True)
class OpenPage:
    """A hosted page that the customer may pay on, and the attempt that it is."""

    url: str
    expires_at: datetime
    attempt: int


@dataclass(frozen=True)
class PaidOutside:
    """Record a payment that came by other means on the receivable."""

    account_id: str
    period: str
    reference: str
    method: str
    actor: str


@dataclass(frozen=True)
class Resolution:
    """Settle an unknown attempt by a person's evidence or decision."""

    account_id: str
    period: str
    attempt: int
    gateway_reference: str
    actor: str
    reason: str
