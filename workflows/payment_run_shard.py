"""One shard of a payment run: a page of members at a time, a window of them at the gateway."""

import asyncio
from collections import Counter
from typing import NoReturn

from temporalio import workflow
from temporalio.common import Priority, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError, is_cancelled_exception

from activities.collect import CollectActivities
from activities.runs import RunActivities
from models.collection import CollectionRequest
from models.gateway_request import CollectOutcome, CollectRequest, CollectResult
from models.process_run import Due, ItemOutcome, PageRequest, ShardProgress, ShardRequest
from workflows import visibility
from workflows.collection import Collection
from workflows.options import COLLECT, DATABASE, MONTHLY

_OUTCOMES = {
    CollectOutcome.SETTLED: ItemOutcome.CHARGED,
    CollectOutcome.NOTHING_OWED: ItemOutcome.SKIPPED,
    CollectOutcome.BELOW_MINIMUM: ItemOutcome.SKIPPED,
    CollectOutcome.CLOSED: ItemOutcome.SKIPPED,
    CollectOutcome.REFUSED: ItemOutcome.PARKED,
    CollectOutcome.DECLINED: ItemOutcome.IN_DUNNING,
    CollectOutcome.NO_CARD: ItemOutcome.IN_DUNNING,
    CollectOutcome.PROCESSING: ItemOutcome.UNKNOWN,
    CollectOutcome.UNKNOWN: ItemOutcome.UNKNOWN,
    CollectOutcome.DID_NOT_HAPPEN: ItemOutcome.UNKNOWN,
}

# What has to wait gets a workflow of its own; the rest is over with its one activity.
_HAS_TO_WAIT = {ItemOutcome.IN_DUNNING, ItemOutcome.UNKNOWN}


@workflow.defn(name="PaymentRunShard")
class PaymentRunShard:
    """Pages through a shard's share and continues as new after every page, so histories stay small at any size."""

    @workflow.init
    def __init__(self, request: ShardRequest) -> None:
        self._request = request
        self._tally = Counter(request.tally)
        self._window = asyncio.Semaphore(request.window)

    @workflow.run
    async def run(self, request: ShardRequest) -> dict[str, int]:
        """Collect from every member after the cursor; return how many came to which outcome."""
        members = await self._next_members()
        if not members:
            return dict(self._tally)
        await asyncio.gather(*(self._collect_from(due) for due in members))
        await self._report()
        self._continue_after(members[-1])

    async def _next_members(self) -> tuple[Due, ...]:
        request = self._request
        page = await workflow.execute_activity_method(
            RunActivities.due_page,
            PageRequest(request.run_id, request.shard, request.after, request.page),
            summary=f"{request.page} members after {request.after or 'the start'}",
            **DATABASE,
        )
        return page.members

    async def _collect_from(self, due: Due) -> None:
        async with self._window:
            outcome = _OUTCOMES[(await self._collect(due)).outcome]
            if outcome in _HAS_TO_WAIT:
                await self._hand_over(due)
        self._tally[outcome] += 1

    async def _collect(self, due: Due) -> CollectResult:
        request = self._request
        try:
            return await workflow.execute_activity_method(
                CollectActivities.collect,
                CollectRequest(due.account_id, request.period, request.provider, request.run_id),
                task_queue=visibility.gateway_queue(request.provider),
                activity_id=visibility.collect_activity_id(due.account_id, 1),
                summary=due.summary,
                priority=Priority(priority_key=MONTHLY.priority_key, fairness_key=request.run_id[:64]),
                **COLLECT,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            # No answer within the tries of a run. Nobody knows what happened: a collection will find out.
            return CollectResult(CollectOutcome.UNKNOWN)

    async def _hand_over(self, due: Due) -> None:
        request = self._request
        try:
            _ = await workflow.start_child_workflow(
                Collection.run,
                CollectionRequest(due.account_id, request.period, request.provider, request.run_id),
                id=visibility.collection_id(due.account_id, request.period),
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                search_attributes=visibility.known_at_start(
                    run=request.run_id, account=due.account_id, provider=request.provider
                ),
                static_summary=due.summary,
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("collection_already_started", extra={"account_id": due.account_id})

    async def _report(self) -> None:
        parent = workflow.info().parent
        if parent is not None:
            progress = ShardProgress(self._request.shard, dict(self._tally))
            await workflow.get_external_workflow_handle(parent.workflow_id).signal("shard_progressed", progress)

    def _continue_after(self, last: Due) -> NoReturn:
        request = self._request
        workflow.continue_as_new(
            ShardRequest(
                run_id=request.run_id,
                period=request.period,
                provider=request.provider,
                shard=request.shard,
                window=request.window,
                page=request.page,
                after=last.account_id,
                tally=dict(self._tally),
            ),
            initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
        )
