"""What a source of reports is: rows of one kind, with the columns and measures that a definition may name."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from models.reports.columns import ColumnKind, ReportMeasure

CURRENCY = "currency"
MONTH = "month"


@dataclass(frozen=True)
class Tie:
    """A measure that must come to a movement of the ledger: of these kinds of account, moved by these (all if none)."""

    measure: str
    kinds: tuple[str, ...]
    moved_by: tuple[str, ...] = ()
    sign: int = 1


@dataclass(frozen=True)
class Source:
    """Rows of one kind. `day` is the column that a period is about; without one the rows are as of the period's end.

    `key` is what lists are in the order of, behind the day. Of what is no flow the amounts of two days are not added
    up, and a month without rows is not known.
    """

    name: str
    about: str
    columns: Mapping[str, ColumnKind]
    measures: Mapping[str, ReportMeasure]
    key: tuple[str, ...]
    day: str = ""
    ties: tuple[Tie, ...] = ()
    is_flow: bool = True

    @property
    def has_money(self) -> bool:
        """Whether amounts of it need a currency beside them."""
        return CURRENCY in self.columns


def columns_named(texts: str, **others: ColumnKind) -> Mapping[str, ColumnKind]:
    """Return columns by their names, which say what they hold: days end in `_on`, amounts in `_minor`."""
    days = {name: ColumnKind.DAY for name in texts.split() if name.endswith("_on")}
    money = {name: ColumnKind.MONEY for name in texts.split() if name.endswith("_minor")}
    known = dict.fromkeys(texts.split(), ColumnKind.TEXT) | days | money
    if MONTH in known:
        known[MONTH] = ColumnKind.MONTH
    return MappingProxyType({**known, **others})


# Where the balances of accounts stand in the chart of accounts.
RECEIVABLE_KINDS = ("receivable", "suspense", "written_off", "internal")
