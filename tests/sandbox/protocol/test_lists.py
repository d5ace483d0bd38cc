"""Pages, cursors, filters and expansion."""

import time
from typing import cast

import pytest
from stripe import Charge, InvalidRequestError, StripeClient
from stripe.params import EventListParams, PaymentIntentListParamsCreated

from sandbox.stripe.control.client import SandboxControl
from tests.sandbox.contract import NO_REDIRECTS, charge_of, payer


def test_payments_of_a_customer_are_listed_newest_first(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)
    older, newer = customer.pay(1000), customer.pay(1100)
    payer(gateway_sdk).pay(1200)

    listed = gateway_sdk.v1.payment_intents.list({"customer": customer.customer.id})

    assert [payment.id for payment in listed.data] == [newer.id, older.id]
    assert (listed.has_more, listed.url) == (False, "/v1/payment_intents")


def test_pages_follow_each_other_in_both_directions(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)
    ids = [customer.pay(1000 + number).id for number in range(5)][::-1]
    mine = customer.customer.id

    first = gateway_sdk.v1.payment_intents.list({"customer": mine, "limit": 2})
    second = gateway_sdk.v1.payment_intents.list({"customer": mine, "limit": 2, "starting_after": ids[1]})
    back = gateway_sdk.v1.payment_intents.list({"customer": mine, "limit": 2, "ending_before": ids[4]})

    assert [each.id for each in first.data] == ids[:2]
    assert [each.id for each in second.data] == ids[2:4]
    assert [each.id for each in back.data] == ids[2:4]
    assert (first.has_more, second.has_more, back.has_more) == (True, True, True)


def test_the_sdk_pages_through_everything(stripe_sdk: StripeClient) -> None:
    made = [stripe_sdk.v1.customers.create({"name": str(number)}).id for number in range(25)]

    found = [customer.id for customer in stripe_sdk.v1.customers.list({"limit": 10}).auto_paging_iter()]

    assert found == made[::-1]


def test_creation_times_bound_a_list(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)
    early = customer.pay()
    stripe_sandbox.advance(100)
    late = customer.pay()

    def ids(**created: int) -> list[str]:
        bounds = cast(PaymentIntentListParamsCreated, created)
        return [each.id for each in stripe_sdk.v1.payment_intents.list({"created": bounds})]

    assert ids(gt=early.created) == ids(gte=late.created) == [late.id]
    assert ids(lt=late.created) == ids(lte=early.created) == [early.id]
    assert ids(gte=early.created, lt=late.created + 1) == [late.id, early.id]


def test_one_second_can_be_asked_for(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    first = stripe_sdk.v1.customers.create({"name": "Ada"})
    stripe_sandbox.advance(10)
    stripe_sdk.v1.customers.create({"name": "Bob"})

    listed = stripe_sdk.v1.customers.list({"created": first.created})

    assert [customer.id for customer in listed] == [first.id]


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_has_between_1_and_100_objects(gateway_sdk: StripeClient, limit: int) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        gateway_sdk.v1.customers.list({"limit": limit})

    assert (refused.value.param, refused.value.code) == ("limit", "parameter_invalid_integer")


def test_a_page_has_one_cursor(gateway_sdk: StripeClient) -> None:
    customer = gateway_sdk.v1.customers.create().id

    with pytest.raises(InvalidRequestError, match="only one"):
        gateway_sdk.v1.customers.list({"starting_after": customer, "ending_before": customer})


@pytest.mark.parametrize(
    "filters", [{"types": ["charge.updated"] * 21}, {"type": "charge.updated", "types": ["charge.refunded"]}]
)
def test_events_are_listed_by_one_type_or_by_twenty(gateway_sdk: StripeClient, filters: EventListParams) -> None:
    with pytest.raises(InvalidRequestError):
        gateway_sdk.v1.events.list(filters)


def test_a_cursor_must_exist(gateway_sdk: StripeClient) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        gateway_sdk.v1.customers.list({"starting_after": "cus_nobody"})

    assert refused.value.code == "resource_missing"


def test_nested_objects_are_expanded(gateway_sdk: StripeClient) -> None:
    payment = payer(gateway_sdk).pay(1000)

    found = gateway_sdk.v1.payment_intents.retrieve(
        payment.id, {"expand": ["latest_charge.customer", "payment_method"]}
    )

    charge = charge_of(found)
    assert not isinstance(charge.customer, str | None)
    assert charge.customer.name == "Ada"
    assert not isinstance(found.payment_method, str | None)


def test_objects_in_a_list_are_expanded(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)
    customer.pay()

    listed = gateway_sdk.v1.payment_intents.list({"customer": customer.customer.id, "expand": ["data.latest_charge"]})

    assert isinstance(listed.data[0].latest_charge, Charge)


def test_expanding_leaves_the_object_as_it_was(stripe_sdk: StripeClient) -> None:
    payment = payer(stripe_sdk).pay()
    stripe_sdk.v1.payment_intents.retrieve(payment.id, {"expand": ["latest_charge"]})

    assert isinstance(stripe_sdk.v1.payment_intents.retrieve(payment.id).latest_charge, str)


@pytest.mark.parametrize("path", ["amount", "nothing", "latest_charge.amount"])
def test_what_is_no_reference_cannot_be_expanded(gateway_sdk: StripeClient, path: str) -> None:
    payment = payer(gateway_sdk).pay()

    with pytest.raises(InvalidRequestError, match="cannot be expanded"):
        gateway_sdk.v1.payment_intents.retrieve(payment.id, {"expand": [path]})


def test_a_path_that_cannot_be_expanded_is_refused_before_anything_is_charged(stripe_sdk: StripeClient) -> None:
    customer = payer(stripe_sdk)

    with pytest.raises(InvalidRequestError, match="cannot be expanded"):
        stripe_sdk.v1.payment_intents.create(
            {
                "amount": 2000,
                "currency": "usd",
                "customer": customer.customer.id,
                "payment_method": customer.method.id,
                "confirm": True,
                "automatic_payment_methods": NO_REDIRECTS,
                "off_session": True,
                "expand": ["latest_charge.nothing"],
            }
        )

    assert stripe_sdk.v1.payment_intents.list().data == []


def test_a_list_is_expanded_below_its_data_only(gateway_sdk: StripeClient) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be expanded"):
        gateway_sdk.v1.payment_intents.list({"expand": ["latest_charge"]})


def test_four_levels_can_be_expanded_and_no_more(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)
    customer.pay()
    mine = customer.customer.id

    gateway_sdk.v1.payment_intents.list({"customer": mine, "expand": ["data.latest_charge.payment_intent.customer"]})
    with pytest.raises(InvalidRequestError):
        gateway_sdk.v1.payment_intents.list(
            {"customer": mine, "expand": ["data.latest_charge.payment_intent.latest_charge.customer"]}
        )


def test_events_are_listed_by_type_and_family(stripe_sdk: StripeClient) -> None:
    payer(stripe_sdk).pay()

    charges = stripe_sdk.v1.events.list({"type": "charge.*"})
    some = stripe_sdk.v1.events.list({"types": ["customer.created", "payment_method.attached"]})

    assert [event.type for event in charges] == ["charge.succeeded"]
    assert [event.type for event in some] == ["payment_method.attached", "customer.created"]


def test_events_are_kept_for_30_days(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    stripe_sdk.v1.customers.create({"name": "Ada"})
    event = stripe_sdk.v1.events.list().data[0]

    stripe_sandbox.advance(30 * 86_400 + 2)

    assert stripe_sdk.v1.events.list().data == []
    with pytest.raises(InvalidRequestError):
        stripe_sdk.v1.events.retrieve(event.id)


def test_an_event_shows_the_object_as_it_was_then(stripe_sdk: StripeClient) -> None:
    payment = payer(stripe_sdk).pay()

    events = stripe_sdk.v1.events.list({"type": "payment_intent.*"}).data

    shown = [(event.type, event.data.object["status"]) for event in events]
    assert shown == [("payment_intent.succeeded", "succeeded"), ("payment_intent.created", "requires_confirmation")]
    assert events[0].data.object["id"] == payment.id
    assert time.time() - events[0].created < 60
