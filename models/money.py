"""Money: whole minor units of an ISO 4217 currency, never a float, never rounded behind anyone's back.

Where VAT is computed: vat_of, for every line of an invoice (models/ledger/lines.py) and for billing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Self

from models.currency import exponent_of

AMOUNT_MINOR_MAX = 2**53 - 1
"""Largest amount of one document. A JSON reader with double precision still sees it exactly."""


class MoneyError(ValueError):
    """An amount that cannot be money: wrong type, unknown currency, finer than the currency allows."""


@dataclass(frozen=True)
class Money:
    """An amount in minor units of its currency; may be negative, as a balance may."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise MoneyError(f"amount_minor must be an int, not {type(self.amount_minor).__name__}")
        if not isinstance(self.currency, str):
            raise MoneyError(f"currency must be a str, not {type(self.currency).__name__}")
        exponent_of(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read "12.34"; refuse anything but a plain decimal no finer than the currency's minor unit."""
        if not isinstance(text, str):
            raise MoneyError(f"amount must be text such as '12.34', not {type(text).__name__}")
        return cls(_minor_units(text, exponent_of(currency), currency), currency)

    def to_decimal(self) -> Decimal:
        """Return the amount in major units, exactly."""
        return Decimal(self.amount_minor).scaleb(-exponent_of(self.currency))

    def split(self, weights: Sequence[int]) -> tuple["Money", ...]:
        """Divide by largest remainder; the parts add up to the whole."""
        return tuple(Money(part, self.currency) for part in split(self.amount_minor, weights))

    def __str__(self) -> str:
        return f"{self.to_decimal():.{exponent_of(self.currency)}f} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount_minor + self._same_currency(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount_minor - self._same_currency(other), self.currency)

    def __mul__(self, count: int) -> "Money":
        if type(count) is not int:
            raise MoneyError(f"money is multiplied by an int, not {type(count).__name__}; use half_up for rates")
        return Money(self.amount_minor * count, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __bool__(self) -> bool:
        return self.amount_minor != 0

    def __lt__(self, other: "Money") -> bool:
        return self.amount_minor < self._same_currency(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount_minor <= self._same_currency(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount_minor > self._same_currency(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount_minor >= self._same_currency(other)

    def _same_currency(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise MoneyError(f"cannot mix {self.currency} with {other.currency}")
        return other.amount_minor


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount by largest remainder: the parts add up, and a weight of zero gets nothing."""
    if type(amount_minor) is not int or amount_minor < 0:
        raise MoneyError("amount to split must be an int of at least 0")
    if any(type(weight) is not int or weight < 0 for weight in weights) or sum(weights) == 0:
        raise MoneyError("weights must be ints of at least 0, and not all 0")
    whole = sum(weights)
    parts = [amount_minor * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount_minor * weights[i] % whole), i))
    for index in by_remainder[: amount_minor - sum(parts)]:
        parts[index] += 1
    assert sum(parts) == amount_minor, "a split may neither lose nor invent a unit"  # noqa: S101
    return parts


def half_up(exact: Fraction) -> int:
    """Round to a whole minor unit, halves away from zero: the ledger's only rounding (Q14)."""
    magnitude = int(abs(exact) + Fraction(1, 2))
    return magnitude if exact >= 0 else -magnitude


def vat_of(net_minor: int, percent: Decimal | Fraction | int) -> int:
    """Return the VAT on the net amount of one line, in minor units: rounded half up, once a line (Q14)."""
    return half_up(Fraction(percent) * net_minor / 100)


def _minor_units(text: str, exponent: int, currency: str) -> int:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise MoneyError(f"amount {text!r} is not a decimal number such as '12.34'") from None
    if not amount.is_finite() or "e" in text.lower() or "_" in text:
        raise MoneyError(f"amount {text!r} is not a decimal number such as '12.34'")
    minor = amount.scaleb(exponent)
    if minor != minor.to_integral_value():
        raise MoneyError(f"amount {text} is finer than {currency} allows: at most {exponent} decimals")
    return int(minor)
