"""The gateways that the contract tests run against, and a customer's browser."""

import time
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from stripe import StripeClient

from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl
from tests.sandbox.contract import GATEWAYS, TEST_MODE_KEY
from tests.sandbox.openapi.events import differences_of_events
from tests.sandbox.openapi.recorder import Recorder, answer_differences


@pytest.fixture(params=GATEWAYS)
def gateway_sdk(request: pytest.FixtureRequest) -> Iterator[StripeClient]:
    """The SDK on the sandbox, and on Stripe's test mode where STRIPE_TEST_KEY is in the environment."""
    if request.param == "sandbox":
        yield request.getfixturevalue("stripe_sdk")
        return
    assert TEST_MODE_KEY is not None
    assert TEST_MODE_KEY.startswith("sk_test_"), "contract tests never run on a live key"
    client, began = StripeClient(TEST_MODE_KEY, max_network_retries=2), int(time.time()) - 60
    yield client
    for customer in client.v1.customers.list({"created": {"gte": began}, "limit": 100}):
        # As the tests call them all; payments cannot be deleted.
        if (customer.name or "").startswith("Ada"):
            client.v1.customers.delete(customer.id)


_ON_THE_SANDBOX = {"gateway", "gateway_sdk", "stripe_sandbox", "stripe_sdk"}


@pytest.fixture(autouse=True)
def as_stripe_does(request: pytest.FixtureRequest, stripe_app: Starlette, stripe_recorder: Recorder) -> Iterator[None]:
    """Stripe's own delays; and every answer and event of the test is held against Stripe's OpenAPI when it is over."""
    if _ON_THE_SANDBOX.isdisjoint(request.fixturenames):
        yield
        return
    request.getfixturevalue("stripe_sandbox").set_delays(STRIPES_DELAYS)
    stripe_recorder.take()
    stripe_recorder.is_on = True
    yield
    stripe_recorder.is_on = False
    found = [line for exchange in stripe_recorder.take() for line in answer_differences(exchange)]
    found += differences_of_events(stripe_app.state.sandbox.account_states())
    assert sorted(set(found)) == []


@pytest.fixture
def browser(stripe_sandbox: SandboxControl) -> Iterator[httpx.Client]:
    """Follows no redirect by itself, so that a test sees where it is sent."""
    with httpx.Client(base_url=stripe_sandbox.base_url, trust_env=False) as browser:
        yield browser
