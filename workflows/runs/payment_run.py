"""One payment run: freeze who is due, let shards collect, certify what became of everyone (X16 to X30)."""

import asyncio
import itertools
from datetime import timedelta
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)
from temporalio.workflow import ChildWorkflowHandle

from activities.messages.mailing import MailingActivities
from activities.runs.payment_runs import RunActivities
from models import workflow_ids
from models.messages.message import MailingStart
from models.runs.process_run import Certificate, RunPlan, RunRequest, RunSnapshot, ShardProgress, ShardRequest
from models.runs.run_control import RunStage, Steering
from models.runs.run_period import RunPeriod
from workflows import visibility
from workflows.faults import Refusal, broken_rule, cancel_to_carry, carried_state, end_review, go_on_from_rows
from workflows.inputs.checks import checked_init
from workflows.options import DATABASE, DATABASE_SWEEP
from workflows.runs.payment_run_handlers import PaymentRunHandlers
from workflows.runs.payment_run_shard import PaymentRunShard
from workflows.runs.payment_run_state import COUNTS_ROWS, PaymentRunState, count_rows

# A report costs the run up to four events. With so many of them it stays one execution at any number of members: only
# who signals it without end makes it continue as new, and its shards begin again.
REPORTS = 500
# To start, steer and end a shard costs about so many events.
EVENTS_A_SHARD = 16

# How long a restarted run waits before it checks again for the end of what was terminated.
TERMINATION_POLL = timedelta(seconds=2)

# How long a run waits before it begins a shard again that was terminated or failed, and from when on a person is asked.
LOST_SHARD_PAUSES = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10))
SHARD_TRIES = 3


@workflow.defn(name="PaymentRun")
class PaymentRun(PaymentRunHandlers):
    """The monthly run of one definition for one period; its id is the pair, so it exists once."""

    @checked_init
    def __init__(self, request: RunRequest) -> None:
        self._request = request
        self._course = PaymentRunState(carried_state(RunSnapshot) or RunSnapshot(), is_shadow=request.is_shadow)
        self._shards = {}
        self._signalled_revision = {}
        self._keeping = asyncio.Lock()

    @workflow.run
    async def run(self, request: RunRequest) -> Certificate:
        """Collect from everyone who is due in the period. Fails when the definition may not run."""
        plan = await self._freeze()
        await self._count_rows(plan)
        self._course.begin(plan)
        if self._course.steering.word:
            await self._keep_steering()
        await self._collect_from_all(plan)
        self._course.enter(RunStage.CERTIFYING)
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._settle_decisions(plan)
        certificate = await self._certify(plan)
        self._course.close(certificate)
        await self._start_mailing(plan)
        return certificate

    async def _freeze(self) -> RunPlan:
        self._course.show()
        try:
            return await workflow.execute_activity_method(
                RunActivities.freeze_payment_run,
                self._request,
                summary=f"freeze who is due in {self._request.period}",
                **DATABASE_SWEEP,
            )
        except ActivityError as error:
            if broken_rule(error) is None:
                raise
            raise Refusal(error) from error

    async def _count_rows(self, plan: RunPlan, lost_shard: int | None = None) -> None:
        """Count from the members' rows what shards have come to that ended before they reported it, or one of them.

        A shadow that is cast again begins with nobody.
        """
        if self._request.is_shadow or not workflow.patched(COUNTS_ROWS):
            return
        for progress in await count_rows(plan.run_id):
            if lost_shard in {None, progress.shard}:
                self._course.take(progress)

    def carried_after_fault(self) -> RunSnapshot:
        """Return how the run is steered: one that was aborted must not collect from anybody after a fault."""
        return self._course.snapshot()

    async def _collect_from_all(self, plan: RunPlan) -> None:
        shares = asyncio.gather(*(self._collect_share(plan, shard) for shard in range(plan.shards)))
        # Those of release 0.1.0 stay one execution, however often they are signalled.
        if workflow.patched("long-runs-go-on-as-new"):
            await workflow.wait_condition(lambda: shares.done() or self._is_history_long(plan))
            if not shares.done():
                self._go_on_as_new()
        await shares

    def _is_history_long(self, plan: RunPlan) -> bool:
        """Say whether it is time to continue as new: not before as much was said as starting the shards has cost."""
        info, is_aborted = workflow.info(), self._course.steering.is_aborted
        return (
            info.is_continue_as_new_suggested()
            and info.get_current_history_length() >= EVENTS_A_SHARD * plan.shards
            and not is_aborted
            and workflow.all_handlers_finished()
        )

    def _go_on_as_new(self) -> NoReturn:
        """End the shards with this execution; the next begins each of them again from its members' rows."""
        if self._course.stage is RunStage.HELD:
            end_review()
        go_on_from_rows(self._request, cancelled=cancel_to_carry(), state=self._course.snapshot())

    async def _collect_share(self, plan: RunPlan, shard: int) -> None:
        steering = self._course.steering
        if steering.is_aborted:
            return
        for tries in itertools.count(1):
            self._signalled_revision[shard] = steering.revision
            self._shards[shard] = await self._start_shard(plan, shard, steering)
            await self._signal_shard(shard)
            try:
                progress = await self._shards[shard]
            except ChildWorkflowError as error:
                del self._shards[shard]
                await self._after_lost_shard(shard, tries, error)
                await self._count_rows(plan, lost_shard=shard)
                if (steering := self._course.steering).is_aborted:
                    return
            else:
                del self._shards[shard]
                self._course.take(progress)
                return

    async def _after_lost_shard(self, shard: int, tries: int, error: ChildWorkflowError) -> None:
        """One that was terminated or failed is begun again from the members' rows; the third time a person is asked."""
        self._course.note(f"shard {shard + 1} is gone ({type(error.cause).__name__}: {error.cause}): begun again")
        if tries >= SHARD_TRIES:
            self._course.ask_a_person(f"shard {shard + 1} ended {tries} times before its share was done")
        self._course.show()
        pause = LOST_SHARD_PAUSES[min(tries, len(LOST_SHARD_PAUSES)) - 1]
        await workflow.sleep(pause, summary=f"shard {shard + 1} is begun again from its members' rows")

    async def _start_shard(
        self, plan: RunPlan, shard: int, steering: Steering
    ) -> ChildWorkflowHandle[PaymentRunShard, ShardProgress]:
        reported = self._course.reported(shard)
        request = ShardRequest(
            run_id=plan.run_id,
            # What it collects is named by a month.
            period=RunPeriod.parse(self._request.period).month,
            provider=plan.provider,
            shard=shard,
            window=plan.window,
            page=plan.page,
            is_shadow=self._request.is_shadow,
            report_every=1 + plan.members // (plan.page * REPORTS),
            steering=steering,
            tally=reported.tally,
            charged=reported.charged,
        )
        while True:
            try:
                return await workflow.start_child_workflow(
                    PaymentRunShard.run,
                    request,
                    id=workflow_ids.shard_id(plan.run_id, shard),
                    **visibility.shard_label(plan, shard),
                )
            except WorkflowAlreadyStartedError:
                # Terminating a run ends its shards as well, but a moment later.
                await workflow.sleep(TERMINATION_POLL, summary="a shard of the terminated run is still ending")

    async def _settle_decisions(self, plan: RunPlan) -> None:
        """Write down what operators decided, and do what is left to do about it."""
        course = self._course
        if course.calls_per_second is not None:
            await self._give_rate_back()
        if not course.decisions:
            return
        await workflow.execute_activity_method(
            RunActivities.record_run_decisions,
            course.decided(plan.run_id),
            summary="keep what operators decided",
            **DATABASE,
        )
        if course.steering.is_aborted:
            await workflow.execute_activity_method(
                RunActivities.release_members,
                plan.run_id,
                summary="release everyone who was not asked for money yet",
                **DATABASE_SWEEP,
            )

    async def _give_rate_back(self) -> None:
        try:
            await self._set_rate(None, "the run has ended")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            # The members' money does not wait for that: whoever runs next may set it, or give it back.
            self._course.note(f"the rate was not given back to its workers: {error.cause}")
            self._course.ask_a_person("rate_not_given_back")
            return
        self._course.note("rate back to its workers', for the run has ended")

    async def _start_mailing(self, plan: RunPlan) -> None:
        """Let receipts and alerts go out beside the run, which is over whatever a mail server does."""
        if self._request.is_shadow:
            return
        await workflow.execute_activity_method(
            MailingActivities.start_mailing,
            MailingStart(plan.run_id, workflow_ids.mailing_id(plan.run_id), workflow_ids.WORKFLOW_QUEUE),
            summary="leave receipts and alerts to a workflow of their own",
            **DATABASE,
        )

    async def _certify(self, plan: RunPlan) -> Certificate:
        return await workflow.execute_activity_method(
            RunActivities.certify_run,
            plan.run_id,
            summary="count every member once, and compare with the ledger",
            **DATABASE_SWEEP,
        )
