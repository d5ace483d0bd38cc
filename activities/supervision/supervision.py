"""Comparing what is open in the database with the workflows Temporal has, and resuming what has none from its row.

Visibility narrows what is looked at and never decides: what it does not list as running is asked for by itself, and
what is to be resumed is started under its natural id, where Temporal allows one at a time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select
from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from activities.collections.stopped_pages import signal_stopped_pages
from activities.database import Database, one_of
from activities.events.delivery import WorkflowStart
from activities.supervision.running import running_among
from activities.supervision.stops import RPC_TIMEOUT, Stop, stop_of
from models.supervision.supervision import (
    BY_A_PERSON,
    SHOWN_MAX,
    KindRequest,
    NextStep,
    ObjectKind,
    OpenObject,
    StoppedWorkflow,
    Supervised,
    SupervisionRequest,
)
from models.tables.operations import WorkflowStopRow
from models.workflow_ids import WORKFLOW_QUEUE

# Rows of one read, of one question to visibility and of one note; and calls of Temporal on their way at once.
PAGE = 1000
CONCURRENT = 16

# Younger rows are left to whoever wrote them, and what a person has just ended is left in peace for a while.
YOUNG = timedelta(minutes=15)
LEFT_ALONE = timedelta(hours=1)

_STEPS = "select * from duly.next_steps_after(:stops, make_interval(secs => :seconds))"
_NOTED_STEPS = "select * from duly.note_stops(:stops, make_interval(secs => :seconds))"

# By this a dispute is refused that has no row, which another reading would meet again: reconciliation lists it.
_CURRENCY_IS_KEPT = "currency_is_kept"

_RUNS = frozenset({ObjectKind.RUN, ObjectKind.REFUND_RUN})


@dataclass(frozen=True)
class Resumable:
    """The workflow of an open object, and how it goes on from the object's row.

    What is part of another workflow has no start of its own: the whole is terminated, and started again from its rows.
    """

    workflow_id: str
    start: WorkflowStart
    part_of: str = ""


@dataclass(frozen=True)
class Progress:
    """Where a supervision is: what an activity that was cut off goes on with."""

    after: tuple[str, ...]
    counted: Supervised


_PROGRESS = TypeAdapter(Progress)


class Supervision:
    """One comparison of one kind of objects."""

    def __init__(
        self,
        database: Database,
        client: Client,
        resumable: Callable[[OpenObject], Resumable],
        *,
        young: timedelta = YOUNG,
        left_alone: timedelta = LEFT_ALONE,
    ) -> None:
        self._database = database
        self._client = client
        self._resumable = resumable
        self._young = young
        self._left_alone = left_alone
        self._slots = asyncio.Semaphore(CONCURRENT)

    async def compare(
        self, kind: ObjectKind, request: SupervisionRequest, *, begun: Progress, beat: Callable[[Progress], None]
    ) -> Supervised:
        """Look at every open object behind where it was begun; what has no workflow is resumed, or listed."""
        progress = begun
        while page := await self._page(kind, progress.after, request):
            named = [one for one in page if not request.only or self._resumable(one).workflow_id == request.only]
            counted = await self._check_page(named, request, progress.counted)
            progress = Progress(page[-1].key, counted)
            beat(progress)
            if request.only and named:
                break
        return progress.counted

    async def _page(
        self, kind: ObjectKind, after: tuple[str, ...], request: SupervisionRequest
    ) -> Sequence[OpenObject]:
        rows = await self._database.rows(
            "select * from duly.open_objects(:kind, :after, :page, make_interval(secs => :seconds))",
            kind=kind,
            after=list(after),
            page=PAGE,
            seconds=0 if request.only else self._young.total_seconds(),
        )
        return [OpenObject(kind, tuple(row.key), row.provider, row.run_id, row.account_id) for row in rows]

    async def _check_page(
        self, page: Sequence[OpenObject], request: SupervisionRequest, counted: Supervised
    ) -> Supervised:
        resumable = [(one, self._resumable(one)) for one in page]
        running = await running_among(self._client, (found.workflow_id for _, found in resumable))
        others = [(one, found) for one, found in resumable if found.workflow_id not in running]
        stops = await self._stops_of(others)
        left = [] if request.only else [one for one in stops if _is_decided(one[0], one[2])]
        stopped = await self._see_to([one for one in stops if one not in left], request)
        checked = len(page) - len(left)
        by_step = Counter(one.next_step for one in stopped)
        return replace(
            counted,
            open=counted.open + checked,
            running=counted.running + checked - len(stopped),
            resumed=counted.resumed + by_step[NextStep.RESUME],
            waiting=counted.waiting + by_step[NextStep.WAIT],
            in_review=counted.in_review + by_step[NextStep.ASK],
            stopped=_kept((*counted.stopped, *stopped)),
        )

    async def _stops_of(
        self, others: Sequence[tuple[OpenObject, Resumable]]
    ) -> list[tuple[OpenObject, Resumable, Stop]]:
        examined = await asyncio.gather(*(self._stop_of(found) for _, found in others))
        return [(one, found, stop) for (one, found), stop in zip(others, examined, strict=True) if stop]

    async def _see_to(
        self, stops: Sequence[tuple[OpenObject, Resumable, Stop]], request: SupervisionRequest
    ) -> list[StoppedWorkflow]:
        """Return what each object without a workflow comes to, after resuming those where that is the next step."""
        steps = await self._next_steps([(one, stop) for one, _, stop in stops], request)
        ended = [
            StoppedWorkflow(stop.workflow_id, step, stop.how, stop.actor, stop.reason)
            for (_, _, stop), step in zip(stops, steps, strict=True)
        ]
        if not request.is_dry_run:
            found = [found for _, found, _ in stops]
            await self._resume_all(
                [pair for pair in zip(found, ended, strict=True) if pair[1].next_step is NextStep.RESUME], request
            )
        return ended

    async def _stop_of(self, found: Resumable) -> Stop | None:
        async with self._slots:
            stop = await stop_of(self._client, found.workflow_id)
            if stop and found.part_of and await stop_of(self._client, found.part_of):
                # What is part of something that was stopped goes on with the whole.
                return None
            return stop

    async def _next_steps(
        self, stops: Sequence[tuple[OpenObject, Stop]], request: SupervisionRequest
    ) -> list[NextStep]:
        """Note a page of stops, and return what becomes of each object."""
        if request.only:
            return [NextStep.RESUME for _ in stops]
        if not stops:
            return []
        rows = await self._database.rows(
            _STEPS if request.is_dry_run else _NOTED_STEPS,
            stops={"rows": [stop.row for _, stop in stops]},
            seconds=self._left_alone.total_seconds(),
        )
        noted = {row.workflow_id: NextStep(row.next_step) for row in rows}
        missed = await self._long_missed([stop.workflow_id for one, stop in stops if one.kind is ObjectKind.SHARD])
        return [_next_step(one, stop, noted, missed) for one, stop in stops]

    async def _long_missed(self, shards: Sequence[str]) -> frozenset[str]:
        """Return those shards that their run has not begun again by itself for a while."""
        if not shards:
            return frozenset()
        stops = select(WorkflowStopRow.workflow_id).where(
            one_of(WorkflowStopRow.workflow_id, shards),
            WorkflowStopRow.resumed_at.is_(None),
            WorkflowStopRow.noted_at < func.now() - self._left_alone,
        )
        return frozenset(row.workflow_id for row in await self._database.read(stops))

    async def _resume_all(
        self, resumed: Sequence[tuple[Resumable, StoppedWorkflow]], request: SupervisionRequest
    ) -> None:
        """Start what goes on, several at once, and note what was started, whatever the others met."""
        outcomes = await asyncio.gather(*(self._resume(*one) for one in resumed), return_exceptions=True)
        failures = [outcome for outcome in outcomes if outcome is not None]
        started = [found.workflow_id for (found, _), outcome in zip(resumed, outcomes, strict=True) if outcome is None]
        if started:
            await self._database.call(
                "note_resumptions", workflow_ids=started, actor=request.actor, reason=request.reason
            )
        if failures:
            raise failures[0]

    async def _resume(self, found: Resumable, ended: StoppedWorkflow) -> None:
        start = found.start
        by = f" by {ended.actor}" if ended.actor else ""
        why = f": {ended.reason}" if ended.reason else ""
        async with self._slots:
            if found.part_of:
                # Its children end with it: each begins again from its members' rows, and nobody is charged twice.
                await self._client.get_workflow_handle(found.part_of).terminate(reason=f"{found.workflow_id} is gone")
            await self._client.start_workflow(
                start.run,
                start.request,
                id=found.part_of or found.workflow_id,
                task_queue=WORKFLOW_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                search_attributes=start.search_attributes,
                static_summary=start.static_summary,
                static_details=f"{start.static_details}\n\nResumed from its row: the last one was {ended.how}{by}{why}",
                rpc_timeout=RPC_TIMEOUT,
            )


class SupervisionActivities:
    """Compares open objects with workflows, kind by kind."""

    def __init__(self, database: Database, resumable: Callable[[OpenObject], Resumable]) -> None:
        self._database = database
        self._resumable = resumable

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.resume_open]

    @activity.defn
    async def resume_open(self, request: KindRequest) -> Supervised:
        """Compare every open object of a kind. Safe to repeat at any point: what runs is left alone."""
        reached = activity.info().heartbeat_details
        begun = _PROGRESS.validate_python(reached[0]) if reached else Progress((), Supervised(request.kind))
        if request.kind is ObjectKind.PAYMENT_REQUEST and not request.supervision.is_dry_run:
            await signal_stopped_pages(self._database, activity.client())
        comparison = Supervision(self._database, activity.client(), self._resumable)
        return await comparison.compare(request.kind, request.supervision, begun=begun, beat=activity.heartbeat)


def _is_decided(one: OpenObject, stop: Stop) -> bool:
    """Say whether a rule has refused what the workflow was started for, so that nothing is open."""
    return one.kind is ObjectKind.DISPUTE and stop.rule == _CURRENCY_IS_KEPT


def _next_step(one: OpenObject, stop: Stop, noted: Mapping[str, NextStep], missed: frozenset[str]) -> NextStep:
    if one.kind in _RUNS and stop.how in BY_A_PERSON:
        # Whoever ends a run has a reason that no clock undoes.
        return NextStep.ASK
    if one.kind is ObjectKind.SHARD:
        # Its run begins it again by itself; then a person is asked.
        return NextStep.ASK if stop.workflow_id in missed else NextStep.WAIT
    return noted[stop.workflow_id]


def _kept(stopped: Iterable[StoppedWorkflow]) -> tuple[StoppedWorkflow, ...]:
    """Keep so many stopped, those that ask a person first."""
    return tuple(islice(sorted(stopped, key=lambda one: one.next_step is not NextStep.ASK), SHOWN_MAX))
