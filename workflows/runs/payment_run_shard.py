"""One shard of a payment run: a window of its members at the gateway, sliding over the pages that they are read in."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, NoReturn

from temporalio import workflow

from activities.runs.payment_runs import RunActivities
from models.runs.process_run import DueMember, PageRequest, ShardProgress, ShardRequest
from models.runs.window import PaymentsUnderWay, PaymentWindow, first_part_of
from workflows.inputs.checks import checked_init
from workflows.options import DATABASE
from workflows.runs.shard_payments import ShardPayments, is_history_long

# The change that lets a window slide over pages: executions of release 0.1.0 go on page by page.
SLIDING = "slides-over-pages"

# The change that lets a shard report when its run is paused: those of earlier releases report page by page alone.
REPORTS_PAUSE = "reports-when-paused"

# The change that leaves room for those carried in: an execution that closed as soon as it had begun them gave their
# tries six seconds, after which they began anew, and a gateway that answers nobody was never found out.
ROOM_FOR_CARRIED = "room-for-carried"

# With so many events an execution closes: a restarted worker replays it within a second. Small pages close earlier.
CLOSE_AT_EVENTS = 4_000
CLOSE_AT_EVENTS_PER_MEMBER = 16

# What is under way at the close is waited for this long; what takes longer is begun again by the next execution.
CLOSING_TIME = timedelta(seconds=6)


@workflow.defn(name="PaymentRunShard")
class PaymentRunShard(ShardPayments):
    """Collects from a shard's share in order of the accounts, and continues as new when its history is long."""

    @checked_init
    def __init__(self, request: ShardRequest) -> None:
        super().__init__(request)
        self._in_flight = 0
        self._close_at = _events_for(request.page)
        self._after = self._read_to = request.after
        self._pages = request.pages
        self._buffer: deque[DueMember] = deque()
        self._has_more = True
        self._is_reading = False
        self._under_way = PaymentsUnderWay()
        self._window = PaymentWindow(most=request.window, carried=request.window_size, now=workflow.now())
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._reported = (0, 0)

    @workflow.run
    async def run(self, request: ShardRequest) -> ShardProgress:
        """Collect from every member after the cursor, or until the run is aborted; return what that came to."""
        self._show()
        if not workflow.patched(SLIDING):
            return await self._collect_page(request)
        self._begin_carried(request)
        while not self._is_at_end:
            self._read_ahead()
            if self._has_to_close:
                await self._close()
            elif self._is_report_due:
                await self._report_pause()
            elif not self._may_go_on:
                await self._wait_until(
                    lambda: self._is_at_end or self._has_to_close or self._may_go_on or self._is_report_due
                )
            elif self._breaker.opened_at is not None:
                await self._probe()
            else:
                self._begin(self._next())
        while self._tasks:
            await self._wait_until(lambda: not self._tasks or self._is_report_due)
            if self._is_report_due:
                await self._report_pause()
        return replace(self._progress(), held_since=None)

    async def cancel_asked(self, reason: str) -> str:
        """Refuse: a shard does as its run is steered."""
        del reason
        return "refused, for payments may be in flight; `pause` or `abort` its run"

    @property
    def _is_at_end(self) -> bool:
        return self._steering.is_aborted or not (self._buffer or self._has_more)

    @property
    def _may_go_on(self) -> bool:
        """Whether the next member may be begun; one that probes whether the gateway is back needs no room."""
        if self._steering.is_paused or not self._buffer:
            return False
        return self._breaker.opened_at is not None or self._has_room

    @property
    def _has_room(self) -> bool:
        now = workflow.now()
        window = self._window.size(now)
        return self._under_way.holding(now, window=window) < max(1, window - self._breaker.in_a_row)

    @property
    def _has_to_close(self) -> bool:
        """Whether the history is long. While the gateway is away only a very long one closes: steered over and over."""
        if is_history_long():
            return True
        limit = int(self._close_at * (1 if self._request.executions else first_part_of(self._request.shard)))
        return self._breaker.opened_at is None and workflow.info().get_current_history_length() >= limit

    @property
    def _is_report_due(self) -> bool:
        """Whether the run was paused since the last report, or what was in flight then has settled."""
        if not self._steering.is_paused or self._steering.is_aborted:
            return False
        revision, done = self._reported
        return revision != self._steering.revision or (self._unanswered == 0 and done != self._tally.total())

    async def _report_pause(self) -> None:
        """Let a paused run say what was charged until now: else it hears of a shard page by page."""
        self._reported = (self._steering.revision, self._tally.total())
        if workflow.patched(REPORTS_PAUSE):
            await self._report()

    def _next(self) -> DueMember:
        due = self._buffer.popleft()
        self._after = due.account_id
        return due

    async def _probe(self) -> None:
        """Ask for the next member only, until the gateway answers; it stays the next when nobody was asked."""
        if await self._probe_with(self._buffer[0]):
            self._next()

    def _begin_carried(self, request: ShardRequest) -> None:
        if request.carried and workflow.patched(ROOM_FOR_CARRIED):
            self._close_at = _events_for(request.page + len(request.carried))
        for due in request.carried:
            self._begin(due)

    def _begin(self, due: DueMember) -> None:
        self._under_way.begin(due, at=workflow.now())
        self._start(self._collect_and_end(due))

    async def _collect_and_end(self, due: DueMember) -> None:
        result = await self._collect_from(due)
        self._window.note_answer(timedelta(milliseconds=result.took_ms), at=workflow.now())
        self._under_way.end(due)

    def _read_ahead(self) -> None:
        """Read the next page in the background when fewer than half a page are left."""
        if self._has_more and not self._is_reading and len(self._buffer) < max(1, self._request.page // 2):
            self._is_reading = True
            self._start(self._read_page())

    async def _read_page(self) -> None:
        members = await self._members_after(self._read_to)
        self._buffer.extend(members)
        self._has_more = bool(members)
        self._is_reading = False
        if members:
            self._read_to = members[-1].account_id
            self._pages += 1
            if self._pages % self._request.report_every == 0:
                await self._report()

    async def _close(self) -> None:
        """Wait a moment for what is under way, and continue as new with the rest; for all while the gateway is away."""
        size = self._window.size(workflow.now())
        with suppress(TimeoutError):
            await self._wait_until(lambda: self._under_way.holding(workflow.now(), window=size) == 0, CLOSING_TIME)
        if self._breaker.opened_at is not None:
            await self._wait_until(lambda: not self._under_way)
        await self._wait_until(lambda: self._handing_over == 0)
        if self._has_to_close and not self._steering.is_aborted:
            self._continue(
                after=self._after,
                pages=self._pages,
                carried=self._under_way.members,
                window_size=size,
                executions=self._request.executions + 1,
            )

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._failure = self._failure or task.exception()

    async def _wait_until(self, condition: Callable[[], bool], at_most: timedelta | None = None) -> None:
        """Wait, and fail as whatever was started has failed. Raises TimeoutError."""
        await workflow.wait_condition(
            lambda: self._failure is not None or condition(),
            timeout=at_most,
            timeout_summary="payments that take longer are carried into the next execution" if at_most else None,
        )
        if self._failure is not None:
            raise self._failure

    async def _members_after(self, after: str) -> tuple[DueMember, ...]:
        request = self._request
        page = await workflow.execute_activity_method(
            RunActivities.due_page,
            PageRequest(request.run_id, request.shard, after, request.page),
            summary=f"{request.page} members after {after or 'the start'}",
            **DATABASE,
        )
        return page.members

    def _continue(self, **changes: Any) -> NoReturn:
        following = replace(
            self._request,
            steering=self._steering,
            tally=dict(self._tally),
            charged=dict(self._charged),
            breaker=self._breaker.state,
            **changes,
        )
        workflow.continue_as_new(
            following, initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE
        )

    async def _collect_page(self, request: ShardRequest) -> ShardProgress:
        """Collect from one page as release 0.1.0 did: the next begins when the slowest payment of this one is over."""
        members = await self._members_after(request.after)
        started = await self._collect_from_all(members)
        if not members or self._steering.is_aborted:
            return replace(self._progress(), held_since=None)
        if (request.pages + 1) % request.report_every == 0:
            await self._report()
        self._continue(after=members[started - 1].account_id if started else request.after, pages=request.pages + 1)

    async def _collect_from_all(self, members: tuple[DueMember, ...]) -> int:
        """Start one payment after the other while that is allowed, let all settle, and return how many were started.

        One that stands still for long, and is steered over and over, has to continue as new before the page is done.
        """
        payments, started = [], 0
        for due in members:
            if not self._may_start():
                await workflow.wait_condition(lambda: self._may_start() or is_history_long())
            if self._steering.is_aborted or not self._may_start():
                break
            if self._breaker.opened_at is not None:
                if not await self._probe_with(due):
                    break
            else:
                self._in_flight += 1
                payments.append(asyncio.create_task(self._collect_in_page(due)))
            started += 1
        await asyncio.gather(*payments)
        return started

    def _may_start(self) -> bool:
        if self._steering.is_aborted:
            return True
        has_room = self._breaker.opened_at is not None or self._in_flight < self._breaker.slots
        return has_room and not self._steering.is_paused

    async def _collect_in_page(self, due: DueMember) -> None:
        await self._collect_from(due)
        self._in_flight -= 1


def _events_for(members: int) -> int:
    return min(CLOSE_AT_EVENTS, CLOSE_AT_EVENTS_PER_MEMBER * members)
