"""The tables of docs/reports.md, made from the reports. As a program, writes them into the document."""

import re
import sys

from models.reports.builtin import BUILT_IN
from models.reports.columns import DISTINCT, ROWS
from models.reports.definition import ReportDefinition
from models.reports.source import Source, Tie
from models.reports.sources import SOURCES
from tests.house.source import ROOT

DOCUMENT = ROOT / "docs" / "reports.md"
_TABLES = re.compile(r"(<!-- reports -->\n).*(<!-- /reports -->)", re.DOTALL)


def with_tables(text: str) -> str:
    """Return the document with its tables as they must be."""
    tables = f"{_reports()}\n{''.join(map(_source, SOURCES.values()))}"
    return _TABLES.sub(lambda found: f"{found[1]}{tables}{found[2]}", text)


def _reports() -> str:
    rows = "".join(map(_report, BUILT_IN.values()))
    return f"## The reports\n\n| Report | What it shows | Source | Columns | Period |\n|---|---|---|---|---|\n{rows}"


def _report(one: ReportDefinition) -> str:
    shown = _names(one.columns or (*one.keys, *one.measures))
    only = f" Only where {' and '.join(map(str, one.filters))}." if one.filters else ""
    about = f" {one.about}" if one.about else ""
    return f"| `{one.id}` | {one.title}.{about}{only} | `{one.source.name}` | {shown} | {_period(one)} |\n"


def _period(one: ReportDefinition) -> str:
    return f"`{one.period}`" + (", compared" if one.compare else "")


def _source(one: Source) -> str:
    rows = "".join(
        f"| `{name}` | {_sums(measure.of)}{f', by {_sums(measure.over)}' if measure.over else ''} |\n"
        for name, measure in one.measures.items()
    )
    ties = "; ".join(map(_tie, one.ties)) or "nothing of the ledger"
    return (
        f"## `{one.name}`: {one.about}\n\nColumns: {_names(tuple(one.columns))}.\n\nTies to: {ties}.\n\n"
        f"| Measure | Is |\n|---|---|\n{rows}\n"
    )


def _tie(one: Tie) -> str:
    if not one.kinds:
        return f"`{one.measure}` is 0 in every currency"
    moved = f" by {_names(one.moved_by)}" if one.moved_by else ""
    return f"`{one.measure}` is {'' if one.sign > 0 else 'less '}the movement of {_names(one.kinds)}{moved}"


def _sums(names: tuple[str, ...]) -> str:
    return " ".join(f"less {_one(name[1:])}" if name.startswith("-") else _one(name) for name in names)


def _one(name: str) -> str:
    if name == ROWS:
        return "how many"
    return f"different `{name.removeprefix(DISTINCT)}`" if name.startswith(DISTINCT) else f"`{name}`"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"wrote {DOCUMENT.name}\n")
