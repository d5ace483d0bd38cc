"""Where a decline is classified: what the issuer's code means for the next attempt (S40, X29).

The codes are Stripe's published decline codes (https://docs.stripe.com/declines/codes) and advice codes
(https://docs.stripe.com/declines/card), and of bank debits those of ISO 20022's ExternalStatusReason1Code and
ExternalReturnReason1Code that the SEPA rulebooks use. The classes are ours: they decide what collection does next.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class DeclineClass(StrEnum):
    """What follows from a decline."""

    SOFT = "soft"  # the same card may work later
    TECHNICAL = "technical"  # the card was not judged: something between us and the issuer failed
    ACTION_REQUIRED = "action_required"  # only the customer can let this payment pass
    HARD = "hard"  # this card will not work again for us
    FRAUD = "fraud"  # as hard, and nobody but the bank may know why


class Advice(StrEnum):
    """The card network's advice, where it gives one: it outranks the code."""

    DO_NOT_TRY_AGAIN = "do_not_try_again"
    TRY_AGAIN_LATER = "try_again_later"
    CONFIRM_CARD_DATA = "confirm_card_data"


@dataclass(frozen=True)
class Decline:
    """One decline as the gateway reported it: codes only, never the card."""

    code: str
    decline_code: str = ""
    advice_code: str = ""
    network_decline_code: str = ""

    @property
    def reason(self) -> str:
        """The most precise code that was given."""
        return self.decline_code or self.code


_BY_CLASS = {
    DeclineClass.SOFT: """
        approve_with_id call_issuer card_velocity_exceeded do_not_honor generic_decline insufficient_funds
        invalid_amount no_action_taken not_permitted pin_try_exceeded reenter_transaction service_not_allowed
        transaction_not_allowed withdrawal_count_limit_exceeded card_declined testmode_decline
        AM04 MS03 SL01 FOCR
    """,
    DeclineClass.TECHNICAL: """
        issuer_not_available processing_error try_again_later duplicate_transaction
        AG02 AM05 BE05 CNOR CURR CUST DNOR DT01 ED05 FF01 FF05 RC01 RR01 RR02 RR03 RR04 TM01 TECH UPAY
    """,
    DeclineClass.ACTION_REQUIRED: """
        authentication_required authentication_not_handled mobile_device_authentication_required
        offline_pin_required online_or_offline_pin_required
    """,
    DeclineClass.HARD: """
        card_not_supported currency_not_supported do_not_try_again expired_card incorrect_address incorrect_cvc
        incorrect_number incorrect_pin incorrect_zip invalid_account invalid_cvc invalid_expiry_month
        invalid_expiry_year invalid_number invalid_pin new_account_information_available restricted_card
        revocation_of_all_authorizations revocation_of_authorization stop_payment_order card_unavailable
        AC01 AC04 AC06 AC13 AG01 MD01 MD02 MD06 MD07 MS02
    """,
    DeclineClass.FRAUD: """
        fraudulent highest_risk_level lost_card merchant_blacklist pickup_card security_violation stolen_card
    """,
}

CLASS_OF_CODE = MappingProxyType({code: kind for kind, codes in _BY_CLASS.items() for code in codes.split()})


def is_known(decline: Decline) -> bool:
    """Say whether the table knows the code: an unknown one is logged by whoever meets it."""
    return decline.reason in CLASS_OF_CODE


def classify(decline: Decline) -> DeclineClass:
    """Class a decline. A code that nobody knows is soft, since the card may well work later."""
    by_code = CLASS_OF_CODE.get(decline.reason) or CLASS_OF_CODE.get(decline.code) or DeclineClass.SOFT
    if by_code in {DeclineClass.FRAUD, DeclineClass.ACTION_REQUIRED}:
        return by_code
    match decline.advice_code:
        case Advice.DO_NOT_TRY_AGAIN | Advice.CONFIRM_CARD_DATA:
            return DeclineClass.HARD
        case Advice.TRY_AGAIN_LATER if by_code is DeclineClass.HARD:
            return DeclineClass.SOFT
        case _:
            return by_code
