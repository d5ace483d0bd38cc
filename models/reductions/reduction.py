"""Back-end reductions: what a merchant offers, what is awarded, and what becomes of it (F134 to F136, X65 to X70)."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from models.operator_command import OperatorCommand
from models.problem import refuse_unless
from models.waiting import NOTHING_PENDING, AcceptedCommands, WaiterSnapshot

_AWARD = re.compile(r"[a-z][A-Za-z0-9_-]{2,39}")


class Remedy(StrEnum):
    """What is tried when a reduction cannot be refunded from the sale's payment, or came back."""

    ANOTHER_PAYMENT = "another_payment"
    CREDIT = "credit"  # a credit note: it settles what is open on the account, or the next invoice
    PERSON = "person"


class ReductionState(StrEnum):
    """Where an award stands."""

    AWARDED = "awarded"
    REFUNDING = "refunding"
    GRANTED = "granted"
    CLAWED_BACK = "clawed_back"
    GIVEN_UP = "given_up"


REDUCTION_ENDED = frozenset({ReductionState.GRANTED, ReductionState.CLAWED_BACK, ReductionState.GIVEN_UP})


# All of it has reached the customer, and is watched as long as a bank may send a refund back.
PAID = "paid"

# Why a person is asked what becomes of an award; nothing else leaves them anything to decide.
NO_REMEDY_LEFT = "no_remedy_left"


class InvalidAwardError(ValueError):
    """An award or a merchant's settings that break a rule; the message opens with the field."""


@dataclass(frozen=True)
class ReductionSettings:
    """A merchant's or group's settings. Amounts in minor units of the merchant's currency; no limit without one.

    The merchant bears `contribution_percent` of an award (X68). A refund waits `hold_days` from the award, and takes
    payments that are at most `max_age_days` old. `remedies` are tried in their order; then a person decides.
    """

    is_effective: bool = True
    method: str = "card"
    contribution_percent: Decimal = Decimal(100)
    hold_days: int = 0
    max_award_minor: int | None = None
    max_day_minor: int | None = None
    max_customer_day_minor: int | None = None
    is_newest_first: bool = True
    max_age_days: int | None = 180
    remedies: tuple[Remedy, ...] = (Remedy.ANOTHER_PAYMENT, Remedy.CREDIT)

    def __post_init__(self) -> None:
        """Refuse settings that make no sense. Raises InvalidAwardError."""
        refuse_unless(
            0 <= self.contribution_percent <= 100, InvalidAwardError, "contribution_percent: must be 0 to 100"
        )
        refuse_unless(0 <= self.hold_days <= 365, InvalidAwardError, "hold_days: must be 0 to 365")
        refuse_unless(
            self.max_age_days is None or 1 <= self.max_age_days <= 3650,
            InvalidAwardError,
            "max_age_days: must be 1 to 3650",
        )
        for name in ("max_award_minor", "max_day_minor", "max_customer_day_minor"):
            limit = getattr(self, name)
            refuse_unless(limit is None or limit > 0, InvalidAwardError, f"{name}: must be more than nothing")
        refuse_unless(len(set(self.remedies)) == len(self.remedies), InvalidAwardError, "remedies: each at most once")


@dataclass(frozen=True)
class Award:
    """A reward's discount that a customer is owed. Amount in minor units; the sale's payment where it is known.

    The id is the reward's own: the same award twice is one reduction.
    """

    award_id: str
    merchant_id: str
    account_id: str
    amount_minor: int
    currency: str
    payment_id: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no award. Raises InvalidAwardError."""
        refuse_unless(
            _AWARD.fullmatch(self.award_id) is not None,
            InvalidAwardError,
            "award_id: must be a lower-case letter and 2 to 39 letters, digits, _ -",
        )
        refuse_unless(bool(self.merchant_id), InvalidAwardError, "merchant_id: say which merchant")
        refuse_unless(bool(self.account_id), InvalidAwardError, "account_id: say whose reward it is")
        refuse_unless(self.amount_minor > 0, InvalidAwardError, "amount: must be more than nothing")
        refuse_unless(
            re.fullmatch(r"[A-Z]{3}", self.currency) is not None,
            InvalidAwardError,
            "currency: must be a code such as EUR",
        )


@dataclass(frozen=True)
class ReductionPart:
    """A part of a reduction: a refund of one payment, or a credit where there is no refund."""

    part: int
    refund_id: str
    payment_id: str
    amount_minor: int
    state: str
    code: str = ""


@dataclass(frozen=True)
class Reduction:
    """A reduction as the database has it. `granted_minor` is booked; `open_minor` is neither granted nor under way."""

    award_id: str
    merchant_id: str
    account_id: str
    payment_id: str
    amount_minor: int
    currency: str
    settings: ReductionSettings
    state: ReductionState
    reason: str
    awarded_at: datetime
    parts: tuple[ReductionPart, ...] = ()
    granted_minor: int = 0
    open_minor: int = 0
    is_disputed: bool = False
    is_sale_returned: bool = False

    @property
    def under_way(self) -> tuple[ReductionPart, ...]:
        """The parts whose refund is not certain yet."""
        return tuple(each for each in self.parts if each.state in {"pending", "under_processing", "unknown"})

    @property
    def stage(self) -> str:
        """Its state, or `paid` while a bank may still send back what has reached the customer."""
        is_paid = self.state is ReductionState.REFUNDING and self.parts and not (self.under_way or self.open_minor)
        return PAID if is_paid else self.state

    @property
    def held_until(self) -> datetime:
        """When its hold period is over."""
        return self.awarded_at + timedelta(days=self.settings.hold_days)


@dataclass(frozen=True)
class ReductionSnapshot:
    """What a reduction's workflow carries from one execution to the next."""

    watched: tuple[str, ...] = ()
    remedies_used: int = 0
    is_run_signaled: bool = False
    decision: "ReductionDecision | None" = None
    waiter: WaiterSnapshot = NOTHING_PENDING


@dataclass(frozen=True)
class AcceptedDecision(AcceptedCommands):
    """What was accepted and is not done: a person's decision, should no remedy be left after a fault either."""

    decision: "ReductionDecision | None" = None


@dataclass(frozen=True)
class ReductionRequest:
    """See an award through. Without the award it was written down before; a run that waits is signalled."""

    award_id: str
    provider: str = "stripe"
    award: Award | None = None
    run_id: str = ""
    resumed: "ReductionSnapshot | None" = None


@dataclass(frozen=True)
class ReductionStatus:
    """The answer to the query `status` of a reduction."""

    reduction: Reduction | None
    next_action: str
    next_action_at: datetime | None
    history: tuple[str, ...]


@dataclass(frozen=True)
class ReductionClosing:
    """How a reduction ends; `decision` says who decided it and why, when a person did."""

    award_id: str
    state: ReductionState
    reason: str
    decision: str = ""


class Decision(StrEnum):
    """What a person may decide about a reduction for which no remedy is left."""

    CREDIT = "credit"
    TRY_AGAIN = "try_again"
    GIVE_UP = "give_up"


@dataclass(frozen=True)
class ReductionDecision(OperatorCommand):
    """Who decides what, and why."""

    decision: Decision = field(kw_only=True)
