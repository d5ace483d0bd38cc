"""Rates and tenths, on moments that a reader can count."""

import pytest

from bench.rates import first_and_last_tenth, rate, steady_rate

# A burst of 30 at the start, then 10 a second for ten seconds, then a straggler half a minute later.
BURST = [0.0] * 30
STEADY = [second / 10 for second in range(1, 100)]


def test_a_rate_counts_from_the_first_request_to_the_last_outcome() -> None:
    moments = [101.0, 102.0, 103.0, 104.0]

    found = rate(moments, 100.0)

    assert found == 1.0


def test_the_burst_at_the_start_is_not_steady_time() -> None:
    moments = [*BURST, *STEADY, 10.0]

    found = steady_rate(moments, 0.0)

    assert found == pytest.approx(10.0)


def test_the_tail_of_the_slowest_is_not_steady_time() -> None:
    moments = [*STEADY, 10.0, 10.5, 11.0]

    found = steady_rate(moments, 0.0)

    assert found == pytest.approx(10.0, rel=0.02)


def test_tenths_are_medians_so_that_one_outlier_says_nothing() -> None:
    samples = [100.0, 900.0, 100.0, *[150.0] * 24, 200.0, 200.0, 5.0]

    found = first_and_last_tenth(samples)

    assert found == (100.0, 200.0)


def test_too_few_samples_have_no_tenth() -> None:
    with pytest.raises(ValueError, match="samples: 9 are too few"):
        first_and_last_tenth([1.0] * 9)
