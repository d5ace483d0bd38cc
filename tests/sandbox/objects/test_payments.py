"""Charging a saved card: what Stripe answers. Runs against the sandbox, and test mode where there is a key."""

import uuid

import pytest
from stripe import AIOHTTPClient, CardError, InvalidRequestError, StripeClient

from tests.sandbox.contract import NO_REDIRECTS, charge_of, payer
from tests.support.builders import API_KEY


def test_a_good_card_is_charged_in_one_request(gateway_sdk: StripeClient) -> None:
    payment = payer(gateway_sdk).pay(2000)

    assert (payment.status, payment.amount_received, payment.last_payment_error) == ("succeeded", 2000, None)
    assert payment.metadata.to_dict() == {"duly_request": "req_1", "duly_account": "acc_1"}
    charge = charge_of(payment)
    assert (charge.status, charge.amount, charge.captured, charge.metadata) == (
        "succeeded",
        2000,
        True,
        payment.metadata,
    )


def test_a_card_that_declines_after_attaching_answers_402_with_the_whole_intent(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk, "pm_card_chargeCustomerFail")

    with pytest.raises(CardError) as declined:
        customer.pay()

    error = declined.value.error
    assert error is not None
    assert error.payment_intent is not None
    assert (declined.value.http_status, error.type, error.code, error.decline_code) == (
        402,
        "card_error",
        "card_declined",
        "generic_decline",
    )
    assert error.payment_intent.status == "requires_payment_method"
    kept = gateway_sdk.v1.payment_intents.retrieve(error.payment_intent.id)
    assert kept.last_payment_error is not None
    assert kept.last_payment_error.decline_code == "generic_decline"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ],
)
def test_a_declining_test_card_can_neither_be_charged_nor_attached(
    gateway_sdk: StripeClient, card: str, code: str, decline_code: str | None
) -> None:
    customer = gateway_sdk.v1.customers.create({"name": "Ada"})

    with pytest.raises(CardError) as charged:
        gateway_sdk.v1.payment_intents.create(
            {
                "amount": 2000,
                "currency": "usd",
                "payment_method": card,
                "confirm": True,
                "automatic_payment_methods": NO_REDIRECTS,
            }
        )
    with pytest.raises(CardError) as attached:
        gateway_sdk.v1.payment_methods.attach(card, {"customer": customer.id})

    assert charged.value.code == attached.value.code == code
    assert charged.value.error is not None
    if decline_code is not None:
        assert charged.value.error.decline_code == decline_code


def test_a_bank_that_wants_the_customer_declines_off_session(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk, "pm_card_authenticationRequired")

    with pytest.raises(CardError) as declined:
        customer.pay()

    assert declined.value.code == "authentication_required"
    assert declined.value.error is not None
    assert declined.value.error.payment_intent is not None
    assert declined.value.error.payment_intent.status == "requires_payment_method"


def test_on_session_the_same_card_sends_the_customer_to_its_bank(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk, "pm_card_authenticationRequired")

    payment = gateway_sdk.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "customer": customer.customer.id,
            "payment_method": customer.method.id,
            "confirm": True,
            "return_url": "https://example.com/back",
        }
    )

    assert payment.status == "requires_action"
    assert payment.next_action is not None
    assert payment.next_action.redirect_to_url is not None
    assert payment.next_action.redirect_to_url.return_url == "https://example.com/back"


def test_an_intent_is_made_first_and_confirmed_later(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)
    intent = gateway_sdk.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "customer": customer.customer.id,
            "automatic_payment_methods": NO_REDIRECTS,
        }
    )
    assert intent.status == "requires_payment_method"

    confirmed = gateway_sdk.v1.payment_intents.confirm(
        intent.id, {"payment_method": customer.method.id, "off_session": True}
    )

    assert confirmed.status == "succeeded"


def test_an_unconfirmed_intent_can_be_changed_and_canceled(gateway_sdk: StripeClient) -> None:
    intent = gateway_sdk.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "metadata": {"a": "1", "b": "2"}}
    )

    changed = gateway_sdk.v1.payment_intents.update(intent.id, {"amount": 2500, "metadata": {"a": "", "c": "3"}})
    canceled = gateway_sdk.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (changed.amount, changed.metadata.to_dict()) == (2500, {"b": "2", "c": "3"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")


def test_nothing_is_confirmed_without_a_card(stripe_sdk: StripeClient) -> None:
    with pytest.raises(InvalidRequestError) as paid:
        stripe_sdk.v1.payment_intents.create({"amount": 2000, "currency": "usd", "confirm": True})
    with pytest.raises(InvalidRequestError) as saved:
        stripe_sdk.v1.setup_intents.create({"confirm": True})

    assert paid.value.param == saved.value.param == "payment_method"
    assert stripe_sdk.v1.payment_intents.list().data == []


def test_a_settled_intent_can_be_neither_canceled_nor_confirmed(gateway_sdk: StripeClient) -> None:
    payment = payer(gateway_sdk).pay()

    with pytest.raises(InvalidRequestError) as canceled:
        gateway_sdk.v1.payment_intents.cancel(payment.id)
    with pytest.raises(InvalidRequestError) as confirmed:
        gateway_sdk.v1.payment_intents.confirm(payment.id)

    assert canceled.value.code == confirmed.value.code == "payment_intent_unexpected_state"


def test_a_manual_capture_holds_the_money_first(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)
    held = gateway_sdk.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "customer": customer.customer.id,
            "payment_method": customer.method.id,
            "capture_method": "manual",
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
            "off_session": True,
        }
    )

    captured = gateway_sdk.v1.payment_intents.capture(held.id, {"amount_to_capture": 1500})

    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 2000, 0)
    assert (captured.status, captured.amount_received) == ("succeeded", 1500)


def test_a_hold_that_is_canceled_takes_nothing(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)
    held = gateway_sdk.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "customer": customer.customer.id,
            "payment_method": customer.method.id,
            "capture_method": "manual",
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
            "off_session": True,
        }
    )

    canceled = gateway_sdk.v1.payment_intents.cancel(held.id, {"expand": ["latest_charge"]})

    charge = charge_of(canceled)
    assert (canceled.status, canceled.amount_received) == ("canceled", 0)
    assert (charge.captured, charge.refunded, charge.amount_refunded) == (False, True, 2000)


def test_the_same_key_charges_once(gateway_sdk: StripeClient) -> None:
    customer, key = payer(gateway_sdk), f"test_{uuid.uuid4()}"

    first, second = customer.pay(key=key), customer.pay(key=key)

    assert second.id == first.id
    assert second.last_response is not None
    assert second.last_response.headers["idempotent-replayed"] == "true"


def test_a_removed_card_cannot_be_charged(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)
    gateway_sdk.v1.payment_methods.detach(customer.method.id)

    with pytest.raises(InvalidRequestError) as refused:
        customer.pay()

    assert refused.value.http_status == 400


def test_a_card_of_somebody_else_cannot_be_charged(gateway_sdk: StripeClient) -> None:
    customer, other = payer(gateway_sdk), payer(gateway_sdk)

    with pytest.raises(InvalidRequestError) as refused:
        gateway_sdk.v1.payment_intents.create(
            {
                "amount": 2000,
                "currency": "usd",
                "customer": customer.customer.id,
                "payment_method": other.method.id,
                "confirm": True,
                "automatic_payment_methods": NO_REDIRECTS,
                "off_session": True,
            }
        )

    assert refused.value.http_status == 400


async def test_the_asynchronous_client_is_answered_as_well(stripe_address: str) -> None:
    http = AIOHTTPClient()
    client = StripeClient(API_KEY, base_addresses={"api": stripe_address}, http_client=http)

    customer = await client.v1.customers.create_async({"name": "Ada"})
    found = await client.v1.customers.retrieve_async(customer.id)
    await http.close_async()  # type: ignore[no-untyped-call]

    assert found == customer
