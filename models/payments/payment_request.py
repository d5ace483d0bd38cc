"""A payment request: what somebody asks an account to pay by a link (P17, P18, X60). Not a gateway request."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.gateway.gateway_request import CollectResult
from models.operator_command import CommandError
from models.payments.card_payment import CardPayment
from models.payments.request_terms import PaymentRequestTerms
from models.problem import refuse_unless
from models.waiting import NOTHING_PENDING, AcceptedCommands, WaiterSnapshot

# How long before its end a request that was mailed is mailed once more.
REMINDERS = (timedelta(days=3), timedelta(days=1))


class PaymentRequestState(StrEnum):
    """Where a payment request stands; nothing comes after the last three.

    `processing`: a bank debit was given, and the bank answers days later. When it says no the request is open again.
    """

    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


REQUEST_ENDED = frozenset({PaymentRequestState.PAID, PaymentRequestState.EXPIRED, PaymentRequestState.WITHDRAWN})

# The reason of a request whose invoices were paid in another way, and of one that was cancelled in Temporal's UI.
PAID_ELSEWHERE = "paid_elsewhere"
CANCELLED = "cancelled"


@dataclass(frozen=True)
class PaymentRequestInput:
    """See a payment request through. Without terms it is one that was made before."""

    request_id: str
    provider: str = "stripe"
    terms: PaymentRequestTerms | None = None
    resumed: "PaymentRequestSnapshot | None" = None


@dataclass(frozen=True)
class StoredPaymentRequest:
    """A payment request as it is stored: what it asked for, and what is to be paid now.

    `most_minor` is 0 where the amount is fixed; else the payer chooses one from `least_minor` to it. `attempt` is the
    last that was written down, `has_open_attempt`: it has no definite outcome yet.
    """

    request_id: str
    account_id: str
    period: str
    provider: str
    title: str
    amount_minor: int
    payable_minor: int
    least_minor: int
    most_minor: int
    has_payers: bool
    currency: str
    expires_at: datetime
    is_mailed: bool
    state: PaymentRequestState
    reason: str
    time_zone: str
    attempt: int
    has_open_attempt: bool


@dataclass(frozen=True)
class PaymentLink:
    """The answer to whoever makes a request: where it is paid, as the end of an address, how much, and until when."""

    request_id: str
    state: PaymentRequestState
    path: str
    amount_minor: int
    currency: str
    expires_at: datetime


def link_of(request: StoredPaymentRequest, token: str) -> PaymentLink:
    """Return what a maker of a request is told; `path` follows the public address of the receiver."""
    return PaymentLink(
        request.request_id,
        request.state,
        pay_path(token),
        request.amount_minor,
        request.currency,
        request.expires_at,
    )


def pay_path(token: str) -> str:
    """Return the path of a payment link; it follows the receiver's public address."""
    return f"/pay/{token}"


@dataclass(frozen=True)
class PaymentRequestEnd:
    """End a request, unless its money came meanwhile."""

    request_id: str
    state: PaymentRequestState
    reason: str
    actor: str = ""
    because: str = ""


@dataclass(frozen=True)
class PaymentRequestMail:
    """Mail the link of a request; `transition` distinguishes the mails of one request, each is sent once."""

    request_id: str
    reason: str
    transition: str
    actor: str = ""
    because: str = ""


@dataclass(frozen=True)
class PageOrder:
    """What the payer says who presses the button: the amount, in minor units, where it is theirs to choose; else 0.

    `payer` is whose link it was, of several: the first is 1. 0 is the account's.
    """

    amount_minor: int = 0
    payer: int = 0


@dataclass(frozen=True)
class NotedPageOrder:
    """What a payer has said, to be kept with the request before a page asks for it."""

    request_id: str
    order: PageOrder


@dataclass(frozen=True)
class RequestPage:
    """The page that is open for a request's payer, the attempt that it is, and what is paid on it."""

    url: str
    expires_at: datetime
    attempt: int
    amount_minor: int


@dataclass(frozen=True)
class PageReading:
    """What a page has come to, and the page itself while it is open. Without a result its attempt was never written."""

    result: CollectResult | None = None
    page: RequestPage | None = None


@dataclass(frozen=True)
class PaymentRequestSnapshot:
    """What a request's workflow carries from one execution to the next."""

    checks: int = 0
    unknown_since: datetime | None = None
    end: PaymentRequestEnd | None = None
    waiter: WaiterSnapshot = NOTHING_PENDING


@dataclass(frozen=True)
class AcceptedOrders(AcceptedCommands):
    """What was accepted and is not done: that the request is withdrawn, and the card that is to be charged.

    `payment` is the order of the charge while it has no answer, and `charged` what that has come to.
    """

    end: PaymentRequestEnd | None = None
    card_id: str = ""
    payment: CardPayment | None = None
    charged: CollectResult | None = None


@dataclass(frozen=True)
class PaymentRequestStatus:
    """The answer to the query `status`; `next_action` says what comes at `next_action_at`. The link is not in it.

    `stage` is the state, or `unknown`: nobody knows whether it was paid.
    """

    stage: str
    account_id: str
    amount_minor: int
    currency: str
    expires_at: datetime | None
    attempt: int
    has_page: bool
    next_action: str
    next_action_at: datetime | None
    history: tuple[str, ...]
    is_in_review: bool = False
    review_reason: str = ""


@dataclass(frozen=True)
class PaymentRequestResult:
    """What a payment request came to."""

    state: PaymentRequestState
    reason: str
    amount_minor: int
    currency: str


def next_reminder(request: StoredPaymentRequest, now: datetime) -> datetime | None:
    """Return when the payer is reminded next; None where nobody is, or not any more."""
    moments = (request.expires_at - before for before in REMINDERS)
    return min((at for at in moments if at > now), default=None) if request.is_mailed else None


def earliest(*moments: datetime | None) -> datetime:
    """Return the first of some moments, of which one at least is known."""
    return min(at for at in moments if at is not None)


def require_open(stage: str) -> None:
    """Raise CommandError unless a request is open, and no payment of it is under way."""
    refuse_unless(stage == PaymentRequestState.OPEN, CommandError, f"state: the request is {stage}, it must be open")
