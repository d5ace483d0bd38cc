"""The months of a small company, as `demo --months` lives through them: real books, on the days they are of."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from activities.database import Database, create_engine
from models.period import Period
from sandbox.demo.demo import Demo, DemoOptions, running_demo
from sandbox.demo.display import DemoDisplay
from sandbox.past.lives import Incident, incidents_of, lives_of
from sandbox.past.past import periods_until
from tests.support.command_line import CommandLine

COMPANY = DemoOptions(accounts=12, months=3, as_json=True)
TWO_YEARS = DemoOptions(accounts=60, months=24, as_json=True)

# Months are lived through one after the other.
pytestmark = pytest.mark.timeout(1200)

LISTS = (
    ("runs", "list"),
    ("transactions", "list"),
    ("refunds", "list"),
    ("disputes", "list"),
    ("collections", "list"),
    ("cards", "list"),
)


@pytest.fixture(scope="module")
async def company() -> AsyncIterator[Demo]:
    """A company of three months, its stack still running."""
    async with running_demo(COMPANY, DemoDisplay(as_json=True)) as demo:
        yield demo


@pytest.fixture(scope="module")
async def books(company: Demo) -> AsyncIterator[Database]:
    """Its books."""
    database = Database(create_engine(company.stack.settings.database_url, pool=1), timeout_seconds=30)
    yield database
    await database.dispose()


def _months(options: DemoOptions) -> list[Period]:
    return periods_until(Period.at(datetime.now(UTC), "UTC"), options.months)


def test_the_same_seed_gives_the_same_company() -> None:
    assert lives_of(40, 3, _months(TWO_YEARS)) == lives_of(40, 3, _months(TWO_YEARS))


def test_in_two_years_some_join_and_some_leave() -> None:
    lives = lives_of(TWO_YEARS.accounts, TWO_YEARS.seed, _months(TWO_YEARS))

    assert {life.joins == 0 for life in lives} == {True, False}
    assert {life.leaves is None for life in lives} == {True, False}


def test_everything_that_can_happen_to_an_account_happens_in_two_years() -> None:
    lives = lives_of(TWO_YEARS.accounts, TWO_YEARS.seed, _months(TWO_YEARS))
    happened = {
        incident
        for month in range(TWO_YEARS.months - 1)
        for incident in incidents_of(
            month, [life.account.id for life in lives if life.is_there(month) and life.account.cards], TWO_YEARS.seed
        ).values()
    }

    assert happened == set(Incident)


def test_the_last_of_the_months_is_the_present() -> None:
    present = Period.parse("2026-02")

    assert [str(period) for period in periods_until(present, 3)] == ["2025-12", "2026-01", "2026-02"]
    assert periods_until(present, 1) == [present]


@pytest.mark.nightly
def test_the_books_of_all_months_are_the_gateways(company: Demo) -> None:
    report = company.report

    assert not report.is_broken
    assert report.ledger_minor == report.gateway_minor


@pytest.mark.nightly
async def test_every_month_has_its_two_certificates_and_agrees_with_the_gateway(company: Demo, books: Database) -> None:
    runs = await books.rows("select kind, period from duly.process_runs where state = 'completed' order by 1, 2")
    months = [str(period) for period in _months(COMPANY)]
    discrepancies = await books.rows("select count(*) from duly.discrepancies where state = 'open'")

    assert [tuple(row) for row in runs] == [(kind, month) for kind in ("billing", "payment") for month in months]
    assert discrepancies[0][0] == 0


@pytest.mark.nightly
async def test_what_was_charged_for_a_month_was_charged_in_it(company: Demo, books: Database) -> None:
    rows = await books.rows(
        "select r.period, a.sent_at, t.posted_at from duly.gateway_requests r"
        " join duly.gateway_attempts a on a.request_id = r.id join duly.financial_transactions t on t.id = a.payment_id"
        " where r.kind = 'payment' and a.outcome = 'succeeded' and t.posted_at is not null"
    )
    outside = [row for row in rows if not row.period.startswith(f"{row.posted_at.astimezone(UTC):%Y-%m}")]

    assert rows
    assert outside == []
    assert all(abs(row.posted_at - row.sent_at) < timedelta(minutes=5) for row in rows)


@pytest.mark.nightly
def test_the_summary_has_a_line_for_each_month(company: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    DemoDisplay(as_json=False).summary(company.report)

    shown = capsys.readouterr().out
    assert "Money of all months" in shown
    assert [f"│ {period} │" in shown for period in _months(COMPANY)] == [True] * COMPANY.months


@pytest.mark.nightly
@pytest.mark.parametrize("words", LISTS, ids=" ".join)
async def test_every_list_has_something_to_show(company: Demo, words: tuple[str, str]) -> None:
    shown = await CommandLine(company.stack.environment).json(*words)

    assert any(isinstance(value, list) and value for value in shown.values()), json.dumps(shown)[:200]


@pytest.mark.nightly
async def test_two_years_of_sixty_accounts_agree_with_the_gateway_to_the_minor_unit() -> None:
    async with running_demo(TWO_YEARS, DemoDisplay(as_json=True)) as demo:
        assert not demo.report.is_broken
        assert len(demo.report.months) == TWO_YEARS.months
        assert sum(month.given_up for month in demo.report.months) > 0
        assert sum(month.recovered for month in demo.report.months) > 0
