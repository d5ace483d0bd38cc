"""Comparing what is open in the database with the workflows Temporal has, and resuming what has none from its row.

Visibility narrows what is looked at and never decides: what it does not list as running is asked for by itself, and
what is to be resumed is started under its natural id, where Temporal allows one at a time.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.database import Database
from activities.events.delivery import WorkflowStart
from activities.supervision.stops import TEXT_MAX, who_ended
from models.supervision.supervision import (
    BY_A_PERSON,
    RESTORED,
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

# Rows of one read, ids of one question to visibility, and questions on their way at once.
PAGE = 1000
IDS_A_QUESTION = 150
CONCURRENT = 16
RPC_TIMEOUT = timedelta(seconds=10)

# Younger rows are left to whoever wrote them, and what a person has just ended is left in peace for a while.
YOUNG = timedelta(minutes=15)
LEFT_ALONE = timedelta(hours=1)

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
class Stop:
    """How a workflow ended of whose object the row is open."""

    how: str
    execution: str = ""
    actor: str = ""
    reason: str = ""
    stopped_at: datetime | None = None


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
        running = await self._listed_as_running([found.workflow_id for _, found in resumable])
        others = [(one, found) for one, found in resumable if found.workflow_id not in running]
        stopped = [ended for ended in await asyncio.gather(*(self._examine(*one, request) for one in others)) if ended]
        by_step = {next_step: sum(one.next_step is next_step for one in stopped) for next_step in NextStep}
        return replace(
            counted,
            open=counted.open + len(page),
            running=counted.running + len(page) - len(stopped),
            resumed=counted.resumed + by_step[NextStep.RESUME],
            waiting=counted.waiting + by_step[NextStep.WAIT],
            in_review=counted.in_review + by_step[NextStep.ASK],
            stopped=_kept((*counted.stopped, *stopped)),
        )

    async def _listed_as_running(self, ids: Sequence[str]) -> frozenset[str]:
        questions = [ids[at : at + IDS_A_QUESTION] for at in range(0, len(ids), IDS_A_QUESTION)]
        answers = await asyncio.gather(*(self._ask_visibility(question) for question in questions))
        return frozenset(id for answer in answers for id in answer)

    async def _ask_visibility(self, ids: Sequence[str]) -> list[str]:
        named = ", ".join(f"'{id}'" for id in ids if "'" not in id)
        query = f"ExecutionStatus = 'Running' AND WorkflowId IN ({named})"
        try:
            async with self._slots:
                found = self._client.list_workflows(query, page_size=len(ids), rpc_timeout=RPC_TIMEOUT)
                return [one.id async for one in found]
        except RPCError as error:
            if error.status is RPCStatusCode.UNIMPLEMENTED or error.status is RPCStatusCode.INVALID_ARGUMENT:
                return []
            raise

    async def _examine(self, one: OpenObject, found: Resumable, request: SupervisionRequest) -> StoppedWorkflow | None:
        """Return what an object without a workflow comes to, after resuming it where that is the next_step."""
        async with self._slots:
            stop = await self._stop_of(found.workflow_id)
            if stop is None or (found.part_of and await self._stop_of(found.part_of)):
                # What is part of something that was stopped goes on with the whole.
                return None
            next_step = await self._next_step(one, found.workflow_id, stop, request)
            ended = StoppedWorkflow(found.workflow_id, next_step, stop.how, stop.actor, stop.reason)
            if next_step is NextStep.RESUME and not request.is_dry_run:
                await self._resume(found, ended)
                await self._database.call(
                    "note_resumption", workflow_id=found.workflow_id, actor=request.actor, reason=request.reason
                )
            return ended

    async def _stop_of(self, workflow_id: str) -> Stop | None:
        """Return how a workflow ended; None while it runs."""
        try:
            described = await self._client.get_workflow_handle(workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return Stop("missing")
            raise
        status = described.status
        if status is None or status is WorkflowExecutionStatus.RUNNING or described.close_time is None:
            return None
        who = await who_ended(self._client, workflow_id, described.run_id)
        how = RESTORED if who.reason.startswith(RESTORED) else status.name.lower()
        return Stop(how, described.run_id, who.actor[:TEXT_MAX], who.reason[:TEXT_MAX], described.close_time)

    async def _next_step(self, one: OpenObject, workflow_id: str, stop: Stop, request: SupervisionRequest) -> NextStep:
        if request.only:
            return NextStep.RESUME
        stored = await self._database.call(
            "next_step_after" if request.is_dry_run else "note_stop",
            workflow_id=workflow_id,
            execution=stop.execution,
            how=stop.how,
            actor=stop.actor,
            reason=stop.reason,
            stopped_at=stop.stopped_at,
            left_alone=self._left_alone,
        )
        if one.kind in _RUNS and stop.how in BY_A_PERSON:
            # Whoever ends a run has a reason that no clock undoes.
            return NextStep.ASK
        if one.kind is ObjectKind.SHARD:
            return await self._shard_step(workflow_id)
        return NextStep(stored)

    async def _shard_step(self, workflow_id: str) -> NextStep:
        """Leave a shard to its run for a while, which begins it again by itself; then ask a person."""
        long_ago = func.now() - self._left_alone
        stops = select(WorkflowStopRow.workflow_id).where(
            WorkflowStopRow.workflow_id == workflow_id,
            WorkflowStopRow.resumed_at.is_(None),
            WorkflowStopRow.noted_at < long_ago,
        )
        rows = await self._database.read(stops)
        return NextStep.ASK if rows else NextStep.WAIT

    async def _resume(self, found: Resumable, ended: StoppedWorkflow) -> None:
        start = found.start
        if found.part_of:
            # Its children end with it: each begins again from its members' rows, and nobody is charged twice.
            await self._client.get_workflow_handle(found.part_of).terminate(reason=f"{found.workflow_id} is gone")
        by = f" by {ended.actor}" if ended.actor else ""
        why = f": {ended.reason}" if ended.reason else ""
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
        comparison = Supervision(self._database, activity.client(), self._resumable)
        return await comparison.compare(request.kind, request.supervision, begun=begun, beat=activity.heartbeat)


def _kept(stopped: Iterable[StoppedWorkflow]) -> tuple[StoppedWorkflow, ...]:
    """Keep so many stopped, those that ask a person first."""
    return tuple(islice(sorted(stopped, key=lambda one: one.next_step is not NextStep.ASK), SHOWN_MAX))
