from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ledger.lines import Line, LineError, document_line, price


def a_line(**changes: Any) -> Line:
    fields: dict[str, Any] = {
        "product_id": "card",
        "quantity": Decimal(1),
        "unit_price_minor": 100_00,
        "tax_percent": Decimal(19),
    }
    return Line(**{**fields, **changes})


def test_two_cards_with_fifteen_percent_and_twenty_euros_off() -> None:
    first = price(a_line(discount_percent=Decimal(15)))
    second = price(a_line(discount_minor=20_00))

    assert (first.discount_minor, first.net_minor, first.tax_minor, first.total_minor) == (1500, 8500, 1615, 10115)
    assert (second.discount_minor, second.net_minor, second.tax_minor, second.total_minor) == (2000, 8000, 1520, 9520)


def test_half_a_cent_of_tax_is_rounded_up_on_each_line() -> None:
    priced = price(a_line(unit_price_minor=50, tax_percent=Decimal(5)))

    assert priced.tax_minor == 3


def test_a_part_of_a_unit_is_priced_and_rounded_once() -> None:
    priced = price(a_line(quantity=Decimal("0.333333"), unit_price_minor=1000, tax_percent=Decimal(0)))

    assert priced.total_minor == 333


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantity": Decimal(0)}, "quantity"),
        ({"quantity": 1}, "quantity"),
        ({"quantity": Decimal("1.1234567")}, "quantity"),
        ({"unit_price_minor": -1}, "unit_price_minor"),
        ({"unit_price_minor": 1.5}, "unit_price_minor"),
        ({"discount_percent": Decimal(101)}, "discount_percent"),
        ({"discount_percent": Decimal(5), "discount_minor": 5}, "not both"),
        ({"tax_percent": 0.19}, "tax_percent"),
        ({"period_from": date(2026, 5, 1)}, "come together"),
    ],
)
def test_a_line_that_cannot_be_priced_names_its_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(LineError, match=message):
        a_line(**changes)


@pytest.mark.parametrize("discount_minor", [-1, 100_01])
def test_a_discount_lies_between_nothing_and_everything(discount_minor: int) -> None:
    with pytest.raises(LineError, match="discount"):
        price(a_line(discount_minor=discount_minor))


def test_a_line_goes_to_the_ledger_without_a_float() -> None:
    fields = document_line(
        price(a_line(quantity=Decimal("1.5"), period_from=date(2026, 5, 1), period_to=date(2026, 5, 31)))
    )

    assert fields["quantity"] == "1.5"
    assert fields["period_to"] == "2026-05-31"
    assert not [name for name, value in fields.items() if isinstance(value, float)]


@given(
    quantity=st.decimals(min_value="0.000001", max_value=1000, places=6),
    unit_price_minor=st.integers(min_value=0, max_value=10**7),
    discount_percent=st.decimals(min_value=0, max_value=100, places=4),
    tax_percent=st.decimals(min_value=0, max_value=100, places=4),
)
def test_net_and_tax_are_never_negative_and_add_up(
    quantity: Decimal, unit_price_minor: int, discount_percent: Decimal, tax_percent: Decimal
) -> None:
    priced = price(
        a_line(
            quantity=quantity,
            unit_price_minor=unit_price_minor,
            discount_percent=discount_percent,
            tax_percent=tax_percent,
        )
    )

    assert priced.total_minor == priced.net_minor + priced.tax_minor
    assert min(priced.discount_minor, priced.net_minor, priced.tax_minor) >= 0
