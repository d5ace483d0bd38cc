"""Every report over one small ledger: its figures are those that were worked out by hand, however it is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pytest

from activities.database import Database
from activities.reports.snapshots import MrrSnapshots
from commands.output import Output
from commands.reports.running import TableReport
from models.reports.builtin import BUILT_IN
from models.reports.delivery import ReportFormat
from models.reports.result import as_text
from tests.ledger.books import Books
from tests.reports.by_hand.ledger import LAST
from tests.reports.by_hand.written import DASH, READERS, read_pdf, without_spaces, written_as
from tests.reports.conftest import KeptReport, Reports

# Its rows are every transfer of the ledger: what they come to is what the trial balance has.
LISTS_TRANSFERS = "ledger"
# Of a bank's files: tests/bank/debits/test_debit_histories.py compares them with an oracle.
OF_FILES = frozenset({"debits", "debits-refused"})


@dataclass(frozen=True)
class Figures:
    """What a report must say in some of its columns."""

    first: date
    columns: list[str]
    rows: list[tuple[str, ...]]


def worked_out() -> Mapping[str, Figures]:
    """Read the figures that were worked out by hand, by report."""
    lines = (Path(__file__).parent / "figures.txt").read_text(encoding="utf-8").splitlines()
    known = "\n".join(line for line in lines if not line.startswith("#"))
    found = {}
    for block in known.split("== ")[1:]:
        name, columns, *rows = (line for line in block.splitlines() if line.strip())
        id, _, only = name.partition(" ")
        cells = [tuple(cell.strip() for cell in row.split("|")) for row in rows]
        found[id] = Figures(date(2025, 11 if only else 10, 1), [one.strip() for one in columns.split("|")], cells)
    return MappingProxyType(found)


FIGURES = worked_out()


async def run_all(reports: Reports, database: Database) -> dict[str, KeptReport]:
    """Run every report, each of which must tie to the ledger."""
    await MrrSnapshots(database).update(date(2025, 12, 1), since=None, actor="maria", reason="month end")
    return {id: await reports.run(id, figures.first, LAST) for id, figures in FIGURES.items()}


def test_every_report_has_figures() -> None:
    assert set(FIGURES) == set(BUILT_IN) - {LISTS_TRANSFERS} - OF_FILES


async def test_every_report_says_what_was_worked_out_by_hand_in_every_text_and_sheet(
    small_ledger: Books,
    reports: Reports,
    database: Database,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    found = await run_all(reports, database)

    differing = {}
    for id, report in found.items():
        shown = report.texts(*FIGURES[id].columns)
        if shown != FIGURES[id].rows:
            differing[id] = [row for row in shown if row not in FIGURES[id].rows]
    assert differing == {}
    for id, report in found.items():
        cells = all_cells(report)
        for format, read in READERS.items():
            read_back = [list(row) for row in read(written_as(report, format))]
            wanted = (
                [[cell.replace(DASH, "") for cell in row] for row in cells] if format is ReportFormat.XLSX else cells
            )
            assert read_back == wanted, (id, format)
        assert without_spaces("".join(map("".join, cells))) in table_of(report, capsys), id


async def test_a_ledger_extract_comes_to_the_trial_balance(small_ledger: Books, reports: Reports) -> None:
    extract = await reports.run(LISTS_TRANSFERS, date(2025, 10, 1), LAST)
    balance = await reports.run("trial-balance", last=LAST)

    # Two sides of each transfer: 46 in EUR, 6 in JPY, 3 in KWD.
    assert {code: row["rows"] for code, row in extract.totals.items()} == {"EUR": 92, "JPY": 12, "KWD": 6}
    for code, row in balance.totals.items():
        assert extract.totals[code]["debit_minor"] == extract.totals[code]["credit_minor"] == row["debit"]


@pytest.mark.nightly
async def test_every_report_is_on_paper_as_it_is_elsewhere(
    small_ledger: Books, reports: Reports, database: Database
) -> None:
    for id, report in (await run_all(reports, database)).items():
        text = read_pdf(written_as(report, ReportFormat.PDF))

        assert [row for row in all_cells(report) if without_spaces("".join(row)) not in text] == [], id


def all_cells(report: KeptReport) -> list[list[str]]:
    """Return all rows as people read them."""
    assert report.head is not None
    return [[as_text(one, row) for one in report.head.columns] for row in report.found]


def table_of(report: KeptReport, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the command shows, without the spaces and the lines of its table."""
    assert report.head is not None
    assert report.foot is not None
    capsys.readouterr()
    table = TableReport(Output(as_json=False))
    table.begin(report.head)
    table.rows(report.found)
    table.end(report.foot)
    return without_spaces(capsys.readouterr().out)
