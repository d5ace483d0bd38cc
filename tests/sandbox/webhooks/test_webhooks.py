"""Webhooks: signed, retried, and late, twice, out of order or never where asked."""

import json
from collections.abc import Iterator

import pytest
from stripe import SignatureVerificationError, StripeClient, Webhook

from sandbox.stripe.control.client import AT_ONCE, EventFault, EventFaultKind, SandboxControl, WebhookEndpoint
from sandbox.stripe.state.clock import Clock
from sandbox.stripe.webhooks import Webhooks
from tests.fixtures.stripe import WEBHOOK_SECRET
from tests.sandbox.contract import payer
from tests.sandbox.webhooks.receiver import Receiver, receiving

PAID = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


@pytest.fixture
def receiver(stripe_sandbox: SandboxControl) -> Iterator[Receiver]:
    """A receiver that gets what happens to charges and payment intents: no balance transaction comes after them."""
    stripe_sandbox.set_delays(AT_ONCE)
    with receiving() as receiver:
        stripe_sandbox.add_webhook_endpoint(
            WebhookEndpoint(url=receiver.url, enabled_events=("charge.*", "payment_intent.*"))
        )
        yield receiver
        stripe_sandbox.clear_webhook_endpoints()
        stripe_sandbox.settle_webhooks()


def types(receiver: Receiver) -> list[str]:
    return [json.loads(payload)["type"] for payload, _ in receiver.received]


def test_what_happens_is_sent_and_its_signature_holds(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, receiver: Receiver
) -> None:
    payment = payer(stripe_sdk).pay()

    stripe_sandbox.settle_webhooks()

    events = [Webhook.construct_event(*sent, WEBHOOK_SECRET) for sent in receiver.received]
    assert sorted(event.type for event in events) == sorted(PAID)
    assert payment.id in {event.data.object["id"] for event in events}
    with pytest.raises(SignatureVerificationError):
        Webhook.construct_event(*receiver.received[0], "whsec_wrong")


def test_an_event_is_sent_again_until_it_is_accepted(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, receiver: Receiver
) -> None:
    receiver.refusals = 2
    payer(stripe_sdk).pay()

    counts = stripe_sandbox.settle_webhooks()

    assert sorted(types(receiver)) == sorted(PAID)
    assert counts["failed"] == 0
    assert stripe_sdk.v1.events.list({"delivery_success": False}).data == []


def test_a_lost_event_never_arrives_but_is_listed(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, receiver: Receiver
) -> None:
    stripe_sandbox.add_event_fault(EventFault(type="charge.*", kind=EventFaultKind.LOST))
    payer(stripe_sdk).pay()

    stripe_sandbox.settle_webhooks()

    assert sorted(types(receiver)) == ["payment_intent.created", "payment_intent.succeeded"]
    assert [event.type for event in stripe_sdk.v1.events.list({"delivery_success": False})] == ["charge.succeeded"]
    assert stripe_sandbox.event_faults_injected() == {EventFaultKind.LOST: 1}


def test_a_duplicated_event_arrives_as_often_as_asked(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, receiver: Receiver
) -> None:
    stripe_sandbox.add_event_fault(EventFault(type="charge.succeeded", kind=EventFaultKind.DUPLICATED, copies=3))
    payer(stripe_sdk).pay()

    stripe_sandbox.settle_webhooks()

    assert types(receiver).count("charge.succeeded") == 3
    ids = [json.loads(payload)["id"] for payload, _ in receiver.received]
    assert len(set(ids)) == 3


def test_a_delayed_event_arrives_after_later_ones(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, receiver: Receiver
) -> None:
    delayed = EventFault(type="payment_intent.created", kind=EventFaultKind.DELAYED, delay_seconds=0.3)
    stripe_sandbox.add_event_fault(delayed)
    payer(stripe_sdk).pay()

    stripe_sandbox.settle_webhooks()

    assert types(receiver)[-1] == "payment_intent.created"


def test_a_reordered_event_arrives_after_its_successor(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, receiver: Receiver
) -> None:
    first = EventFault(type="payment_intent.created", kind=EventFaultKind.REORDERED, calls=(1,))
    stripe_sandbox.add_event_fault(first)
    stripe_sdk.v1.payment_intents.create({"amount": 2000, "currency": "usd"})
    assert types(receiver) == []

    stripe_sdk.v1.payment_intents.create({"amount": 3000, "currency": "usd"})
    stripe_sandbox.settle_webhooks()

    assert [json.loads(payload)["data"]["object"]["amount"] for payload, _ in receiver.received] == [3000, 2000]
    assert stripe_sandbox.event_faults_injected() == {EventFaultKind.REORDERED: 1}


def test_mixed_event_faults_come_from_a_seed(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, receiver: Receiver
) -> None:
    stripe_sandbox.mixed_event_faults(1.0, delay_seconds=0.05)
    customer = payer(stripe_sdk)
    for _ in range(15):
        customer.pay()

    stripe_sandbox.clear_event_faults()
    stripe_sandbox.settle_webhooks()

    injected = stripe_sandbox.event_faults_injected()
    assert injected.keys() == set(EventFaultKind)
    assert len(stripe_sdk.v1.events.list({"types": PAID, "limit": 100}).data) == sum(injected.values()) == 45
    assert len(receiver.received) == 45 - injected[EventFaultKind.LOST] + injected[EventFaultKind.DUPLICATED]


def test_the_same_seed_strikes_the_same_events() -> None:
    def injections(seed: int) -> list[EventFaultKind | None]:
        webhooks = Webhooks(Clock(), WEBHOOK_SECRET)
        webhooks.plan(EventFault(probability=0.5, seed=seed))
        return [webhooks.next_fault("charge.succeeded")[0] for _ in range(50)]

    assert injections(1) == injections(1)
    assert injections(1) != injections(2)


def test_an_endpoint_can_have_a_secret_of_its_own(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    with receiving() as receiver:
        stripe_sandbox.add_webhook_endpoint(WebhookEndpoint(url=receiver.url, secret="whsec_rotated"))
        stripe_sdk.v1.customers.create({"name": "Ada"})
        stripe_sandbox.settle_webhooks()
        stripe_sandbox.clear_webhook_endpoints()

    event = Webhook.construct_event(*receiver.received[0], "whsec_rotated")
    assert event.type == "customer.created"


def test_an_event_names_the_request_that_caused_it(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    stripe_sdk.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

    event = stripe_sdk.v1.events.list().data[0]

    assert event.request is not None
    assert event.request.idempotency_key == "one"
    assert event.request.id is not None
