"""The test bank accounts that a page of Stripe's offers, by Stripe's names, and how each answers to a debit."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from sandbox.stripe.control.messages import Answer, CardOutcome, DisputeScript

# Stripe: an ACH debit takes up to four business days, one by SEPA up to six. Test mode takes minutes.
ACH_ANSWERS_AFTER = timedelta(days=4)
SEPA_ANSWERS_AFTER = timedelta(days=6)

# The type of a payment method, and the one currency in which it is debited.
DEBITED_IN = {"sepa_debit": "eur", "us_bank_account": "usd"}


@dataclass(frozen=True)
class TestBankAccount:
    """A bank account of Stripe's test mode. Its bank answers days after the debit was given, by the sandbox's clock."""

    type: str
    last4: str
    bank: str
    on_charge: CardOutcome
    country: str = "US"
    on_setup: CardOutcome = field(default=CardOutcome(), init=False)
    on_attach: CardOutcome = field(default=CardOutcome(), init=False)
    first_setup_authenticates_for_good: bool = field(default=False, init=False)
    fingerprint: str = field(init=False)

    __test__ = False  # The name is Stripe's; it is not a test class.

    def __post_init__(self) -> None:
        digest = hashlib.blake2b(f"{self.type} {self.last4}".encode(), digest_size=8).hexdigest()
        object.__setattr__(self, "fingerprint", digest)


def _answering(after: timedelta, **answer: object) -> CardOutcome:
    given: dict[str, object] = {"answer": Answer.PROCESS, "after_seconds": after.total_seconds(), "decline_code": None}
    return CardOutcome.model_validate(given | answer)


def _ach(last4: str, **answer: object) -> TestBankAccount:
    return TestBankAccount("us_bank_account", last4, "110000000", _answering(ACH_ANSWERS_AFTER, **answer))


def _sepa(last4: str, **answer: object) -> TestBankAccount:
    return TestBankAccount("sepa_debit", last4, "19043", _answering(SEPA_ANSWERS_AFTER, **answer), country="AT")


def _returned(code: str, message: str) -> dict[str, object]:
    return {"then": Answer.DECLINE, "code": code, "message": message}


TEST_BANK_ACCOUNTS: dict[str, TestBankAccount] = {
    "pm_usBankAccount_success": _ach("6789"),
    "pm_usBankAccount_accountClosed": _ach(
        "1113", **_returned("account_closed", "The customer's bank account has been closed.")
    ),
    "pm_usBankAccount_insufficientFunds": _ach(
        "2227",
        **_returned("insufficient_funds", "The customer's account has insufficient funds to cover this payment."),
    ),
    "pm_usBankAccount_debitNotAuthorized": _ach(
        "3335", **_returned("debit_not_authorized", "The customer has notified their bank that this was unauthorized.")
    ),
    "AT611904300234573201": _sepa("3201"),
    "AT861904300235473202": _sepa(
        "3202",
        **_returned("insufficient_funds", "The customer's account has insufficient funds to cover this payment."),
    ),
    "AT591904300235473203": _sepa("3203", dispute=DisputeScript(reason="debit_not_authorized")),
}
