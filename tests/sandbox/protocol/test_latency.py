"""Latency: off until it is set, lognormal by its median and its 99th percentile, the same whatever comes between."""

import time
from statistics import quantiles

import pytest
from pydantic import ValidationError
from stripe import StripeClient

from sandbox.stripe.control.client import Latency, SandboxControl
from sandbox.stripe.control.latency import Latencies

CHARGE = "POST /v1/payment_intents"
PROFILE = Latency(median_seconds=1.1, percentile_99_seconds=4)


def test_answers_come_at_once_at_first() -> None:
    assert Latencies().seconds(CHARGE, "pm_1") == 0


def test_half_of_the_answers_take_longer_than_the_median_and_one_in_a_hundred_than_the_99th_percentile() -> None:
    latencies = Latencies(PROFILE)

    cuts = quantiles((latencies.seconds(CHARGE, f"pm_{number}") for number in range(10_000)), n=100)

    assert cuts[49] == pytest.approx(1.1, rel=0.05)
    assert cuts[98] == pytest.approx(4, rel=0.1)


def test_a_request_takes_as_long_whatever_others_came_between() -> None:
    alone, among_others = Latencies(PROFILE), Latencies(PROFILE)
    for number in range(5):
        among_others.seconds(CHARGE, f"pm_{number + 2}")

    assert among_others.seconds(CHARGE, "pm_1") == alone.seconds(CHARGE, "pm_1")
    assert among_others.seconds(CHARGE, "pm_1") != alone.seconds(CHARGE, "pm_2")


def test_an_answer_over_http_takes_as_long_as_is_set(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    stripe_sandbox.set_latency(Latency(median_seconds=0.2, percentile_99_seconds=0.2))
    began = time.monotonic()

    stripe_sdk.v1.balance.retrieve()

    assert time.monotonic() - began >= 0.2


def test_a_99th_percentile_below_the_median_is_refused() -> None:
    with pytest.raises(ValidationError, match="percentile_99_seconds must not be below median_seconds"):
        Latency(median_seconds=2, percentile_99_seconds=1)


def test_a_latency_without_an_end_is_refused() -> None:
    with pytest.raises(ValidationError, match="finite"):
        Latency(median_seconds=float("inf"), percentile_99_seconds=float("inf"))
