"""A ledger to report on, kept by its own functions, and reports over it as the command runs them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from activities.database import Database
from activities.reports.running import run_report
from models.reports.builtin import built_in
from models.reports.definition import ReportDefinition, definition_of
from models.reports.result import ReportFoot, ReportHead, Row, as_text
from tests.ledger.books import Books
from tests.ledger.conftest import GRANTS, owner
from tests.ledger.histories.history_base import CURRENCIES
from tests.ledger.histories.ledger_history import LedgerHistory
from tests.ledger.histories.test_histories import Seeded

__all__ = ["owner"]

AT = datetime(2025, 11, 30, 12, 0, tzinfo=UTC)


class BooksOfAnyDay(Books):
    """The ledger to who may post on days that have not come: what is told here is told of fixed days."""

    def run(self, statement: str, *arguments: Any) -> list[Any]:
        with self.connection.transaction():
            super().run("select duly.permit_any_day('storyteller', 'the days of the story are fixed')")
            return super().run(statement, *arguments)


@pytest.fixture
def books(owner: Books, database_url: str) -> Iterator[Books]:
    """The ledger under the runtime role. Whatever a test does, no invariant may be broken at its end."""
    owner.run("select duly.set_any_day_right('storyteller', true, 'ada', 'tells of fixed days')")
    books = BooksOfAnyDay(database_url)
    yield books
    assert books.violations() == []
    books.close()


def make_history(books: Books, owner: Books, seed: int, currency: str, steps: int = 60) -> None:
    """Do whatever may be done to a ledger, in an order that the seed chooses."""
    owner.run(GRANTS)
    history = LedgerHistory(books, owner, Seeded(seed), CURRENCIES.index(currency))
    for _ in range(steps):
        history.step()
    history.finish()


@dataclass
class KeptReport:
    """What a report says, as a test reads it."""

    head: ReportHead | None = None
    found: list[Row] = field(default_factory=list)
    foot: ReportFoot | None = None

    def begin(self, head: ReportHead) -> None:
        self.head = head

    def rows(self, rows: Sequence[Row]) -> None:
        self.found += rows

    def end(self, foot: ReportFoot) -> None:
        self.foot = foot

    def texts(self, *names: str) -> list[tuple[str, ...]]:
        """Return some columns of the rows, as people read them."""
        assert self.head is not None
        columns = {one.name: one for one in self.head.columns}
        return [tuple(as_text(columns[name], row) for name in names) for row in self.found]

    @property
    def totals(self) -> dict[str, Row]:
        """Return the totals by currency."""
        assert self.foot is not None
        return {row["currency"]: row for row in self.foot.totals}


@dataclass
class Reports:
    """Runs reports as they are on 30 November 2025."""

    database: Database

    async def run(
        self, report: str | ReportDefinition, first: date | None = None, last: date | None = None
    ) -> KeptReport:
        """Run a report, and see that it ties to the ledger."""
        definition = built_in(report) if isinstance(report, str) else report
        kept = KeptReport()
        foot = await run_report(self.database, definition.over(first, last, AT.date()), kept, today=AT.date(), at=AT)
        assert [one for one in foot.ties if not one.holds] == []
        return kept

    async def own(self, **document: Any) -> KeptReport:
        """Run a report of one's own."""
        return await self.run(definition_of({"id": "own", "title": "Own", **document}))


@pytest.fixture
def reports(database: Database) -> Reports:
    """Reports over the ledger of the test."""
    return Reports(database)
