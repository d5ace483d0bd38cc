from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.currency import EXPONENTS, UnknownCurrencyError
from models.money import Money, MoneyError, half_up, split

AMOUNTS = st.integers(min_value=0, max_value=2**53 - 1)
WEIGHTS = st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor", "written"),
    [
        ("12.34", "EUR", 1234, "12.34 EUR"),
        ("12.3", "EUR", 1230, "12.30 EUR"),
        ("-0.05", "USD", -5, "-0.05 USD"),
        ("500", "JPY", 500, "500 JPY"),
        ("5.124", "KWD", 5124, "5.124 KWD"),
        ("0.0001", "CLF", 1, "0.0001 CLF"),
    ],
)
def test_money_is_read_and_written_at_its_currency_s_decimals(
    text: str, currency: str, amount_minor: int, written: str
) -> None:
    money = Money.parse(text, currency)

    assert money == Money(amount_minor, currency)
    assert str(money) == written


@pytest.mark.parametrize("text", ["12.345", "1e2", "1_0", "", "abc", "NaN", "Infinity", "12,34"])
def test_an_amount_that_is_too_fine_or_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse(text, "EUR")


@pytest.mark.parametrize("amount", [12.34, True, Decimal("12.34"), "1234", None])
def test_only_an_int_counts_minor_units(amount: object) -> None:
    with pytest.raises(MoneyError, match="amount_minor must be an int"):
        Money(amount, "EUR")  # type: ignore[arg-type]


def test_a_float_is_never_read_as_money() -> None:
    with pytest.raises(MoneyError, match="not float"):
        Money.parse(12.34, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["eur", "EURO", "XTS", "BGN", ""])
def test_a_code_that_is_no_active_currency_is_refused(currency: str) -> None:
    with pytest.raises(UnknownCurrencyError):
        Money(1, currency)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(MoneyError, match="cannot mix EUR with USD"):
        Money(1, "EUR") + Money(1, "USD")


def test_money_adds_subtracts_multiplies_and_compares() -> None:
    two, three = Money(2, "EUR"), Money(3, "EUR")

    assert two + three == Money(5, "EUR")
    assert two - three == Money(-1, "EUR")
    assert 4 * two == two * 4 == Money(8, "EUR")
    assert -two < two <= Money(2, "EUR") < three
    assert three > two >= Money(2, "EUR")
    assert not Money(0, "EUR")


def test_a_third_of_a_euro_leaves_one_cent_with_the_first() -> None:
    assert split(100, weights=(1, 1, 1)) == [34, 33, 33]


def test_a_weight_of_zero_gets_nothing() -> None:
    assert split(15, weights=(0, 1, 1)) == [0, 8, 7]


@given(AMOUNTS, WEIGHTS)
def test_the_parts_of_a_split_add_up_and_none_is_off_by_a_unit(amount: int, weights: list[int]) -> None:
    parts = split(amount, weights)

    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Fraction(part) - Fraction(amount * weight, sum(weights))) < 1


@pytest.mark.parametrize(("amount", "weights"), [(-1, [1]), (1, []), (1, [0]), (1, [-1, 2]), (1.0, [1])])
def test_a_split_that_makes_no_sense_is_refused(amount: int, weights: list[int]) -> None:
    with pytest.raises(MoneyError):
        split(amount, weights)


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        (Fraction(1, 2), 1),
        (Fraction(3, 2), 2),
        (Fraction(5, 2), 3),
        (Fraction(49, 100), 0),
        (Fraction(-1, 2), -1),
        (Fraction(7), 7),
    ],
)
def test_halves_are_rounded_away_from_zero(exact: Fraction, rounded: int) -> None:
    assert half_up(exact) == rounded


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(min_value=-(2**53), max_value=2**53))
def test_what_is_written_is_read_again_as_the_same_money(currency: str, amount_minor: int) -> None:
    money = Money(amount_minor, currency)

    assert Money.parse(str(money).removesuffix(f" {currency}"), currency) == money
