import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.currency import EXPONENTS
from models.gateway.amounts import (
    GATEWAY_CURRENCIES,
    GatewayAmountError,
    charge_step,
    from_gateway,
    gateway_maximum,
    gateway_minimum,
    to_gateway,
)
from models.money import Money

CURRENCIES = sorted(GATEWAY_CURRENCIES)


@pytest.mark.parametrize(
    ("amount", "currency", "sent"),
    [
        ("10.99", "USD", 1099),
        ("500", "JPY", 500),
        ("5.120", "KWD", 5120),
        ("5", "ISK", 500),
        ("5", "UGX", 500),
        ("7.00", "MGA", 7),
        ("10.45", "HUF", 1045),
        ("800.45", "TWD", 80045),
    ],
)
def test_an_amount_is_sent_on_the_gateway_s_own_scale(amount: str, currency: str, sent: int) -> None:
    money = Money.parse(amount, currency)

    assert to_gateway(money) == sent
    assert from_gateway(sent, currency.lower()) == money


@pytest.mark.parametrize(
    ("amount_minor", "currency", "step"),
    [(5124, "KWD", "0.010 KWD"), (150, "MGA", "1.00 MGA")],
)
def test_an_amount_between_two_steps_of_the_gateway_is_refused(amount_minor: int, currency: str, step: str) -> None:
    with pytest.raises(GatewayAmountError, match=f"steps of {step}"):
        to_gateway(Money(amount_minor, currency))


@pytest.mark.parametrize(
    ("currency", "step"),
    [("EUR", 1), ("JPY", 1), ("HUF", 1), ("TWD", 1), ("ISK", 1), ("UGX", 1), ("KWD", 10), ("MGA", 100)],
)
def test_the_step_is_in_the_ledgers_minor_units(currency: str, step: int) -> None:
    assert charge_step(currency) == step


@pytest.mark.parametrize(
    ("currency", "most"),
    [("EUR", "999999.99"), ("JPY", "99999999"), ("KWD", "99999.990"), ("ISK", "999999"), ("IDR", "9999999999.99")],
)
def test_a_gateway_takes_eight_digits_at_most(currency: str, most: str) -> None:
    assert gateway_maximum(currency) == Money.parse(most, currency)


def test_a_currency_that_no_gateway_takes_has_no_steps_but_its_own() -> None:
    assert charge_step("IQD") == 1


@given(st.sampled_from(CURRENCIES), st.integers(min_value=1, max_value=10**9))
def test_an_amount_is_taken_exactly_when_it_is_in_steps(currency: str, amount_minor: int) -> None:
    try:
        to_gateway(Money(amount_minor, currency))
        is_taken = True
    except GatewayAmountError:
        is_taken = False

    assert is_taken == (amount_minor % charge_step(currency) == 0)


@pytest.mark.parametrize("amount", [501, 550])
def test_a_fraction_of_a_krona_cannot_come_from_the_gateway(amount: int) -> None:
    with pytest.raises(GatewayAmountError, match="finer than ISK allows"):
        from_gateway(amount, "ISK")


def test_a_currency_that_the_gateway_does_not_take_is_refused() -> None:
    with pytest.raises(GatewayAmountError, match="IRR is not supported"):
        to_gateway(Money(100, "IRR"))


@pytest.mark.parametrize(
    ("currency", "minimum"),
    [("EUR", "0.50"), ("GBP", "0.30"), ("JPY", "50"), ("HUF", "175.00"), ("KWD", "0.010"), ("ISK", "1")],
)
def test_the_least_amount_is_the_published_one_or_the_smallest_step(currency: str, minimum: str) -> None:
    assert gateway_minimum(currency) == Money.parse(minimum, currency)


@pytest.mark.parametrize("currency", CURRENCIES)
def test_every_gateway_currency_is_an_iso_currency_whose_minimum_can_be_sent(currency: str) -> None:
    assert currency in EXPONENTS
    assert to_gateway(gateway_minimum(currency)) > 0


@given(st.sampled_from(CURRENCIES), st.integers(min_value=1, max_value=10**12))
def test_what_the_gateway_reports_is_what_was_sent(currency: str, steps: int) -> None:
    amount = steps * GATEWAY_CURRENCIES[currency].multiple * 100

    assert to_gateway(from_gateway(amount, currency)) == amount


@given(st.sampled_from(CURRENCIES), st.integers(min_value=1, max_value=2**53 - 1))
def test_an_amount_is_either_sent_exactly_or_refused(currency: str, amount_minor: int) -> None:
    money = Money(amount_minor, currency)
    try:
        sent = to_gateway(money)
    except GatewayAmountError:
        return

    assert from_gateway(sent, currency) == money
