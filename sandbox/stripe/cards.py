"""The test payment methods by Stripe's names, and how each behaves."""

import hashlib
from dataclasses import dataclass, field

from sandbox.stripe.control.messages import Answer, CardOutcome, DisputeScript, RefundScript

SUCCEED = CardOutcome()
AUTHENTICATE = CardOutcome(
    answer=Answer.AUTHENTICATE, code="authentication_required", decline_code="authentication_required"
)


def declined(
    decline_code: str | None,
    *,
    code: str = "card_declined",
    advice_code: str | None = None,
    network_decline_code: str | None = None,
    message: str = "Your card was declined.",
) -> CardOutcome:
    """An outcome that refuses, with the codes that Stripe gives for it."""
    return CardOutcome(
        answer=Answer.DECLINE,
        code=code,
        decline_code=decline_code,
        advice_code=advice_code,
        network_decline_code=network_decline_code,
        network_advice_code="03" if advice_code == "do_not_try_again" else None,
        message=message,
    )


# By Radar: the issuer is never asked, so no code of the network's comes with it.
BLOCKED = CardOutcome(answer=Answer.DECLINE, decline_code="fraudulent", is_blocked=True)


@dataclass(frozen=True)
class TestCard:
    """A card of Stripe's test mode: what is printed on it, and its answers to being saved and to being charged.

    Stripe refuses to attach most declining cards to a customer; then `on_attach` is their decline.
    """

    last4: str
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    on_charge: CardOutcome = SUCCEED
    on_setup: CardOutcome = SUCCEED
    on_attach: CardOutcome = SUCCEED
    first_setup_authenticates_for_good: bool = False
    fingerprint: str = field(init=False)

    __test__ = False  # The name is Stripe's; it is not a test class.

    def __post_init__(self) -> None:
        digest = hashlib.blake2b(f"{self.brand} {self.last4}".encode(), digest_size=8).hexdigest()
        object.__setattr__(self, "fingerprint", digest)


def _refused(last4: str, outcome: CardOutcome) -> TestCard:
    """A card that declines everything, being saved included."""
    return TestCard(last4, on_charge=outcome, on_setup=outcome, on_attach=outcome)


TEST_CARDS: dict[str, TestCard] = {
    "pm_card_visa": TestCard("4242"),
    "pm_card_visa_debit": TestCard("5556", funding="debit"),
    "pm_card_mastercard": TestCard("4444", "mastercard"),
    "pm_card_mastercard_debit": TestCard("8210", "mastercard", funding="debit"),
    "pm_card_mastercard_prepaid": TestCard("5100", "mastercard", funding="prepaid"),
    "pm_card_amex": TestCard("8431", "amex"),
    "pm_card_discover": TestCard("1117", "discover"),
    "pm_card_diners": TestCard("0009", "diners"),
    "pm_card_jcb": TestCard("0505", "jcb", country="JP"),
    "pm_card_unionpay": TestCard("0005", "unionpay", country="CN"),
    "pm_card_gb": TestCard("0000", country="GB"),
    "pm_card_de": TestCard("0016", country="DE"),
    "pm_card_cy": TestCard("0000", country="CY", funding="debit"),
    "pm_card_jp": TestCard("0003", country="JP"),
    "pm_card_visa_chargeDeclined": _refused(
        "0002", declined("generic_decline", advice_code="try_again_later", network_decline_code="05")
    ),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _refused(
        "9995",
        declined(
            "insufficient_funds",
            advice_code="try_again_later",
            network_decline_code="51",
            message="Your card has insufficient funds.",
        ),
    ),
    "pm_card_visa_chargeDeclinedLostCard": _refused(
        "9987", declined("lost_card", advice_code="do_not_try_again", network_decline_code="41")
    ),
    "pm_card_visa_chargeDeclinedStolenCard": _refused(
        "9979", declined("stolen_card", advice_code="do_not_try_again", network_decline_code="43")
    ),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": _refused(
        "6975", declined("card_velocity_exceeded", advice_code="try_again_later", network_decline_code="65")
    ),
    "pm_card_chargeDeclinedFraudulent": _refused("0019", BLOCKED),
    "pm_card_radarBlock": TestCard("0019", on_charge=BLOCKED),
    "pm_card_riskLevelHighest": TestCard("4954", on_charge=BLOCKED),
    "pm_card_chargeDeclinedExpiredCard": _refused(
        "0069",
        declined(
            None,
            code="expired_card",
            advice_code="confirm_card_data",
            network_decline_code="54",
            message="Your card has expired.",
        ),
    ),
    "pm_card_chargeDeclinedIncorrectCvc": _refused(
        "0127",
        declined(
            None,
            code="incorrect_cvc",
            advice_code="confirm_card_data",
            network_decline_code="N7",
            message="Your card's security code is incorrect.",
        ),
    ),
    "pm_card_chargeDeclinedProcessingError": _refused(
        "0119",
        declined(
            None,
            code="processing_error",
            advice_code="try_again_later",
            network_decline_code="96",
            message="An error occurred while processing your card. Try again in a little bit.",
        ),
    ),
    "pm_card_chargeCustomerFail": TestCard(
        "0341", on_charge=declined("generic_decline", advice_code="try_again_later", network_decline_code="05")
    ),
    "pm_card_authenticationRequired": TestCard("3184", country="IE", on_charge=AUTHENTICATE, on_setup=AUTHENTICATE),
    "pm_card_threeDSecure2Required": TestCard("3220", on_charge=AUTHENTICATE, on_setup=AUTHENTICATE),
    "pm_card_authenticationRequiredOnSetup": TestCard(
        "3155", country="IE", on_charge=AUTHENTICATE, on_setup=AUTHENTICATE, first_setup_authenticates_for_good=True
    ),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": TestCard(
        "3178",
        country="IE",
        on_charge=declined(
            "insufficient_funds",
            advice_code="try_again_later",
            network_decline_code="51",
            message="Your card has insufficient funds.",
        ),
        on_setup=AUTHENTICATE,
    ),
    "pm_card_createDispute": TestCard("0259", on_charge=CardOutcome(dispute=DisputeScript())),
    "pm_card_createDisputeProductNotReceived": TestCard(
        "2685", on_charge=CardOutcome(dispute=DisputeScript(reason="product_not_received"))
    ),
    "pm_card_createDisputeInquiry": TestCard("1976", on_charge=CardOutcome(dispute=DisputeScript(is_inquiry=True))),
    "pm_card_pendingRefund": TestCard("7726", on_charge=CardOutcome(refund=RefundScript.PEND)),
    "pm_card_refundFail": TestCard("5126", on_charge=CardOutcome(refund=RefundScript.FAIL)),
}

# Tokens stand for the same cards: tok_visa is pm_card_visa.
TOKENS = {name.replace("pm_card_", "tok_", 1): name for name in TEST_CARDS}

EXPIRES_IN_YEARS = 1
