"""The life of a card: its states, its registration, and what is due on it and when (G11 to G13, X1 to X8).

When a card's expiry is announced is decided by next_due, from the rules' warn_days.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from models.card_number import REFUSED, holds_card_number
from models.messages.message import CardNotice
from models.operator_command import OperatorCommand, UnknownResolution
from models.waiting import NOTHING_PENDING, WaiterSnapshot


class CardState(StrEnum):
    """Where a card stands. Only an active one is ever charged, by a run only when it is flagged as recurring (G12)."""

    REGISTERED = "registered"
    VALIDATING = "validating"
    ACTIVE = "active"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REMOVED = "removed"


IN_VALIDATION = frozenset({CardState.REGISTERED, CardState.VALIDATING})
CARD_ENDED = frozenset({CardState.REJECTED, CardState.REPLACED, CardState.REMOVED})

_TOKEN = re.compile(r"pm_[A-Za-z0-9_]{1,200}")


class InvalidCardError(ValueError):
    """A registration that breaks a rule. The message opens with the field; what was given is never in it."""


@dataclass(frozen=True)
class CardRegistration:
    """Save a card for an account: with the gateway's token, or on a hosted page without one. Never with a number.

    Raises InvalidCardError before anything is sent anywhere.
    """

    card_id: str
    account_id: str
    provider: str
    method: str = "card"
    token: str = field(default="", repr=False)
    is_recurring: bool = True
    fallback_order: int = 1
    is_preferred: bool = False
    replaces: str = ""

    def __post_init__(self) -> None:
        """Refuse what looks like a card number, wherever it stands, and whatever is no token."""
        for name in ("card_id", "account_id", "provider", "method", "token", "replaces"):
            if holds_card_number(str(getattr(self, name))):
                raise InvalidCardError(f"{name}: {REFUSED}")
        if self.token and not _TOKEN.fullmatch(self.token):
            raise InvalidCardError("token: must be the gateway's reference of a card, such as pm_…")
        if not re.fullmatch(r"card_[A-Za-z0-9_-]{1,60}", self.card_id):
            raise InvalidCardError("card_id: must be card_ and up to 60 letters, digits, dashes")
        if not 1 <= self.fallback_order <= 100:
            raise InvalidCardError("fallback_order: must be 1 to 100")


@dataclass(frozen=True)
class CardRules:
    """What is done about cards by itself; one row of the database.

    Warnings go out so many days before the card's last month is over. A card that was neither validated nor charged
    for `stale_days` is validated again. A customer has `action_days` for a page or a confirmation and is reminded
    after `reminder_days`.
    """

    warn_days: tuple[int, ...] = (30, 7)
    stale_days: int = 365
    action_days: int = 7
    reminder_days: int = 2


@dataclass(frozen=True)
class Card:
    """A card as it is stored, with the rules it lives by. Expiry is 0 until the gateway has given it."""

    card_id: str
    account_id: str
    provider: str
    state: CardState
    state_reason: str
    label: str
    exp_year: int
    exp_month: int
    is_recurring: bool
    fallback_order: int
    attempt: int
    is_hosted: bool
    checked_at: datetime
    rules: CardRules = field(default_factory=CardRules)


class CardDuty(StrEnum):
    """What is due on an active card at a moment."""

    WARN = "warn"
    EXPIRE = "expire"
    REVALIDATE = "revalidate"


@dataclass(frozen=True)
class Due:
    """The next thing to do about an active card by itself; `days` distinguishes one warning from another."""

    at: datetime
    duty: CardDuty
    days: int = 0


def ends_at(exp_year: int, exp_month: int) -> datetime:
    """Return when a card's last month is over, in UTC."""
    return datetime(exp_year + exp_month // 12, exp_month % 12 + 1, 1, tzinfo=UTC)


def next_due(
    card: Card, *, now: datetime, warned: frozenset[int] = frozenset(), put_off_until: datetime | None = None
) -> Due:
    """Return what is due next on an active card. Warnings that were given, or whose moment a later one has passed,
    are not given any more. A check of the card may have been put off until a moment.
    """
    over = ends_at(card.exp_year, card.exp_month)
    if now >= over:
        return Due(over, CardDuty.EXPIRE)
    dues = [Due(over, CardDuty.EXPIRE)]
    stale_at = card.checked_at + timedelta(days=card.rules.stale_days)
    dues.append(Due(put_off_until or stale_at, CardDuty.REVALIDATE))
    missed = [days for days in card.rules.warn_days if over - timedelta(days=days) <= now]
    latest = min(missed, default=0)
    dues += [
        Due(max(now, over - timedelta(days=days)), CardDuty.WARN, days)
        for days in card.rules.warn_days
        if days not in warned and (days not in missed or days == latest)
    ]
    return min(dues, key=lambda due: (due.at, due.duty))


class ValidationOutcome(StrEnum):
    """What one attempt to validate a card came to."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ACTION_REQUIRED = "action_required"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    DID_NOT_HAPPEN = "did_not_happen"
    INVALID_REQUEST = "invalid_request"
    PROVIDER_NOT_EFFECTIVE = "provider_not_effective"  # nothing new is asked of it for now


FINAL_VALIDATIONS = frozenset(
    {ValidationOutcome.ACCEPTED, ValidationOutcome.REJECTED, ValidationOutcome.INVALID_REQUEST}
)


@dataclass(frozen=True)
class ValidationRequest:
    """Validate a card, or read what an earlier attempt came to. A repeat has the same key."""

    card_id: str
    provider: str
    attempt: int


@dataclass(frozen=True)
class ValidationResolution:
    """What a person found out about an attempt whose outcome nobody knows."""

    card_id: str
    attempt: int
    resolution: UnknownResolution


@dataclass(frozen=True)
class ValidationResult:
    """The answer. `url` is where its holder must go, until `expires_at`."""

    outcome: ValidationOutcome
    attempt: int
    code: str = ""
    decline_code: str = ""
    gateway_reference: str = ""
    url: str = field(default="", repr=False)
    expires_at: datetime | None = None

    @property
    def reason(self) -> str:
        """The most precise code that was given."""
        return self.decline_code or self.code


@dataclass(frozen=True)
class Refreshed:
    """A stored card after it was read at the gateway."""

    card: Card
    is_changed: bool


@dataclass(frozen=True)
class CardSnapshot:
    """What a card's workflow carries from one execution to the next."""

    attempt: int = 0
    is_validating: bool = False
    warned: tuple[int, ...] = ()
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    reminded: bool = False
    unknown_since: datetime | None = None
    checks: int = 0
    put_off_until: datetime | None = None
    card: Card | None = None
    first: ValidationResult | None = None
    last: ValidationResult | None = None
    waiter: WaiterSnapshot = NOTHING_PENDING
    notices: tuple[CardNotice, ...] = ()


@dataclass(frozen=True)
class CardRequest:
    """Look after a card: register it first, or go on with one that is stored already."""

    card_id: str
    provider: str
    registration: CardRegistration | None = None
    resumed: CardSnapshot | None = None


@dataclass(frozen=True)
class CardStatus:
    """What the query `status` answers."""

    card: Card | None
    last: ValidationResult | None
    next_action: str
    next_action_at: datetime | None
    history: tuple[str, ...]


@dataclass(frozen=True)
class CardResult:
    """How a card's life ended."""

    card_id: str
    state: CardState
    reason: str


@dataclass(frozen=True)
class CardChange:
    """A change that a person, the gateway or time makes to a stored card."""

    card_id: str
    state: CardState | None = None
    reason: str = ""
    is_recurring: bool | None = None
    is_default: bool = False
    actor: str = ""


@dataclass(frozen=True)
class RecurringCommand(OperatorCommand):
    """Flag a card for runs, or take the flag away (G12)."""

    is_recurring: bool = True
