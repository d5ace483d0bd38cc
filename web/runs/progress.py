"""How far a run has come, as a part of its page that is asked for again until the run is over."""

from asyncio import Lock
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.database import Database, DatabaseUnavailableError
from activities.runs.queries import RunQueries
from commands.lists.next_actions import NextAction, next_actions
from commands.runs.show import require_run
from models.operations.record_states import RUN, RUN_MEMBER
from models.runs.process_run import RunKind, RunState
from models.runs.run_figures import RunFigures, RunMeasure
from web.context import Visit
from web.views.cells import Cell, Column, Table, address, listed, money, state, table_of, text

# A page asks every so many seconds (`every 5s` in its template); all pages of a process share what is read for one.
READ_EVERY = timedelta(seconds=4)
# To count a run is to read all its members. However many they are, it takes at most this part of the time.
READING_SHARE = 10
# The stages in which it does not go on by itself: at its rate it would never be over.
_WAITING = frozenset({"paused", "held"})
_QUARTER = 25


@dataclass(frozen=True)
class Followed:
    """A run whose page follows it: of which kind, how its totals are read and shown, and what its money is called."""

    id: str
    noun: str
    is_running: bool
    started_at: datetime
    read: Callable[[Database], Awaitable[Sequence[Row[Any]]]]
    table: Callable[[Sequence[Row[Any]]], Table]
    settled: str = "Settled"
    has_amount: bool = True

    @property
    def now(self) -> str:
        """The address of the part that says where it stands."""
        return address(f"{self.noun}-now", self.id)


@dataclass
class KeptProgress:
    """What was read last of a run that goes on, and when it is read again."""

    measure: RunMeasure
    lock: Lock = field(default_factory=Lock)
    next_at: datetime | None = None
    at: datetime | None = None
    totals: Sequence[Row[Any]] = ()
    figures: RunFigures | None = None
    action: NextAction | None = None
    is_temporal_away: bool = False


async def run_now(visit: Visit) -> Response:
    """Say how far a run has come and where it stands. Raises RefusedError: there is no such run."""
    run = await require_run(RunQueries(visit.web.reading), visit.request.path_params["id"])
    is_billing = run.kind == RunKind.BILLING
    of = Followed(
        *(run.id, "runs", run.state == RunState.RUNNING, run.started_at),
        read=lambda database: RunQueries(database).totals(run.id),
        table=lambda totals: totals_table(run, totals),
        settled="Billed" if is_billing else "Settled",
        has_amount=not is_billing,
    )
    return await show_progress(visit, of)


async def show_progress(visit: Visit, of: Followed) -> Response:
    """Say how far a run has come and where it stands, or that it is over."""
    run = address(of.noun, of.id)
    if not of.is_running:
        visit.web.progress.pop(of.id, None)
        return visit.page("runs/progress.html", milestone="The run is over.", href="", run=run)
    kept = visit.web.progress.setdefault(of.id, KeptProgress(RunMeasure(of.started_at)))
    async with kept.lock:
        if kept.next_at is None or datetime.now(UTC) >= kept.next_at:
            await _read(visit, of, kept)
    stage = RUN.word(RunState.RUNNING, kept.action.stage if kept.action else "")
    done = kept.figures
    return visit.page(
        "runs/progress.html",
        sentence=_sentence(kept, stage),
        milestone=_milestone(done, stage),
        href=of.now,
        run=run,
        done=done,
        figures=_figures(of, done, stage) if done else (),
        totals=of.table(kept.totals) if done else None,
        kept=kept,
    )


async def _read(visit: Visit, of: Followed, kept: KeptProgress) -> None:
    began = datetime.now(UTC)
    # While the database is away, what was read before is shown with its moment.
    with suppress(DatabaseUnavailableError):
        kept.totals = await of.read(visit.web.reading)
        kept.at = began
        kept.figures = kept.measure.take(kept.totals, began)
    took = datetime.now(UTC) - began
    actions = await next_actions(visit.web.settings, [of.id])
    kept.is_temporal_away = actions is None
    kept.action = (actions or {}).get(of.id)
    kept.next_at = began + max(READ_EVERY, READING_SHARE * took)


def _sentence(kept: KeptProgress, stage: str) -> str:
    if kept.is_temporal_away:
        return "Temporal does not answer: where it stands is not known. The figures are the database's."
    action = kept.action
    review = f" It needs a person: {action.review_reason}." if action and action.needs_review else ""
    return f"It stands at {stage.replace('_', ' ')}.{review}"


def _milestone(done: RunFigures | None, stage: str) -> str:
    """Return what is announced to who does not see the page: it changes with the stage and with each quarter."""
    part = f"{done.percent // _QUARTER * _QUARTER} percent of its members are done." if done and done.members else ""
    return f"The run stands at {stage.replace('_', ' ')}. {part}".strip()


def _figures(of: Followed, done: RunFigures, stage: str) -> list[tuple[str, str]]:
    settled = [
        (
            of.settled,
            money(one.settled_minor, one.currency).text
            + (f" of {money(one.amount_minor, one.currency).text}" if of.has_amount else ""),
        )
        for one in done.money
    ]
    remaining = f"not while {stage}" if stage in _WAITING else done.remaining
    return [
        ("Done", f"{done.done:,} of {done.members:,}"),
        *settled,
        ("Rate", f"{done.rate:,} a minute"),
        ("Remaining", remaining if done.to_do else "nothing to ask for any more"),
    ]


def totals_table(run: Row[Any], totals: Sequence[Row[Any]]) -> Table:
    """Make the table of a run's totals: each number leads to its members. Net and tax are of billing, at its end."""
    is_billed = run.kind == RunKind.BILLING and run.state != RunState.RUNNING
    amounts = (
        (
            Column("Net", lambda row: money(row.net_minor, row.currency), is_money=True),
            Column("Tax", lambda row: money(row.tax_minor, row.currency), is_money=True),
            Column("Total", lambda row: money(row.total_minor, row.currency), is_money=True),
        )
        if is_billed
        else (
            Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
            Column("Settled", lambda row: money(row.settled_minor, row.currency), is_money=True),
        )
    )
    columns = (
        Column("Outcome", lambda row: state(RUN_MEMBER.word(row.outcome))),
        Column("Why", lambda row: text(row.reason)),
        Column(
            "Members",
            lambda row: Cell(f"{row.members:,}", listed("members", run=run.id, outcome=row.outcome or "")),
            is_number=True,
        ),
        *amounts,
    )
    more = listed("members", run=run.id)
    return table_of("What its members came to", columns, totals, empty="Nobody is in it yet.", more=more)
