"""What people, services and shards may say to a payment run. Validators refuse nonsense and say why."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception
from temporalio.workflow import ChildWorkflowHandle

from activities.runs.payment_runs import RunActivities
from activities.runs.queue_rate import QueueRateActivities
from models import workflow_ids
from models.operator_command import CommandError, OperatorCommand
from models.runs.process_run import ShardProgress
from models.runs.run_control import QueueRate, RateCommand, RunStage, RunStatus, RunSteering
from workflows.options import DATABASE, DATABASE_BRIEFLY, SERVER
from workflows.runs.payment_run_shard import PaymentRunShard
from workflows.runs.payment_run_state import PaymentRunState

# The change that lets the run's row say that it stands still: runs of earlier releases signal their shards alone.
ROW_IS_STEERED = "row-is-steered"


class PaymentRunHandlers:
    """The signals, updates and queries of a payment run."""

    _course: PaymentRunState
    # The shards that are under way, and the revision of the steering that each has been sent.
    _shards: dict[int, ChildWorkflowHandle[PaymentRunShard, ShardProgress]]
    _signalled_revision: dict[int, int]
    _keeping: asyncio.Lock
    has_answered_cancel = False

    @workflow.signal(description="A shard has something to report.")
    def shard_progressed(self, progress: ShardProgress) -> None:
        """Take note of what a shard has come to so far."""
        self._course.take(progress)

    @workflow.query(description="How many members have come to which outcome so far.")
    def totals(self) -> dict[str, int]:
        """Return the live totals by outcome."""
        return self._course.totals

    @workflow.query(description="Where the run stands: totals, money, pace, what it waits for, what was decided.")
    def status(self) -> RunStatus:
        """Return everything that the run knows about itself."""
        return self._course.status()

    @workflow.update(description="Start nothing new; payments in flight settle.")
    async def pause(self, command: OperatorCommand) -> RunStatus:
        """Pause the run. Every shard has been signalled when this returns."""
        return await self._steer("paused", command, is_paused=True)

    @workflow.update(description="Go on, also when the run waits for the gateway.")
    async def resume(self, command: OperatorCommand) -> RunStatus:
        """Resume the run; what waits for the gateway looks at once."""
        return await self._steer("resumed", command)

    @workflow.update(description="End the run: charged stays charged, the rest is released for the next run.")
    async def abort(self, command: OperatorCommand) -> RunStatus:
        """Abort the run. Payments in flight settle, collections go on, the certificate says who was released."""
        return await self._steer("aborted", command, is_aborted=True)

    @workflow.update(description="Set how many calls a second the provider's queue lets through; null gives it back.")
    async def change_rate(self, command: RateCommand) -> RunStatus:
        """Change the provider's rate, for all of its work, until the run ends. Fails where the server cannot."""
        await self._set_rate(command.rate, f"{command.actor}: {command.reason}")
        to = f"to {command.rate} calls a second" if command.rate else "back to its workers'"
        self._course.note(f"rate {to}, says {command.actor}: {command.reason}")
        self._course.show()
        return self._course.status()

    async def cancel_asked(self, reason: str) -> str:
        """Take it as a pause: nothing new starts, what is in flight settles, and a person says how it goes on."""
        self.has_answered_cancel = True
        command = OperatorCommand("Temporal's Cancel", reason or "no reason given")
        try:
            self._course.steering.check_pause(self._course.stage)
        except CommandError as error:
            self._course.note(f"a Cancel was refused: {error}")
            self._course.show()
            return f"refused, {error}"
        await self._steer("paused", command, is_paused=True)
        return "the run is paused; `resume` goes on, `abort` ends it"

    @pause.validator
    def _may_pause(self, command: OperatorCommand) -> None:
        command.check()
        self._course.steering.check_pause(self._course.stage)

    @resume.validator
    def _may_resume(self, command: OperatorCommand) -> None:
        command.check()
        self._course.steering.check_resume(self._course.stage)

    @abort.validator
    def _may_abort(self, command: OperatorCommand) -> None:
        command.check()
        self._course.steering.check_running(self._course.stage)

    @change_rate.validator
    def _may_change_rate(self, command: RateCommand) -> None:
        command.check()
        self._course.steering.check_running(self._course.stage)
        if self._course.is_shadow:
            raise CommandError("run: a shadow run asks no gateway, so there is no rate to change")
        if self._course.stage is RunStage.FREEZING:
            raise CommandError("stage: freezing; the run has no payments to pace yet")

    async def _steer(
        self, what: str, command: OperatorCommand, *, is_paused: bool = False, is_aborted: bool = False
    ) -> RunStatus:
        self._course.note(f"{what}, says {command.actor}: {command.reason}")
        self._course.steer(is_paused=is_paused, is_aborted=is_aborted)
        is_stopped = is_paused or is_aborted
        if not is_stopped:
            # First the row: what its shards ask for again must not be refused.
            await self._keep_steering()
        keeping = (self._keep_steering(),) if is_stopped else ()
        await asyncio.gather(*(self._signal_shard(shard) for shard in list(self._shards)), *keeping)
        return self._course.status()

    async def _keep_steering(self) -> None:
        """Write down how the run is steered: what is queued for the gateway is not begun while it stands still.

        That a run stands still is written while the database answers within four tries: its shards have been
        signalled, and without a database nothing is begun. That it goes on is written however long that takes.
        """
        if self._course.plan is None or self._course.is_shadow or not workflow.patched(ROW_IS_STEERED):
            return
        # One after the other: the last that is written is the last that was accepted.
        async with self._keeping:
            steering = self._course.steering.word
            try:
                await workflow.execute_activity_method(
                    RunActivities.steer_run,
                    RunSteering(self._course.plan.run_id, steering),
                    summary=f"begin no attempt: {steering}" if steering else "attempts may be begun",
                    **(DATABASE_BRIEFLY if steering else DATABASE),
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                self._course.note(f"what is queued is not stopped: {error.cause}")

    async def _signal_shard(self, shard: int) -> None:
        """Send a shard what it has not been sent yet. It carries that from page to page."""
        while shard in self._shards and self._signalled_revision[shard] < self._course.steering.revision:
            steering = self._course.steering
            self._signalled_revision[shard] = steering.revision
            try:
                await self._shards[shard].signal(PaymentRunShard.steer, steering)
            except FailureError as error:
                if is_cancelled_exception(error):
                    raise
                # It has come to its end meanwhile, and there is nothing left to steer.
                workflow.logger.info("shard_already_finished", extra={"shard": shard})

    async def _set_rate(self, calls_per_second: int | None, reason: str) -> None:
        plan = self._course.plan
        assert plan is not None
        await workflow.execute_activity_method(
            QueueRateActivities.set_queue_rate,
            QueueRate(workflow_ids.gateway_queue(plan.provider), calls_per_second, reason),
            summary=f"{calls_per_second or 'the workers own number of'} calls a second for {plan.provider}",
            **SERVER,
        )
        self._course.calls_per_second = calls_per_second
