"""Endpoints registered over the API: the secret is told once, and events go where and as it says."""

import pytest
from stripe import InvalidRequestError, StripeClient, Webhook

from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.events import EndpointChange, needed_types
from sandbox.stripe.control.client import SandboxControl
from tests.sandbox.webhooks.receiver import receiving


async def test_registering_makes_an_endpoint_once_and_brings_its_list_up_to_date(
    gateway: StripeGateway, stripe_sdk: StripeClient
) -> None:
    url = "https://duly.example/webhooks/stripe"

    first = await gateway.register_endpoint(url)
    second = await gateway.register_endpoint(url)
    stripe_sdk.v1.webhook_endpoints.update(first.reference, {"enabled_events": ["invoice.paid"]})
    third = await gateway.register_endpoint(url)

    assert [each.change for each in (first, second, third)] == [
        EndpointChange.CREATED,
        EndpointChange.UNCHANGED,
        EndpointChange.UPDATED,
    ]
    assert first.secret.startswith("whsec_")
    assert (second.secret, third.secret) == ("", "")
    (endpoint,) = stripe_sdk.v1.webhook_endpoints.list().data
    assert set(endpoint.enabled_events) == set(needed_types())


async def test_events_of_the_registered_types_arrive_signed_with_its_secret(
    gateway: StripeGateway, stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    with receiving() as receiver:
        endpoint = await gateway.register_endpoint(receiver.url)
        customer = stripe_sdk.v1.customers.create({})
        stripe_sdk.v1.customers.delete(customer.id)
        stripe_sandbox.settle_webhooks()
        stripe_sdk.v1.webhook_endpoints.delete(endpoint.reference)

    (arrived,) = receiver.received
    assert Webhook.construct_event(*arrived, endpoint.secret).type == "customer.deleted"


def test_an_address_that_is_none_is_refused(stripe_sdk: StripeClient) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        stripe_sdk.v1.webhook_endpoints.create({"url": "duly.example", "enabled_events": ["*"]})

    assert refused.value.param == "url"
