"""What an issuer's "no" means: every code that Stripe publishes has a class, and the network's advice outranks it."""

from itertools import product

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from models.gateway.decline import _BY_CLASS, CLASS_OF_CODE, Advice, Decline, DeclineClass, classify, is_known

# https://docs.stripe.com/declines/codes, read in 2026.
PUBLISHED = """
    approve_with_id authentication_not_handled authentication_required call_issuer card_not_supported
    card_velocity_exceeded currency_not_supported do_not_honor do_not_try_again duplicate_transaction expired_card
    fraudulent generic_decline highest_risk_level incorrect_address incorrect_cvc incorrect_number incorrect_pin
    incorrect_zip insufficient_funds invalid_account invalid_amount invalid_cvc invalid_expiry_month
    invalid_expiry_year invalid_number invalid_pin issuer_not_available lost_card merchant_blacklist
    mobile_device_authentication_required new_account_information_available no_action_taken not_permitted
    offline_pin_required online_or_offline_pin_required pickup_card pin_try_exceeded processing_error
    reenter_transaction restricted_card revocation_of_all_authorizations revocation_of_authorization
    security_violation service_not_allowed stolen_card stop_payment_order testmode_decline transaction_not_allowed
    try_again_later withdrawal_count_limit_exceeded
"""

ONE_OF_EACH_CLASS = {
    DeclineClass.SOFT: "insufficient_funds",
    DeclineClass.TECHNICAL: "processing_error",
    DeclineClass.ACTION_REQUIRED: "authentication_required",
    DeclineClass.HARD: "invalid_account",
    DeclineClass.FRAUD: "stolen_card",
}


def declined(decline_code: str, advice: str = "") -> Decline:
    return Decline("card_declined", decline_code, advice)


def test_every_published_decline_code_has_a_class() -> None:
    assert [code for code in PUBLISHED.split() if not is_known(declined(code))] == []


def test_every_class_has_codes_and_no_code_has_two_classes() -> None:
    codes = [code for kind in DeclineClass for code in _BY_CLASS[kind].split()]

    assert all(_BY_CLASS[kind].split() for kind in DeclineClass)
    assert len(codes) == len(set(codes)) == len(CLASS_OF_CODE)


def test_every_advice_that_the_sdk_knows_is_known_to_us() -> None:
    documented = stripe.Charge.Outcome.__annotations__["advice_code"]

    assert all(advice in str(documented) for advice in Advice)
    assert str(documented).count("'") == 2 * len(Advice)


@pytest.mark.parametrize(
    ("kind", "advice", "expected"),
    [
        (DeclineClass.SOFT, "", DeclineClass.SOFT),
        (DeclineClass.SOFT, Advice.DO_NOT_TRY_AGAIN, DeclineClass.HARD),
        (DeclineClass.SOFT, Advice.TRY_AGAIN_LATER, DeclineClass.SOFT),
        (DeclineClass.SOFT, Advice.CONFIRM_CARD_DATA, DeclineClass.HARD),
        (DeclineClass.TECHNICAL, "", DeclineClass.TECHNICAL),
        (DeclineClass.TECHNICAL, Advice.DO_NOT_TRY_AGAIN, DeclineClass.HARD),
        (DeclineClass.TECHNICAL, Advice.TRY_AGAIN_LATER, DeclineClass.TECHNICAL),
        (DeclineClass.TECHNICAL, Advice.CONFIRM_CARD_DATA, DeclineClass.HARD),
        (DeclineClass.ACTION_REQUIRED, "", DeclineClass.ACTION_REQUIRED),
        (DeclineClass.ACTION_REQUIRED, Advice.DO_NOT_TRY_AGAIN, DeclineClass.ACTION_REQUIRED),
        (DeclineClass.ACTION_REQUIRED, Advice.TRY_AGAIN_LATER, DeclineClass.ACTION_REQUIRED),
        (DeclineClass.ACTION_REQUIRED, Advice.CONFIRM_CARD_DATA, DeclineClass.ACTION_REQUIRED),
        (DeclineClass.HARD, "", DeclineClass.HARD),
        (DeclineClass.HARD, Advice.DO_NOT_TRY_AGAIN, DeclineClass.HARD),
        (DeclineClass.HARD, Advice.TRY_AGAIN_LATER, DeclineClass.SOFT),
        (DeclineClass.HARD, Advice.CONFIRM_CARD_DATA, DeclineClass.HARD),
        (DeclineClass.FRAUD, "", DeclineClass.FRAUD),
        (DeclineClass.FRAUD, Advice.DO_NOT_TRY_AGAIN, DeclineClass.FRAUD),
        (DeclineClass.FRAUD, Advice.TRY_AGAIN_LATER, DeclineClass.FRAUD),
        (DeclineClass.FRAUD, Advice.CONFIRM_CARD_DATA, DeclineClass.FRAUD),
    ],
)
def test_the_advice_outranks_the_code_but_never_calls_back_a_fraud(
    kind: DeclineClass, advice: str, expected: DeclineClass
) -> None:
    assert classify(declined(ONE_OF_EACH_CLASS[kind], advice)) == expected


def test_the_cases_above_are_all_there_are() -> None:
    (mark,) = test_the_advice_outranks_the_code_but_never_calls_back_a_fraud.pytestmark  # type: ignore[attr-defined]

    cases = {(kind, advice) for kind, advice, _ in mark.args[1]}

    assert cases == set(product(DeclineClass, ("", *Advice)))


def test_a_code_that_nobody_knows_is_soft_and_said_to_be_unknown() -> None:
    unlisted = declined("card_on_the_moon")

    assert classify(unlisted) == DeclineClass.SOFT
    assert not is_known(unlisted)


def test_an_unknown_decline_code_is_classed_by_the_error_code_beside_it() -> None:
    assert classify(Decline("expired_card", "card_on_the_moon")) == DeclineClass.HARD


def test_the_decline_code_is_the_more_precise_reason() -> None:
    assert Decline("card_declined", "lost_card").reason == "lost_card"
    assert Decline("expired_card").reason == "expired_card"


@given(st.text(), st.text(), st.text())
def test_every_answer_has_a_class(code: str, decline_code: str, advice: str) -> None:
    assert classify(Decline(code, decline_code, advice)) in DeclineClass
