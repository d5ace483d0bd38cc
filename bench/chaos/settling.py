"""What is still open after the faults, whether somebody sees to it, and the bounded wait until nothing is."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.supervision.supervision import Progress, Supervision
from bench.chaos.company import BrittleCompany
from bench.chaos.persistence import AWAY, until_answered
from bench.chaos.traffic import Traffic
from models.gateway.events import SweepRequest
from models.supervision.supervision import ObjectKind, Supervised, SupervisionRequest
from models.workflow_ids import WORKFLOW_QUEUE, sweep_id
from sandbox.customers.merchant import PROVIDER
from workflows.events.event_sweep import EventSweep
from workflows.supervision.resumption import resumable_of

SWEEP_SECONDS = 3.0
# As young as this an object may still be about to get its workflow from whoever wrote its row.
YOUNG = timedelta(seconds=5)
REVIEW = "ExecutionStatus = 'Running' and NeedsReview = true"
PROBLEMS = "ExecutionStatus = 'Running' and TemporalReportedProblems is not null"

# Every business object that is not over, with the workflow that has to see to it.
_OPEN = """
select case when q.id is null then 'collection' else 'payment request' end as kind,
    coalesce('payment-request/' || q.id, 'collection/' || c.account_id || '/' || c.period) as workflow_id
from duly.collections c left join duly.payment_requests q on (q.account_id, q.period) = (c.account_id, c.period)
where c.closed_at is null
union all
select 'payment request', 'payment-request/' || q.id from duly.payment_requests q where q.closed_at is null
union all
select 'request', case when r.of_request_id is not null then 'refund/' || r.id
    else coalesce('payment-request/' || q.id, 'collection/' || r.account_id || '/' || r.period) end
from duly.gateway_requests r left join duly.payment_requests q on (q.account_id, q.period) = (r.account_id, r.period)
where r.state in ('pending', 'under_processing', 'unknown') and r.kind <> 'validation'
union all
select 'member of a run', i.run_id from duly.run_items i where i.outcome is null
union all
select 'run', p.id from duly.process_runs p where p.completed_at is null
union all
select 'reward', 'reduction/' || d.award_id from duly.reductions d
where d.closed_at is null and not exists (select from duly.reduction_parts p
    where p.award_id = d.award_id and p.credit_id is not null and p.undone_by is null)
union all
select 'dispute', 'dispute/' || d.id from duly.disputes d where d.closed_at is null
union all
select e.type || ' of nothing known yet', case when e.next_try_at < now() - interval '30 seconds' then e.id end
from duly.gateway_events e where e.state = 'waiting'
union all
select 'movement', 'movements/' || x.provider_id from duly.gateway_expectations x where x.movement is null
"""


@dataclass(frozen=True)
class Leftovers:
    """What is not over: by kind, what waits where a person sees it, and what nobody sees to."""

    visible: Mapping[str, int]
    stuck: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether all is over."""
        return not self.visible and not self.stuck


class Settling:
    """Sees to it, as schedules do in production, that whatever is open goes on."""

    def __init__(self, company: BrittleCompany, traffic: Traffic) -> None:
        self._company, self._traffic = company, traffic

    async def keep_going(self) -> None:
        """Sweep and supervise until cancelled: what schedules do every quarter of an hour, every few seconds."""
        while True:
            await self.round()
            await asyncio.sleep(SWEEP_SECONDS)

    async def round(self) -> None:
        """Read the gateway's events and movements once, and resume what has lost its workflow."""
        try:
            async with asyncio.timeout(30):
                await self._sweep()
                await self._supervise()
        except AWAY:
            # The next round sees to it.
            return

    async def until_over(self, seconds: float) -> Leftovers:
        """Wait until nothing is open, or only what a person has to decide, for so long at most."""
        deadline, left, quiet_since, before = time.monotonic() + seconds, Leftovers({}, ("not looked at",)), 0.0, None
        while time.monotonic() < deadline:
            await self._traffic.returning.decide_disputes()
            await self._traffic.collect_again()
            await self._traffic.families.finish()
            await self.round()
            found = await until_answered(self.leftovers, seconds=30)
            if found is None:
                continue
            left = found
            if left.is_nothing:
                break
            if left != before:
                before, quiet_since = left, time.monotonic()
            # What a person has to decide does not change by waiting.
            if not left.stuck and time.monotonic() - quiet_since > min(60.0, seconds / 20):
                break
            await asyncio.sleep(1.0)
        return left

    async def leftovers(self) -> Leftovers:
        """Compare what is open with the workflows that show that they wait for a person."""
        rows = await self._company.database.rows(_OPEN)
        in_review = {one.id async for one in self._company.client.list_workflows(REVIEW)}
        failing = [one.id async for one in self._company.client.list_workflows(PROBLEMS)]
        # An event that was put off has no workflow: it is listed with the moment of its next try, then asks a person.
        seen = {*in_review, None}
        visible = Counter(row.kind for row in rows if row.workflow_id in seen)
        stuck = sorted({f"{row.kind} {row.workflow_id}" for row in rows if row.workflow_id not in seen})
        return Leftovers(dict(visible), (*stuck, *(f"{id} fails its workflow tasks" for id in failing)))

    async def _sweep(self) -> None:
        """Wait for a sweep: for the one that runs, if one does, for a schedule begins no second one beside it."""
        await self._company.client.execute_workflow(
            EventSweep.run,
            SweepRequest(PROVIDER),
            id=sweep_id(PROVIDER),
            task_queue=WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )

    async def _supervise(self) -> None:
        supervision = Supervision(
            self._company.database, self._company.client, resumable_of, young=YOUNG, left_alone=YOUNG
        )
        for kind in ObjectKind:
            begun = Progress((), Supervised(kind))
            try:
                await supervision.compare(kind, SupervisionRequest(), begun=begun, beat=lambda _: None)
            except RPCError:
                # One whose start met an outage is found again.
                continue
