"""What people may say to a refund run: pause it, and let it go on. Validators refuse nonsense and say why."""

from temporalio import workflow

from models.operator_command import CommandError, OperatorCommand
from models.runs.refund_run import RefundRunOrders, RefundRunStatus
from models.runs.run_control import RunStage
from workflows import visibility
from workflows.updates import async_update
from workflows.waiting import noted


class RefundRunSteering:
    """The updates of a refund run, and the query that says what they have come to.

    A paused run reserves nothing for anybody else. What is reserved already, a page of members at most, goes back all
    the same: each refund has a workflow of its own.
    """

    _members: int
    _sent: int
    _answered: int
    _handed_over: int
    _is_paused = False
    _is_ending = False
    _decisions: tuple[str, ...] = ()

    @workflow.query(description="Where the run stands, how far it is, and what was decided.")
    def status(self) -> RefundRunStatus:
        """Return everything that the run knows about itself."""
        return RefundRunStatus(
            self._stage, self._members, self._sent, self._answered, self._handed_over, self._decisions
        )

    def carried_after_fault(self) -> RefundRunOrders:
        """Return how the run is steered: one that is paused must begin with nobody after a fault."""
        return RefundRunOrders(self._is_paused, self._decisions)

    @async_update("Begin with nobody else; what was asked for goes back.")
    async def pause(self, command: OperatorCommand) -> RefundRunStatus:
        """Pause the run."""
        return self._steer("paused", command, is_paused=True)

    @async_update("Go on with the next members.")
    async def resume(self, command: OperatorCommand) -> RefundRunStatus:
        """Resume the run."""
        return self._steer("resumed", command, is_paused=False)

    @pause.validator
    def _may_pause(self, command: OperatorCommand) -> None:
        command.check()
        self._require_running()
        if self._is_paused:
            raise CommandError("stage: paused; the run is paused already")

    @resume.validator
    def _may_resume(self, command: OperatorCommand) -> None:
        command.check()
        self._require_running()
        if not self._is_paused:
            raise CommandError(f"stage: {self._stage}; the run is not paused")

    def _require_running(self) -> None:
        if self._is_ending:
            raise CommandError("stage: certifying; everybody was asked for, and nothing is left to steer")

    @property
    def _stage(self) -> RunStage:
        if self._is_ending:
            return RunStage.CERTIFYING
        return RunStage.PAUSED if self._is_paused else RunStage.COLLECTING

    def _steer(self, what: str, command: OperatorCommand, *, is_paused: bool) -> RefundRunStatus:
        decision = f"{workflow.now():%Y-%m-%d %H:%M}Z {what}, says {command.actor}: {command.reason}"
        self._decisions = (*self._decisions, noted(decision))
        self._is_paused = is_paused
        workflow.upsert_search_attributes([visibility.STAGE.value_set(self._stage)])
        return self.status()
