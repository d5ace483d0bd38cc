"""Running a report: to the terminal, to standard output, or to a file."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

from activities.reports.files import output_as
from activities.reports.running import ReportOutput, run_report
from activities.reports.text_files import CsvReport, JsonReport, tie_lines
from commands.output import ExitCode, Output, console_on, table
from commands.reports.showing import definition_by
from commands.session import read_settings, reading_database_of
from models.problem import refusal
from models.reports.definition import ReportDefinition, condition_of
from models.reports.delivery import ReportFormat
from models.reports.result import ReportColumn, ReportFoot, ReportHead, Row, as_text

# A terminal shows no more; all rows are in every other output.
ROWS_AT_MOST = 500


@dataclass(frozen=True)
class ReportOrder:
    """What a person asks for: a report or a file with one, days, filters, and where to write it."""

    report: str
    file: Path | None
    first: date | None
    last: date | None
    filters: Sequence[str]
    target: Path | None


class TableReport:
    """A report as tables for people, up to so many rows."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._columns: Sequence[ReportColumn] = ()
        self._head: ReportHead | None = None
        self._rows: list[list[str]] = []

    def begin(self, head: ReportHead) -> None:
        """Keep the head."""
        self._head, self._columns = head, head.columns

    def rows(self, rows: Sequence[Row]) -> None:
        """Keep rows as long as they are shown."""
        room = ROWS_AT_MOST - len(self._rows)
        self._rows += [[as_text(one, row) for one in self._columns] for row in rows[: max(room, 0)]]

    def end(self, foot: ReportFoot) -> None:
        """Show the tables."""
        if self._head is None:
            return
        right = [one.title for one in self._columns if one.is_right]
        titles = [one.title for one in self._columns]
        totals = [[as_text(one, row) if one.name in row else "" for one in self._columns] for row in foot.totals]
        if foot.rows > len(self._rows):
            self._output.note(f"The first {len(self._rows)} of {foot.rows} rows: --csv or --output has them all.")
        console = console_on(sys.stdout)
        for line in (self._head.definition.title, *self._head.lines):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
        self._output.answer(
            {},
            table("", *titles, rows=self._rows, right=right),
            *([table("Total", *titles, rows=totals, right=right)] if foot.rows > 1 else []),
            *tie_lines(foot),
        )


async def run(output: Output, order: ReportOrder) -> None:
    """Run a report. Raises RefusedError for what is wrong with the order, before anything is read."""
    at = datetime.now(UTC)
    known = definition_by(order.report, order.file)
    definition = narrowed(known, order.first, order.last, order.filters, at.date())
    with _target(output, order.target) as target:
        async with reading_database_of(read_settings()) as database:
            foot = await run_report(database, definition, target, today=at.date(), at=at)
    if order.target is not None:
        document = {"file": str(order.target), "rows": foot.rows, "ties": [one.as_document() for one in foot.ties]}
        output.answer(document, f"Wrote {foot.rows} rows to {order.target}.", *tie_lines(foot))
    if not foot.is_good:
        output.exit_code = ExitCode.REFUSED


def narrowed(
    definition: ReportDefinition, first: date | None, last: date | None, filters: Sequence[str], today: date
) -> ReportDefinition:
    """Return a definition over other days and with more filters, each `column=value` or `column=value,value`.

    Raises RefusedError for a wrong order of days, a column that its source does not have, or a value that cannot be.
    """
    definition = definition.over(first, last, today)
    conditions = list(definition.filters)
    for given in filters:
        column, _, values = given.partition("=")
        kind = definition.source.columns.get(column)
        if kind is None or not values:
            known = ", ".join(definition.source.columns)
            raise refusal("filter", "filter_known", f"{given!r}: must be a column and its values; there are {known}")
        try:
            conditions.append(condition_of(column, kind, values.split(",")))
        except ValueError as error:
            raise refusal("filter", "value_fits", f"{column}: {error}") from error
    return replace(definition, filters=tuple(conditions))


@contextmanager
def _target(output: Output, path: Path | None) -> Iterator[ReportOutput]:
    """Yield what a report is written to. A file is there when the report is whole, and not before."""
    if path is None:
        if output.as_json:
            yield JsonReport(sys.stdout)
        else:
            yield CsvReport(sys.stdout) if output.as_csv else TableReport(output)
        return
    known = {f".{one}": one for one in ReportFormat}
    if path.suffix not in known or output.as_csv:
        raise refusal("output", "file_ending_known", f"must end in one of {', '.join(known)}; --csv goes without it")
    content = BytesIO()
    yield output_as(known[path.suffix], content)
    try:
        path.write_bytes(content.getvalue())
    except OSError as error:
        raise refusal("output", "file_writable", f"{path}: {error.strerror}") from error
