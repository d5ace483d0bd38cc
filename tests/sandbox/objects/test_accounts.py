"""Connected accounts: onboarding on a hosted page, and a state of their own."""

from typing import Any

import httpx
import pytest
import stripe
from stripe import InvalidRequestError, StripeClient

from sandbox.stripe.control.client import AccountReview, SandboxControl


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
    assert stripe_sdk.v1.events.list().data == []
    [event] = stripe_sdk.v1.events.list(options={"stripe_account": account.id}).data
    assert (event.type, event.account) == ("account.updated", account.id)


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

    for read in (
        lambda: stripe_sdk.v1.balance.retrieve(options={"stripe_account": account.id}),
        lambda: stripe_sdk.v1.accounts.retrieve(account.id),
    ):
        with pytest.raises(stripe.PermissionError) as refused:
            read()
        assert refused.value.error is not None
        assert refused.value.error.code == "account_invalid"


def test_an_account_that_lets_us_in_again_is_as_it_was(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    account = stripe_sdk.v1.accounts.create({"type": "standard"})
    customer = stripe_sdk.v1.customers.create({"name": "Ada"}, {"stripe_account": account.id})
    stripe_sandbox.disconnect(account.id)

    stripe_sandbox.let_in(account.id)

    assert stripe_sdk.v1.customers.retrieve(customer.id, options={"stripe_account": account.id}).name == "Ada"
    [event] = stripe_sdk.v1.events.list({"type": "account.application.deauthorized"}, {"stripe_account": account.id})
    assert event.account == account.id


def test_the_same_key_under_another_account_is_another_request(stripe_sdk: StripeClient) -> None:
    accounts = [stripe_sdk.v1.accounts.create({"type": "standard"}).id for _ in range(2)]

    made = [
        stripe_sdk.v1.customers.create({"name": "Ada"}, {"stripe_account": account, "idempotency_key": "the same"}).id
        for account in (*accounts, accounts[0])
    ]

    assert made[0] == made[2] != made[1]


@pytest.mark.parametrize(
    ("dashboard", "fees", "losses", "is_taken"),
    [
        ("full", "account", "stripe", True),
        ("express", "application", "application", True),
        ("express", "application", "stripe", False),
        ("full", "account", "application", False),
    ],
)
def test_what_an_account_is_must_go_together(
    stripe_sdk: StripeClient, dashboard: Any, fees: Any, losses: Any, is_taken: bool
) -> None:
    controller: Any = {
        "stripe_dashboard": {"type": dashboard},
        "fees": {"payer": fees},
        "losses": {"payments": losses},
    }

    if is_taken:
        made = stripe_sdk.v1.accounts.create({"controller": controller})
        assert made.controller is not None
        assert made.controller.to_dict()["fees"] == {"payer": fees}
    else:
        with pytest.raises(InvalidRequestError, match="controller"):
            stripe_sdk.v1.accounts.create({"controller": controller})


def test_what_stripe_finds_about_an_account_is_an_event(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    account = stripe_sdk.v1.accounts.create({"type": "standard"})
    httpx.post(onboarding_page(stripe_sdk, account.id), data={"result": "complete"}, trust_env=False)

    stripe_sandbox.review_account(
        account.id,
        AccountReview(charges_enabled=False, capability="inactive", disabled_reason="under_review"),
    )

    seen = stripe_sdk.v1.accounts.retrieve(account.id)
    assert seen.requirements is not None
    assert seen.capabilities is not None
    assert (seen.charges_enabled, seen.requirements.disabled_reason) == (False, "under_review")
    assert seen.capabilities.card_payments == "inactive"
    assert len(stripe_sdk.v1.events.list(options={"stripe_account": account.id}).data) == 2


def test_an_owner_with_a_dashboard_is_sent_through_onboarding_again(stripe_sdk: StripeClient) -> None:
    account = stripe_sdk.v1.accounts.create({"type": "standard"})

    with pytest.raises(InvalidRequestError, match="account_update"):
        stripe_sdk.v1.account_links.create(
            {"account": account.id, "type": "account_update", "refresh_url": "https://x.y", "return_url": "https://x.y"}
        )
