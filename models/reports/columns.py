"""What a report's cells are: kinds of columns, and measures that are worked out of sums, exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from models.money import half_up

MINOR = "_minor"
# What a measure may count beside sums of columns.
ROWS = "rows"
DISTINCT = "distinct:"


class ColumnKind(StrEnum):
    """What stands in a column."""

    TEXT = "text"
    DAY = "day"
    MONTH = "month"
    NUMBER = "number"
    MONEY = "money"  # minor units of the row's currency
    PERCENT = "percent"  # an exact fraction of one; None where there is nothing to divide by


@dataclass(frozen=True)
class ReportMeasure:
    """Sums that are added (or, with a minus before their name, taken off), divided by others where `over` names any.

    A name is a column that is summed, `rows` for how many rows there are, or `distinct:` and a column.
    """

    kind: ColumnKind
    of: tuple[str, ...]
    over: tuple[str, ...] = ()

    @property
    def sums(self) -> frozenset[str]:
        """The sums that it is worked out of."""
        return frozenset(name.removeprefix("-") for name in (*self.of, *self.over))

    def value(self, sums: Mapping[str, int]) -> int | Fraction | None:
        """Work it out; money is rounded half up to the minor unit, once. None: there is nothing to divide by."""
        top = _added(self.of, sums)
        if not self.over:
            return top
        below = _added(self.over, sums)
        if below == 0:
            return None
        return half_up(Fraction(top, below)) if self.kind is ColumnKind.MONEY else Fraction(top, below)


def _added(names: tuple[str, ...], sums: Mapping[str, int]) -> int:
    return sum(-sums[name[1:]] if name.startswith("-") else sums[name] for name in names)


def total(*columns: str) -> ReportMeasure:
    """Make a measure of money: the sum of columns."""
    return ReportMeasure(ColumnKind.MONEY, columns)


def count(*names: str) -> ReportMeasure:
    """Make a measure that counts rows, or what is different among them, or adds numbers."""
    return ReportMeasure(ColumnKind.NUMBER, names or (ROWS,))


def rate(of: tuple[str, ...], over: tuple[str, ...]) -> ReportMeasure:
    """Make a measure that is a share, shown as a percentage."""
    return ReportMeasure(ColumnKind.PERCENT, of, over)


def percent_text(share: Fraction) -> str:
    """Return a share as a percentage of two decimals, halves up."""
    hundredths = half_up(share * 10_000)
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"
