"""Bank accounts on a payment page: the bank answers days later, and what was paid is of that type everywhere."""

import httpx
import pytest
from stripe import InvalidRequestError, StripeClient
from stripe.checkout import Session

from sandbox.stripe.bank_accounts import TEST_BANK_ACCOUNTS
from sandbox.stripe.control.client import SandboxControl
from tests.sandbox.pages.hosted import SUCCESS, choose, page_of

DAYS = 7 * 24 * 3600


def session_for(client: StripeClient, currency: str, *types: str) -> Session:
    price = {"currency": currency, "unit_amount": 1900, "product_data": {"name": "Plan"}}
    return client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": SUCCESS,
            "line_items": [{"quantity": 1, "price_data": price}],
            "allowed_payment_method_types": list(types),  # type: ignore[arg-type]
        }
    )


def test_what_does_not_take_the_currency_is_left_out_without_a_word(
    stripe_sdk: StripeClient, browser: httpx.Client
) -> None:
    session = session_for(stripe_sdk, "eur", "card", "sepa_debit", "us_bank_account")

    shown = browser.get(page_of(session)).text
    refused = choose(browser, page_of(session), "pm_usBankAccount_success")
    with pytest.raises(InvalidRequestError, match="None of the methods"):
        session_for(stripe_sdk, "gbp", "sepa_debit")

    assert session.payment_method_types == ["card", "sepa_debit"]
    assert ("AT611904300234573201" in shown, "pm_usBankAccount" in shown, "pm_card_visa" in shown) == (
        True,
        False,
        True,
    )
    assert refused.status_code == 402


@pytest.mark.parametrize("name", TEST_BANK_ACCOUNTS)
def test_a_bank_answers_days_after_the_debit_was_given(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, browser: httpx.Client, name: str
) -> None:
    account = TEST_BANK_ACCOUNTS[name]
    currency = "eur" if account.type == "sepa_debit" else "usd"
    session = session_for(stripe_sdk, currency, account.type)

    choose(browser, page_of(session), name)
    given = stripe_sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    stripe_sandbox.advance(DAYS)
    stripe_sandbox.advance(3600)  # What was captured asynchronously is booked later.
    [charge] = stripe_sdk.v1.charges.list({"expand": ["data.balance_transaction"]}).data
    disputes = stripe_sdk.v1.disputes.list().data

    assert (given.status, given.payment_status) == ("complete", "unpaid")
    assert not isinstance(given.payment_intent, str | None)
    assert given.payment_intent.status == "processing"
    assert (charge.id[:3], charge.payment_method_details and charge.payment_method_details.type) == (
        "py_",
        account.type,
    )
    is_returned = account.on_charge.then == "decline"
    assert (charge.status, charge.failure_code) == (
        ("failed", account.on_charge.code) if is_returned else ("succeeded", None)
    )
    assert not isinstance(charge.balance_transaction, str)
    assert (charge.balance_transaction and charge.balance_transaction.type) == (None if is_returned else "payment")
    assert [each.status for each in disputes] == (["lost"] if account.on_charge.dispute else [])
