"""Pages of reports: the list of them, one with its filters, chart, table and totals, and the same as a file."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from activities.database import DatabaseUnavailableError
from activities.reports.files import output_as
from activities.reports.running import ReportOutput, run_report
from activities.reports.text_files import tie_lines
from models.console.roles import Permission
from models.problem import RefusedError
from models.reports.builtin import BUILT_IN
from models.reports.columns import ColumnKind
from models.reports.definition import ReportDefinition
from models.reports.delivery import ReportFormat
from models.reports.result import ReportColumn, ReportFoot, ReportHead, Row, as_text
from web.context import Visit
from web.reports.asked import OWN, AskedReport, asked_report, shown_document
from web.reports.chart_plans import choices_of, named_charts
from web.reports.charts import charts_of
from web.views.cells import Cell, Column, grouped, link, table_of, text

# A page shows no more; all rows are in every file.
ROWS_AT_MOST = 500
# Whoever looks at a page waits no longer for it: a report that takes more is one for the command line.
PAGE_SECONDS = 20.0
_CHUNK, _IN_MEMORY = 64 * 1024, 4 * 1024 * 1024
ENDINGS = tuple(str(one) for one in ReportFormat)
_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
# What a report is called in the manual of old, and the numbers of our own requirements.
_REQUIREMENTS = re.compile(r"^(Report|Dashboard) [^.]*\. ?| \(([A-Z]\d+)(, [A-Z]\d+)*\)|`")
_LINKED: Mapping[str, str] = {"account_id": "accounts", "run_id": "runs"}


@dataclass
class PageReport:
    """A report as a page shows it: the first rows, all groups for its charts, and what all of them come to."""

    head: ReportHead | None = None
    found: list[Row] = field(default_factory=list)
    groups: Sequence[Row] = ()
    foot: ReportFoot | None = None

    def begin(self, head: ReportHead) -> None:
        """Keep the head."""
        self.head = head

    def rows(self, rows: Sequence[Row]) -> None:
        """Keep rows as long as they are shown."""
        self.found += rows[: max(ROWS_AT_MOST - len(self.found), 0)]
        if self.head is not None and (not self.head.definition.is_list or named_charts(self.head.definition)):
            # Groups come in one piece, which is in memory whatever is shown of it, and so does a list with a chart.
            self.groups = rows

    def end(self, foot: ReportFoot) -> None:
        """Keep the foot."""
        self.foot = foot


@dataclass
class LaterFoot:
    """Leaves the end of a file to whoever writes it in a thread: a PDF is set there, a workbook closed."""

    output: ReportOutput
    begin: Callable[[ReportHead], None] = field(init=False)
    rows: Callable[[Sequence[Row]], None] = field(init=False)

    def __post_init__(self) -> None:
        """Pass on what is quick."""
        self.begin, self.rows = self.output.begin, self.output.rows

    def end(self, foot: ReportFoot) -> None:
        """Wait for the thread."""


async def show_reports(visit: Visit) -> Response:
    """List the reports."""
    columns = (
        Column("Report", lambda one: Cell(one.title, f"/reports/{one.id}")),
        Column("Days", lambda one: text(str(one.as_document()["period"]).replace("_", " "))),
        Column("Of", lambda one: text(one.source.about.replace("`", ""))),
        Column("Id", lambda one: Cell(one.id, is_id=True)),
    )
    table = table_of("", columns, BUILT_IN.values())
    return visit.page("reports/list.html", title="Reports", table=table)


async def show_report(visit: Visit) -> Response:
    """Show a report: its days and filters, a chart, the first rows, totals, and what they tie to."""
    at = datetime.now(UTC)
    asked = asked_report(visit.request.path_params["id"], visit.request.query_params, at.date())
    shown, problems = PageReport(), list(asked.problems)
    if asked.definition is not None:
        try:
            async with visit.web.reports.of(visit.user.id):
                await run_report(
                    visit.web.reading,
                    asked.definition,
                    shown,
                    today=at.date(),
                    at=at,
                    timeout_seconds=PAGE_SECONDS,
                )
        except DatabaseUnavailableError:
            problems.append("It takes too long for a page: choose fewer days, or run it on the command line.")
    known = asked.known
    return visit.page(
        "reports/report.html",
        422 if asked.problems else 200,
        title=known.title if known else "A report of your own",
        about=_REQUIREMENTS.sub("", known.about) if known else "",
        asked=asked,
        is_own=asked.place == OWN,
        document=shown_document(asked),
        problems=problems,
        columns=known.source.columns if known else {},
        choices=choices_of(known) if known else {},
        endings=ENDINGS if visit.user.may(Permission.EXPORT) else (),
        **_answer(shown, asked),
    )


def _answer(shown: PageReport, asked: AskedReport) -> dict[str, Any]:
    head, foot = shown.head, shown.foot
    if head is None or foot is None:
        return {"answer": None}
    columns = tuple(Column(one.title, _cell(one), one.is_right) for one in head.columns)
    totals = [[_cell(one)(row).text if one.name in row else "" for one in head.columns] for row in foot.totals]
    return {
        "answer": {
            "about": "; ".join(head.lines)[:1].upper() + "; ".join(head.lines)[1:].replace("`", ""),
            "days": head.days,
            "charts": charts_of(head, shown.groups, foot.totals, asked.figure),
            "table": table_of("", columns, shown.found, empty="Nothing in these days, or with these filters."),
            "totals": totals,
            "rows": foot.rows,
            "left_out": foot.rows - len(shown.found),
            "ties": tie_lines(foot),
            "is_good": foot.is_good,
        }
    }


def _cell(column: ReportColumn) -> Callable[[Any], Cell]:
    noun = _LINKED.get(column.name)
    if noun:
        return lambda row: link(noun, row.get(column.name))
    if column.kind is ColumnKind.MONEY:
        return lambda row: Cell(_amount(column, row))
    return lambda row: Cell(as_text(column, row))


def _amount(column: ReportColumn, row: Row) -> str:
    plain = as_text(column, row)
    return grouped(plain) if row.get(column.name) is not None else plain


async def export_report(visit: Visit) -> Response:
    """Answer with a report as a file: the same rows as the command writes, all of them."""
    place, ending = visit.request.path_params["id"], visit.request.path_params["ending"]
    at = datetime.now(UTC)
    asked = asked_report(place, visit.request.query_params, at.date())
    if ending not in ENDINGS:
        raise HTTPException(404, f"A report is written as {', '.join(ENDINGS)}.")
    if asked.definition is None:
        raise HTTPException(422, "; ".join(asked.problems) or "Give a definition.")
    visit.require_export()
    async with visit.web.exports.of(visit.user.id):
        try:
            file = await _written(visit, asked.definition, ending, at)
        except RefusedError as refused:
            raise HTTPException(422, "; ".join(one.message for one in refused.problems)) from refused
    headers = {"content-disposition": f'attachment; filename="{asked.definition.id}.{ending}"'}
    return StreamingResponse(_chunks(file), media_type=_TYPES[ending], headers=headers)


async def _written(
    visit: Visit, definition: ReportDefinition, ending: str, at: datetime
) -> "SpooledTemporaryFile[bytes]":
    file = SpooledTemporaryFile[bytes](max_size=_IN_MEMORY)
    writer = output_as(ReportFormat(ending), file)
    foot = await run_report(visit.web.reading, definition, LaterFoot(writer), today=at.date(), at=at)
    await run_in_threadpool(writer.end, foot)
    file.seek(0)
    return file


def _chunks(file: "SpooledTemporaryFile[bytes]") -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
