"""Connected accounts: onboarding on a hosted page, and a state of their own."""

import httpx
import pytest
import stripe
from stripe import InvalidRequestError, StripeClient

from sandbox.stripe.control.client import SandboxControl


def onboarding_page(client: StripeClient, account: str) -> str:
    link = client.v1.account_links.create(
        {
            "account": account,
            "type": "account_onboarding",
            "refresh_url": "https://example.com/again",
            "return_url": "https://example.com/done",
        }
    )
    return link.url


def test_an_owner_completes_onboarding_on_the_page(stripe_sdk: StripeClient) -> None:
    account = stripe_sdk.v1.accounts.create({"type": "standard", "email": "shop@example.com"})
    assert (account.details_submitted, account.charges_enabled) == (False, False)

    sent = httpx.post(onboarding_page(stripe_sdk, account.id), data={"result": "complete"}, trust_env=False)

    onboarded = stripe_sdk.v1.accounts.retrieve(account.id)
    assert sent.headers["location"] == "https://example.com/done"
    assert onboarded.requirements is not None
    assert (onboarded.details_submitted, onboarded.charges_enabled, onboarded.requirements.currently_due) == (
        True,
        True,
        [],
    )
    assert stripe_sdk.v1.events.list({"limit": 1}).data[0].type == "account.updated"


def test_an_onboarding_page_works_once_and_for_five_minutes(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    account = stripe_sdk.v1.accounts.create({"type": "standard"})
    used, late = onboarding_page(stripe_sdk, account.id), onboarding_page(stripe_sdk, account.id)
    httpx.post(used, data={"result": "later"}, trust_env=False)
    stripe_sandbox.advance(301)

    answers = [httpx.get(url, trust_env=False) for url in (used, late)]

    assert [answer.headers["location"] for answer in answers] == ["https://example.com/again"] * 2


def test_a_connected_account_has_objects_and_books_of_its_own(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    account = stripe_sdk.v1.accounts.create({"type": "standard"})
    customer = stripe_sdk.v1.customers.create({"name": "Ada"}, {"stripe_account": account.id})

    stripe_sdk.v1.payment_intents.create(
        {
            "amount": 700,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "https://x.y",
        },
        {"stripe_account": account.id},
    )

    with pytest.raises(InvalidRequestError):
        stripe_sdk.v1.customers.retrieve(customer.id)
    assert stripe_sandbox.movements().totals == ()
    assert stripe_sandbox.movements(account=account.id).totals[0].charges.amount_minor == 700


def test_a_disconnected_account_lives_on_but_lets_us_in_no_more(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    account = stripe_sdk.v1.accounts.create({"type": "standard"})

    stripe_sandbox.disconnect(account.id)

    with pytest.raises(stripe.PermissionError):
        stripe_sdk.v1.balance.retrieve(options={"stripe_account": account.id})
    assert stripe_sdk.v1.events.list({"limit": 1}).data[0].type == "account.application.deauthorized"
    assert stripe_sdk.v1.accounts.retrieve(account.id).id == account.id
