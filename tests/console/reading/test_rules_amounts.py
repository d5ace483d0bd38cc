"""Amounts on pages have their digits in groups where there are many, and none in an export."""

import pytest

from web.views.cells import money


@pytest.mark.parametrize(
    ("minor", "currency", "shown", "exported"),
    [
        (999_999, "EUR", "9999.99 EUR", "9999.99"),
        (1_000_000, "EUR", "10,000.00 EUR", "10000.00"),
        (-123_456_789_012, "EUR", "-1,234,567,890.12 EUR", "-1234567890.12"),
        (10_384, "JPY", "10,384 JPY", "10384"),
        (10_384_001, "KWD", "10,384.001 KWD", "10384.001"),
    ],
)
def test_many_digits_are_shown_in_groups(minor: int, currency: str, shown: str, exported: str) -> None:
    cell = money(minor, currency)

    assert (cell.text, cell.plain) == (shown, exported)
