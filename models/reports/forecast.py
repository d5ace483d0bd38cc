"""Receipts to come: what was billed, by the shares that were collected so many months after (S35), and its error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from models.money import half_up
from models.reports.periods import months_before

# How many closed months the shares are learnt from, and how many months after its own a month is still collected.
COHORTS = 12
LAGS = 6
HELD_OUT = 3


@dataclass(frozen=True)
class CollectedCohorts:
    """What was billed in each month, and what was collected of it in which month; minor units of one currency."""

    billed: Mapping[date, int]
    collected: Mapping[tuple[date, date], int]

    def shares(self, before: date) -> tuple[Fraction, ...]:
        """Return which share of what is billed is collected 0, 1, 2, ... months after, as known when a month begins."""
        found = []
        for lag in range(LAGS + 1):
            known = [months_before(before, 1 + lag + back) for back in range(COHORTS)]
            billed = sum(self.billed.get(month, 0) for month in known)
            paid = sum(self.collected.get((month, months_before(month, -lag)), 0) for month in known)
            found.append(Fraction(paid, billed) if billed else Fraction(0))
        return tuple(found)

    def billed_before(self, month: date) -> dict[date, int]:
        """Return what was known of billing when a month began: its own is expected to be that of the one before."""
        known = {billed_in: amount for billed_in, amount in self.billed.items() if billed_in < month}
        return {**known, month: known.get(months_before(month, 1), 0)}

    def receipts(self, month: date) -> int:
        """Return what was collected in a month of everything billed."""
        return sum(amount for (_, paid_in), amount in self.collected.items() if paid_in == month)


def expected_minor(month: date, billed: Mapping[date, int], shares: Sequence[Fraction]) -> int:
    """Return what is expected in a month: what each month billed, by the share collected so many months after."""
    return half_up(
        sum((billed.get(months_before(month, lag), 0) * share for lag, share in enumerate(shares)), Fraction(0))
    )


def weighted_error(actual: Sequence[int], forecast: Sequence[int]) -> Fraction | None:
    """Return the absolute errors by what there was (WAPE); None where there was nothing."""
    total = sum(actual)
    return Fraction(sum(abs(a - f) for a, f in zip(actual, forecast, strict=True)), total) if total else None


def bias(actual: Sequence[int], forecast: Sequence[int]) -> Fraction | None:
    """Return by how much it was too high, by what there was; None where there was nothing."""
    total = sum(actual)
    return Fraction(sum(f - a for a, f in zip(actual, forecast, strict=True)), total) if total else None


def as_last_month(first_before: int, actual: Sequence[int]) -> list[int]:
    """Return what somebody would say who knows nothing but the month before."""
    return [first_before, *actual[:-1]]
