"""The gateways that the contract tests run against, and a customer's browser."""

from collections.abc import Iterator

import httpx
import pytest
from stripe import StripeClient

from sandbox.stripe.control.client import SandboxControl
from tests.sandbox.contract import GATEWAYS, TEST_MODE_KEY


@pytest.fixture(params=GATEWAYS)
def gateway_sdk(request: pytest.FixtureRequest) -> Iterator[StripeClient]:
    """The SDK on the sandbox, and on Stripe's test mode where STRIPE_TEST_KEY is in the environment."""
    if request.param == "sandbox":
        yield request.getfixturevalue("stripe_sdk")
        return
    assert TEST_MODE_KEY is not None
    assert TEST_MODE_KEY.startswith("sk_test_"), "contract tests never run on a live key"
    yield StripeClient(TEST_MODE_KEY, max_network_retries=2)


@pytest.fixture
def browser(stripe_sandbox: SandboxControl) -> Iterator[httpx.Client]:
    """Follows no redirect by itself, so that a test sees where it is sent."""
    with httpx.Client(base_url=stripe_sandbox.base_url, trust_env=False) as browser:
        yield browser
