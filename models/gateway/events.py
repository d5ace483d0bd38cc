"""Events of a gateway: hints that something has happened, never the fact itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType


class EventSubject(StrEnum):
    """Which of our processes an event is about."""

    PAYMENT = "payment"
    CARD = "card"
    REFUND = "refund"
    DISPUTE = "dispute"
    MOVEMENT = "movement"
    MERCHANT = "merchant"  # a merchant's own account at the gateway
    FRAUD = "fraud"  # a payment that may be fraud: no process waits for it, operators get an alert
    FOUND = "found"  # a payment or refund that nobody here has requested


class EventState(StrEnum):
    """Where an event stands. `ignored`: of a type that nothing here needs. `needs_review`: about nothing we know."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    IGNORED = "ignored"
    NEEDS_REVIEW = "needs_review"


class EventChannel(StrEnum):
    """How an event came to us."""

    WEBHOOK = "webhook"
    SWEEP = "sweep"


@dataclass(frozen=True)
class EventNeed:
    """Why a type of event is needed."""

    subject: EventSubject
    meaning: str


def _needs(subject: EventSubject, **meanings: str) -> dict[str, EventNeed]:
    return {name.replace("__", "."): EventNeed(subject, text) for name, text in meanings.items()}


# Every type that anything here waits for, by Stripe's names. A payment that succeeds at once needs none of them: they
# end waits, and each only says "read it now". What is not in the table is stored and ignored.
NEEDED = MappingProxyType(
    _needs(
        EventSubject.PAYMENT,
        payment_intent__succeeded="a payment that was unknown, slow or made on a page has its money",
        payment_intent__payment_failed="a payment that was unknown, slow or on a page was declined",
        payment_intent__canceled="a payment ended without money",
        checkout__session__async_payment_succeeded="a slow payment on a page has its money",
        checkout__session__async_payment_failed="a slow payment on a page was declined",
    )
    | _needs(
        EventSubject.CARD,
        setup_intent__succeeded="a card was accepted",
        setup_intent__setup_failed="a card was rejected",
        setup_intent__requires_action="a card wants its holder's confirmation",
        setup_intent__canceled="a validation was ended",
        payment_method__updated="a card's data were changed",
        payment_method__automatically_updated="the card network replaced a card's data",
        payment_method__detached="a card was taken from its customer",
        mandate__updated="the leave to charge was given or taken back",
        customer__deleted="a customer with all their cards is gone",
    )
    | _needs(
        EventSubject.REFUND,
        refund__created="a refund was made, perhaps in the gateway's dashboard",
        refund__updated="a refund moved on",
        refund__failed="a refund failed, perhaps after it had succeeded",
        charge__refunded="money of a charge went back, whoever requested it",
    )
    | _needs(
        EventSubject.DISPUTE,
        charge__dispute__created="a charge is disputed",
        charge__dispute__updated="a dispute moved on",
        charge__dispute__funds_withdrawn="the disputed money was taken",
        charge__dispute__funds_reinstated="the disputed money came back",
        charge__dispute__closed="a dispute was decided",
    )
    | _needs(
        EventSubject.MERCHANT,
        account__updated="a merchant's account changed: it may charge, or not any more",
        account__application__deauthorized="a merchant has shut us out of its account",
        capability__updated="what a merchant's account may do changed",
    )
    | _needs(
        EventSubject.FRAUD,
        radar__early_fraud_warning__created="an issuer says that a payment was fraud, which often becomes a dispute",
        review__opened="a payment waits for a person's judgement at the gateway",
    )
    | _needs(
        EventSubject.MOVEMENT,
        charge__updated="a charge has been booked on the balance, with its fee",
        application_fee__refunded="a platform's fee went back, by a refund or in the gateway's dashboard",
    )
)

# A page may take a payment or save a card: the type of its event alone does not say which.
PAGE_EVENTS = MappingProxyType(
    {
        "checkout.session.completed": "a customer is done on a page",
        "checkout.session.expired": "a page ended without its customer",
    }
)
_SUBJECT_OF_PAGE = MappingProxyType({"payment": EventSubject.PAYMENT, "setup": EventSubject.CARD})

# How long an event about nothing that we know waits for its object, try by try; then a person decides.
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
)


# Events about a merchant's account happen on that account: the platform's own list has none of them.
OF_MERCHANTS = frozenset(type_ for type_, need in NEEDED.items() if need.subject is EventSubject.MERCHANT)
# What a platform takes is its own: no merchant's account has such an event.
OF_PLATFORM = frozenset({"application_fee.refunded"})


def needed_types(*, of_merchants: bool = False) -> tuple[str, ...]:
    """Return every type of event that the gateway must send us, in order: of its own account, or of merchants'."""
    return tuple(sorted({*NEEDED, *PAGE_EVENTS} - (OF_PLATFORM if of_merchants else OF_MERCHANTS)))


def event_subject(type_: str, *, page_mode: str = "", gateway_account: str = "") -> EventSubject | None:
    """Say what an event of a type is about; None when nothing here needs it.

    Of its own account a platform needs no more than its payments: only merchants' accounts have connections.
    """
    if type_ in (OF_PLATFORM if gateway_account else OF_MERCHANTS):
        return None
    if type_ in PAGE_EVENTS:
        return _SUBJECT_OF_PAGE.get(page_mode)
    need = NEEDED.get(type_)
    return need.subject if need else None


@dataclass(frozen=True)
class GatewayEvent:
    """A verified event: what it is about, and every id that may lead to something of ours. Nothing personal.

    `gateway_account` is the merchant's account on which it happened; none for the provider's own.
    """

    id: str
    type: str
    subject: EventSubject | None
    object_id: str
    request_id: str
    account_id: str
    mentions: tuple[str, ...]
    is_live: bool
    created_at: datetime
    gateway_account: str = ""


@dataclass(frozen=True)
class EventCursor:
    """The last event that was read of the gateway's list, which goes on behind it."""

    id: str
    type: str


@dataclass(frozen=True)
class Hint:
    """An event that waits for delivery, and the natural key of what it is about; without one, nobody knows it yet.

    `is_recorded`: the ledger has what it says, so that it needs no workflow that waits for it.
    """

    event_id: str
    subject: EventSubject
    key: tuple[str, ...]
    is_recorded: bool = True


@dataclass(frozen=True)
class Delivered:
    """What became of a delivery: events delivered, put off because nobody knows what they are about, and given up."""

    taken: int = 0
    put_off: int = 0
    given_up: int = 0


@dataclass(frozen=True)
class SweepRequest:
    """Sweep a provider's events for those that never came."""

    provider: str


@dataclass(frozen=True)
class Swept:
    """What a sweep found: events listed, and new among them. `is_late`: the last one was longer ago than the gateway
    remembers, so that events may be lost for good.
    """

    listed: int
    found: int
    since: datetime
    is_late: bool = False


@dataclass(frozen=True)
class SweepResult:
    """What a sweep came to."""

    swept: Swept
    delivered: Delivered


class EndpointChange(StrEnum):
    """What registering our address at the gateway came to."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Endpoint:
    """Our address as the gateway knows it. The secret is shown once, when it is created."""

    reference: str
    url: str
    change: EndpointChange
    secret: str = ""


class UntrustedEventError(ValueError):
    """A body that the gateway did not sign, or signed too long ago, or that is no event. It leaves no trace."""


class StaleEventError(UntrustedEventError):
    """The gateway signed it, too long ago: somebody may have kept it, or one of two clocks is wrong."""

    def __init__(self) -> None:
        super().__init__("stale")
