"""Rate limits: off until they are set, per endpoint and in total."""

import httpx
import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.api.errors import ApiError
from sandbox.stripe.api.limits import Limiter, TokenBucket
from sandbox.stripe.control.client import RateLimits, SandboxControl

# A bucket holds at least one request; at this rate no test is slow enough to see the next.
BURST_OF_ONE = 0.001


def test_nothing_is_limited_at_first(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    for _ in range(60):
        stripe_sdk.v1.balance.retrieve()

    assert stripe_sandbox.status_counts() == {200: 60}


def test_more_than_the_limit_of_an_endpoint_is_429_and_counted(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    stripe_sandbox.set_rate_limits(RateLimits(per_endpoint=BURST_OF_ONE))
    stripe_sdk.v1.balance.retrieve()

    with pytest.raises(stripe.RateLimitError) as refused:
        stripe_sdk.v1.balance.retrieve()

    assert refused.value.headers is not None
    assert refused.value.headers["stripe-rate-limited-reason"] == "endpoint-rate"
    assert stripe_sandbox.status_counts()[429] == 1
    assert stripe_sdk.v1.customers.list().data == []


def test_one_endpoint_may_have_a_limit_of_its_own(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.set_rate_limits(RateLimits(endpoints={"GET /v1/balance": BURST_OF_ONE}))
    stripe_sdk.v1.balance.retrieve()

    with pytest.raises(stripe.RateLimitError):
        stripe_sdk.v1.balance.retrieve()
    for _ in range(5):
        stripe_sdk.v1.customers.list()

    assert stripe_sandbox.request_counts() == {"GET /v1/balance": 2, "GET /v1/customers": 5}


def test_the_total_counts_over_all_endpoints(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.set_rate_limits(RateLimits(total=BURST_OF_ONE))
    stripe_sdk.v1.customers.list()

    with pytest.raises(stripe.RateLimitError) as refused:
        stripe_sdk.v1.events.list()

    assert refused.value.headers is not None
    assert refused.value.headers["stripe-rate-limited-reason"] == "global-rate"


def test_time_brings_new_requests(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.set_rate_limits(RateLimits(per_endpoint=BURST_OF_ONE))
    stripe_sdk.v1.balance.retrieve()

    stripe_sandbox.advance(1 / BURST_OF_ONE)

    assert stripe_sdk.v1.balance.retrieve().livemode is False


def passed(limiter: Limiter, *, per_second: int, seconds: int) -> int:
    """How many of evenly spaced requests get through."""
    through = 0
    for number in range(per_second * seconds):
        try:
            limiter.take("GET /v1/balance", number / per_second)
        except ApiError:
            continue
        through += 1
    return through


def test_at_25_a_second_a_minute_lets_1500_through_and_one_burst() -> None:
    limiter = Limiter()
    limiter.change(RateLimits(per_endpoint=25))

    assert passed(limiter, per_second=100, seconds=60) == pytest.approx(1525, abs=1)


def test_a_request_refused_in_total_keeps_its_endpoint_s_token() -> None:
    limiter = Limiter()
    limiter.change(RateLimits(total=1, per_endpoint=2))
    limiter.take("GET /v1/balance", 0.0)
    for _ in range(5):
        with pytest.raises(ApiError):
            limiter.take("GET /v1/customers", 0.0)

    limiter.take("GET /v1/customers", 1.0)


def test_a_slow_bucket_still_lets_one_through() -> None:
    bucket = TokenBucket(rate=0.1, at=0.0)

    assert bucket.refill(0.0)


def test_a_limit_of_nothing_is_refused(stripe_sandbox: SandboxControl) -> None:
    answer = httpx.post(f"{stripe_sandbox.base_url}/_sandbox/rate_limits", json={"total": 0}, trust_env=False)

    assert (answer.status_code, "total" in answer.text) == (400, True)
