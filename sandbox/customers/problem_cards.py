"""The ways in which a customer's payment can fail to be the easy case, and how such a card answers."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from sandbox.stripe.cards import AUTHENTICATE, TEST_CARDS, declined
from sandbox.stripe.control.messages import CardOutcome


class PaymentProblem(StrEnum):
    """What is wrong with one customer in eight."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    DECLINED_WITH_FALLBACK = "declined_with_fallback"
    PROCESSING_ERROR = "processing_error"
    NEVER_RECOVERS = "never_recovers"
    DECLINED_FOR_GOOD = "declined_for_good"
    EXPIRED = "expired"
    LOST_OR_STOLEN = "lost_or_stolen"
    AUTHENTICATION_REQUIRED = "authentication_required"
    NO_CARD = "no_card"
    BELOW_MINIMUM = "below_minimum"
    TERMINATED = "terminated"


@dataclass(frozen=True)
class Answers:
    """What a card says to the next charges, one by one; afterwards yes, or for ever the last."""

    outcomes: tuple[CardOutcome, ...] = ()
    repeat_last: bool = False


ALWAYS_YES = Answers()

_EMPTY = TEST_CARDS["pm_card_visa_chargeDeclinedInsufficientFunds"].on_charge
_FAILED = TEST_CARDS["pm_card_chargeDeclinedProcessingError"].on_charge
_EXPIRED = TEST_CARDS["pm_card_chargeDeclinedExpiredCard"].on_charge
_LOST = TEST_CARDS["pm_card_visa_chargeDeclinedLostCard"].on_charge
_STOLEN = TEST_CARDS["pm_card_visa_chargeDeclinedStolenCard"].on_charge
_RESTRICTED = declined("restricted_card", advice_code="do_not_try_again", network_decline_code="62")

_FOR_EVER = {
    PaymentProblem.DECLINED_WITH_FALLBACK: (_RESTRICTED,),
    PaymentProblem.NEVER_RECOVERS: (_EMPTY,),
    PaymentProblem.DECLINED_FOR_GOOD: (_RESTRICTED,),
    PaymentProblem.EXPIRED: (_EXPIRED,),
    PaymentProblem.LOST_OR_STOLEN: (_LOST, _STOLEN),
    PaymentProblem.AUTHENTICATION_REQUIRED: (AUTHENTICATE,),
}
_PASSING = {PaymentProblem.INSUFFICIENT_FUNDS: _EMPTY, PaymentProblem.PROCESSING_ERROR: _FAILED}

# As often as the demo's dunning policy asks again, less the time that works.
DECLINES_BEFORE_RECOVERY_MAX = 2


def answers_of(problem: PaymentProblem | None, draw: Random) -> Answers:
    """Return how the customer's first card answers; a card that nothing is wrong with says yes."""
    if problem in _PASSING:
        return Answers((_PASSING[problem],) * draw.randint(1, DECLINES_BEFORE_RECOVERY_MAX))
    if problem in _FOR_EVER:
        return Answers((draw.choice(_FOR_EVER[problem]),), repeat_last=True)
    return ALWAYS_YES
