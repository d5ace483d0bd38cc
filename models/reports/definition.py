"""A report's definition: a document that names a source, columns, filters and a period, checked before it is run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from models.moment import YEARS, YEARS_MEANING
from models.printable import NOT_PRINTABLE, is_printable
from models.problem import Problem, RefusedError
from models.reports.columns import ColumnKind
from models.reports.periods import RELATIVE, DaySpan
from models.reports.source import CURRENCY, MONTH, Source
from models.reports.sources import SOURCES

FIELDS = ("id", "title", "about", "source", "columns", "group_by", "measures", "filters", "period", "compare")
ID_LENGTH = 64
VALUES_AT_MOST = 1000
CONDITIONS_AT_MOST = 10
# What a column of amounts holds.
MOST = 2**63 - 1


@dataclass(frozen=True)
class Condition:
    """What a column must be: one of some values, or none of them, or from one to another, both included."""

    column: str
    one_of: tuple[Any, ...] = ()
    none_of: tuple[Any, ...] = ()
    least: Any = None
    most: Any = None

    def lets_through(self, value: Any) -> bool:
        """Say whether a value that was worked out, and not read, is as the column must be."""
        if self.one_of or self.none_of:
            return (value in self.one_of) if self.one_of else value not in self.none_of
        is_low = self.least is not None and (value is None or value < self.least)
        return not is_low and not (self.most is not None and (value is None or value > self.most))

    def __str__(self) -> str:
        if self.one_of or self.none_of:
            word = "is" if self.one_of else "is not"
            return f"{self.column} {word} {' or '.join(map(str, self.one_of or self.none_of))}"
        bounds = [f"{word} {value}" for word, value in (("from", self.least), ("to", self.most)) if value is not None]
        return f"{self.column} {' '.join(bounds)}"


@dataclass(frozen=True)
class ReportDefinition:
    """What a report shows: rows of `columns`, or groups by `group_by` with their measures."""

    id: str
    title: str
    source: Source
    about: str = ""
    columns: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    filters: tuple[Condition, ...] = ()
    period: str | DaySpan = "this_month"
    compare: bool = False

    @property
    def is_list(self) -> bool:
        """Whether it shows rows as they are."""
        return not self.measures

    @property
    def keys(self) -> tuple[str, ...]:
        """What it is grouped by: the currency always, for amounts are never added over currencies."""
        has = CURRENCY in self.group_by or not self.source.has_money
        return self.group_by if has else (*self.group_by, CURRENCY)

    def days(self, today: date) -> DaySpan:
        """Return the days that it is about when it is asked for on a day."""
        return self.period if isinstance(self.period, DaySpan) else RELATIVE[self.period](today)

    def over(self, first: date | None, last: date | None, today: date) -> "ReportDefinition":
        """Return it over other days; a bound that is not given stays. Raises RefusedError for a wrong order."""
        if first is None and last is None:
            return self
        known = self.days(today)
        span = DaySpan(first or min(known.first, last or known.first), last or max(known.last, first or known.last))
        if span.first > span.last:
            raise RefusedError([Problem("from", "from_before_to", f"{span.first} is after {span.last}")])
        return replace(self, period=span)

    def as_document(self) -> dict[str, Any]:
        """Return it as a document that can be read again."""
        period = self.period if isinstance(self.period, str) else {"from": self.period.first, "to": self.period.last}
        shown = {"columns": self.columns} if self.is_list else {"group_by": self.group_by, "measures": self.measures}
        filters = {column: _filter_document(self._conditions(column)) for column in self._filtered()}
        words = {"id": self.id, "title": self.title, "about": self.about, "source": self.source.name}
        return {**words, **shown, "filters": filters, "period": period, "compare": self.compare}

    def narrowed(self, filters: Mapping[str, Any]) -> "ReportDefinition":
        """Return it with more filters, which must hold too. Raises RefusedError for what the source does not have."""
        reader = _Reader({"filters": filters})
        more = tuple(_filters(reader, self.source))
        if reader.problems:
            raise RefusedError(reader.problems)
        return replace(self, filters=(*self.filters, *more))

    def _filtered(self) -> Iterable[str]:
        return dict.fromkeys(one.column for one in self.filters)

    def _conditions(self, column: str) -> list[Condition]:
        return [one for one in self.filters if one.column == column]


@dataclass
class _Reader:
    """Reads a document and collects what is wrong with it."""

    document: Mapping[str, Any]
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, name: str, rule: str, message: str) -> None:
        self.problems.append(Problem(name, rule, message))

    def text(self, name: str, length: int = 200, *, required: bool = True) -> str:
        value = self.document.get(name, "")
        if not isinstance(value, str) or len(value) > length or (required and not value.strip()):
            self.wrong(name, "text_given", f"must be a text of {1 if required else 0} to {length} characters")
            return ""
        return value

    def names(self, name: str, allowed: Mapping[str, Any]) -> tuple[str, ...]:
        value = self.document.get(name, [])
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            self.wrong(name, "list_of_names", "must be a list of names")
            return ()
        for one in value:
            if one not in allowed:
                self.wrong(name, "name_allowed", f"{one!r} is none of {', '.join(allowed)}")
        if len(set(value)) != len(value):
            self.wrong(name, "named_once", "names one of them twice")
        return tuple(value)


def definition_of(document: Mapping[str, Any]) -> ReportDefinition:
    """Read a definition. Raises RefusedError with everything that is wrong with it, by field."""
    reader = _Reader(document)
    for unknown in sorted(set(document) - set(FIELDS)):
        reader.wrong(str(unknown), "field_known", f"is none of {', '.join(FIELDS)}")
    id, title = reader.text("id", ID_LENGTH), reader.text("title")
    if id and not (id.isascii() and all(one.isalnum() or one in "-_" for one in id)):
        reader.wrong("id", "id_is_plain", "may have letters, digits, - and _")
    source = SOURCES.get(str(document.get("source", "")))
    if source is None:
        reader.wrong("source", "name_allowed", f"must be one of {', '.join(SOURCES)}")
        raise RefusedError(reader.problems)
    about = reader.text("about", 2000, required=False)
    columns, group_by = reader.names("columns", source.columns), reader.names("group_by", source.columns)
    measures = reader.names("measures", source.measures)
    for rule, message in _shape_problems(source, columns, group_by, measures):
        reader.wrong("columns", rule, message)
    filters, period = tuple(_filters(reader, source)), _period(reader)
    compare = document.get("compare", False)
    if not isinstance(compare, bool) or (compare and (not measures or not source.day or MONTH in group_by)):
        reader.wrong("compare", "compared_by_period", "needs measures over a period, and no months among the groups")
    if reader.problems:
        raise RefusedError(reader.problems)
    shown = columns or (() if measures else tuple(source.columns))
    return ReportDefinition(id, title, source, about, shown, group_by, measures, filters, period, bool(compare))


def _shape_problems(
    source: Source, columns: Sequence[str], group_by: Sequence[str], measures: Sequence[str]
) -> Iterator[tuple[str, str]]:
    if columns and (measures or group_by):
        yield "list_or_groups", "name columns for a list, or group_by and measures: not both"
    if group_by and not measures:
        yield "groups_have_measures", "groups need measures"
    if any(source.columns.get(one) is ColumnKind.MONEY for one in columns) and CURRENCY not in columns:
        yield "money_has_currency", "amounts need the column currency beside them"
    if any(source.columns.get(one) is ColumnKind.MONEY for one in group_by):
        yield "no_groups_by_amount", "amounts are added up, not grouped by"


def _filters(reader: _Reader, source: Source) -> Iterator[Condition]:
    given = reader.document.get("filters", {})
    if not isinstance(given, Mapping):
        reader.wrong("filters", "table_of_columns", "must be a table of columns")
        return
    for column, wanted in given.items():
        kind = source.columns.get(column)
        if kind is None:
            reader.wrong(f"filters.{column}", "name_allowed", f"is none of {', '.join(source.columns)}")
            continue
        try:
            yield from conditions_of(column, kind, wanted)
        except ValueError as error:
            reader.wrong(f"filters.{column}", "value_fits", str(error))


def conditions_of(column: str, kind: ColumnKind, wanted: Any) -> Iterator[Condition]:
    """Read what a column must be, `all` of several conditions or one. Raises ValueError as `condition_of` does."""
    if not isinstance(wanted, Mapping) or "all" not in wanted:
        yield condition_of(column, kind, wanted)
        return
    each = wanted["all"]
    if len(wanted) > 1 or not isinstance(each, list | tuple) or not 0 < len(each) <= CONDITIONS_AT_MOST:
        raise ValueError(f"all: must be a list of 1 to {CONDITIONS_AT_MOST} conditions, and nothing beside it")
    for one in each:
        yield condition_of(column, kind, one)


def condition_of(column: str, kind: ColumnKind, wanted: Any) -> Condition:
    """Read what a column must be. Raises ValueError for a value that such a column cannot have."""
    if isinstance(wanted, Mapping):
        if not wanted or set(wanted) - {"from", "to", "not"} or ("not" in wanted and len(wanted) > 1):
            raise ValueError("must be a value, a list of values, `not` with such, or `from` and `to`")
        if "not" in wanted:
            return Condition(column, none_of=_values(kind, wanted["not"]))
        bounds = {name: _value(kind, value) for name, value in wanted.items()}
        return Condition(column, least=bounds.get("from"), most=bounds.get("to"))
    return Condition(column, one_of=_values(kind, wanted))


def _values(kind: ColumnKind, given: Any) -> tuple[Any, ...]:
    values = tuple(given) if isinstance(given, list | tuple) else (given,)
    if not 0 < len(values) <= VALUES_AT_MOST:
        raise ValueError(f"must have 1 to {VALUES_AT_MOST} values")
    return tuple(_value(kind, value) for value in values)


def _value(kind: ColumnKind, given: Any) -> Any:
    if kind in {ColumnKind.DAY, ColumnKind.MONTH}:
        return _day(given)
    if kind in {ColumnKind.MONEY, ColumnKind.NUMBER}:
        return _whole(given)
    if not isinstance(given, str):
        raise ValueError(f"{given!r} is no text")  # noqa: TRY004  # what a document says, not a programming error
    # Half of a pair of UTF-16 is no character: JSON can write one, and no database takes it.
    if not is_printable(given):
        raise ValueError(f"{given!r} {NOT_PRINTABLE}")
    return given


def _day(given: Any) -> date:
    # A moment of TOML is a day too, with a time that no column of days has.
    is_day = isinstance(given, date) and not isinstance(given, datetime)
    day: date = given if is_day else date.fromisoformat(str(given))
    if day.year not in YEARS:
        raise ValueError(f"{given!s} is not within {YEARS_MEANING}")
    return day


def _whole(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise ValueError(f"{given!r} is no whole number (amounts are in minor units)")  # noqa: TRY004  # what a document says
    number = int(given)
    if abs(number) > MOST:
        raise ValueError(f"{given!r} is more than any amount")
    return number


def _period(reader: _Reader) -> str | DaySpan:
    given = reader.document.get("period", "this_month")
    if isinstance(given, str) and given in RELATIVE:
        return given
    if isinstance(given, Mapping) and set(given) == {"from", "to"}:
        try:
            span = DaySpan(_value(ColumnKind.DAY, given["from"]), _value(ColumnKind.DAY, given["to"]))
        except ValueError as error:
            reader.wrong("period", "value_fits", str(error))
            return "this_month"
        if not {span.first.year, span.last.year} <= set(YEARS):
            reader.wrong("period", "day_in_years", f"must be within {YEARS_MEANING}")
            return "this_month"
        if span.first <= span.last:
            return span
    reader.wrong(
        "period", "period_known", f"must be one of {', '.join(RELATIVE)}, or have `from` and `to` in this order"
    )
    return "this_month"


def _filter_document(conditions: Sequence[Condition]) -> Any:
    """Return the conditions of a column: as one, or all of several."""
    each = [_condition_document(one) for one in conditions]
    return each[0] if len(each) == 1 else {"all": each}


def _condition_document(one: Condition) -> Any:
    if one.one_of:
        return list(one.one_of)
    if one.none_of:
        return {"not": list(one.none_of)}
    return {name: value for name, value in (("from", one.least), ("to", one.most)) if value is not None}
