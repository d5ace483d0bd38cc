"""Customers and their saved cards."""

import pytest
from stripe import InvalidRequestError, StripeClient

from sandbox.stripe.cards import TEST_CARDS
from sandbox.stripe.control.client import SandboxControl
from tests.sandbox.contract import payer


def test_a_customer_is_created_changed_and_deleted(gateway_sdk: StripeClient) -> None:
    customer = gateway_sdk.v1.customers.create({"name": "Ada", "email": "ada@example.com", "metadata": {"a": "1"}})

    changed = gateway_sdk.v1.customers.update(customer.id, {"name": "Ada L.", "metadata": {"b": "2"}})
    deleted = gateway_sdk.v1.customers.delete(customer.id)

    assert changed.metadata is not None
    assert (changed.name, changed.email, changed.metadata.to_dict()) == (
        "Ada L.",
        "ada@example.com",
        {"a": "1", "b": "2"},
    )
    assert deleted.deleted is True
    assert gateway_sdk.v1.customers.retrieve(customer.id).deleted is True


@pytest.mark.parametrize("email", ["ada", "ada@", "ada@example com", "@example.com"])
def test_what_is_no_email_address_is_refused(gateway_sdk: StripeClient, email: str) -> None:
    customer = gateway_sdk.v1.customers.create()

    with pytest.raises(InvalidRequestError) as created:
        gateway_sdk.v1.customers.create({"email": email})
    with pytest.raises(InvalidRequestError) as changed:
        gateway_sdk.v1.customers.update(customer.id, {"email": email})

    assert {(refused.value.code, refused.value.param) for refused in (created, changed)} == {("email_invalid", "email")}


def test_attaching_a_test_card_makes_a_card_of_the_customers_own(gateway_sdk: StripeClient) -> None:
    first, second = payer(gateway_sdk), payer(gateway_sdk)

    assert first.method.id.startswith("pm_")
    assert first.method.id not in {second.method.id, "pm_card_visa"}
    assert first.method.customer == first.customer.id
    assert first.method.card is not None
    assert second.method.card is not None
    assert (first.method.card.brand, first.method.card.last4) == ("visa", "4242")
    assert first.method.card.fingerprint == second.method.card.fingerprint


def test_a_card_is_listed_with_its_customer_until_it_is_detached(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)

    saved = gateway_sdk.v1.customers.payment_methods.list(customer.customer.id)
    detached = gateway_sdk.v1.payment_methods.detach(customer.method.id)
    left = gateway_sdk.v1.payment_methods.list({"customer": customer.customer.id})

    assert [method.id for method in saved] == [customer.method.id]
    assert detached.customer is None
    assert left.data == []


def test_a_card_is_made_from_a_test_token(gateway_sdk: StripeClient) -> None:
    method = gateway_sdk.v1.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})

    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("mastercard", "4444")


def test_a_card_number_is_refused(stripe_sdk: StripeClient) -> None:
    number = "42" * 8

    with pytest.raises(InvalidRequestError, match="generally unsafe"):
        stripe_sdk.v1.payment_methods.create({"type": "card", "card": {"number": number}})


def test_expiry_and_billing_details_of_an_attached_card_are_changed(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)

    changed = gateway_sdk.v1.payment_methods.update(
        customer.method.id,
        {"card": {"exp_month": 8, "exp_year": 2040}, "billing_details": {"address": {"country": "CY"}}},
    )

    assert changed.card is not None
    assert changed.billing_details.address is not None
    assert (changed.card.exp_month, changed.card.exp_year) == (8, 2040)
    assert changed.billing_details.address.country == "CY"


def test_a_detached_card_cannot_come_back(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)
    gateway_sdk.v1.payment_methods.detach(customer.method.id)

    with pytest.raises(InvalidRequestError, match="previously used"):
        gateway_sdk.v1.payment_methods.attach(customer.method.id, {"customer": customer.customer.id})


def test_only_a_card_of_the_customers_becomes_the_default(gateway_sdk: StripeClient) -> None:
    customer, other = payer(gateway_sdk), payer(gateway_sdk)

    default = gateway_sdk.v1.customers.update(
        customer.customer.id, {"invoice_settings": {"default_payment_method": customer.method.id}}
    )
    with pytest.raises(InvalidRequestError):
        gateway_sdk.v1.customers.update(
            customer.customer.id, {"invoice_settings": {"default_payment_method": other.method.id}}
        )

    assert default.invoice_settings is not None
    assert default.invoice_settings.default_payment_method == customer.method.id


def test_the_network_reissues_a_card(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)
    before = customer.method.card
    assert before is not None

    stripe_sandbox.automatically_update_card(customer.method.id)

    after = stripe_sdk.v1.payment_methods.retrieve(customer.method.id).card
    assert after is not None
    assert after.last4 != before.last4
    assert after.exp_year == before.exp_year + 3
    event = stripe_sdk.v1.events.list({"type": "payment_method.automatically_updated"}).data[0]
    assert event.data.previous_attributes is not None
    assert event.data.previous_attributes["card"]["last4"] == before.last4
    assert customer.pay().status == "succeeded"


@pytest.mark.parametrize("name", TEST_CARDS)
def test_every_test_card_is_known_by_name(stripe_sdk: StripeClient, name: str) -> None:
    method = stripe_sdk.v1.payment_methods.retrieve(name)

    assert method.card is not None
    assert method.card.last4 == TEST_CARDS[name].last4
    assert method.id != name
