"""The signals, updates, queries and current details of a reduction."""

from collections.abc import Mapping

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from models.moment import in_utc
from models.money import Money
from models.operations.payment_states import REDUCTION, REDUCTION_PART
from models.operator_command import CommandError
from models.reductions.reduction import (
    NO_REMEDY_LEFT,
    PAID,
    REDUCTION_ENDED,
    AcceptedDecision,
    Decision,
    Reduction,
    ReductionDecision,
    ReductionPart,
    ReductionRequest,
    ReductionState,
    ReductionStatus,
)
from models.refunds.refund import RefundOutcome, RefundResult
from models.waiting import WakeReason
from workflows.markdown import beginning, listed, paragraphs
from workflows.operator_actions import OperatorAction, actions_text
from workflows.updates import async_question, until_answer
from workflows.waiting import Waiter

RECENT = 12
# The change since which a decision that was accepted before a fault comes before any plan or remedy.
DECIDED_FIRST = "decided-before-remedies"

WHERE: Mapping[str, str] = {
    ReductionState.AWARDED: "waits until its hold period is over",
    ReductionState.REFUNDING: "goes back to the customer",
    PAID: "the customer has it, unless a bank sends a refund back",
    "frozen": "waits, for a payment it hangs on is disputed",
    ReductionState.GRANTED: "the customer has it",
    ReductionState.CLAWED_BACK: "the sale was returned, so it was taken back",
    ReductionState.GIVEN_UP: "not granted, by a person's decision",
}

_DECIDE = OperatorAction(
    "decide",
    "credits it, tries again or gives it up, when no remedy is left",
    "reductions decide",
    '"decision": "credit"',
    "--decision credit",
)


class ReductionHandlers:
    """The signals, updates and queries of a reduction."""

    _request: ReductionRequest
    _waiter: Waiter
    _reduction: Reduction | None
    _refused: ApplicationError | None
    _decision: ReductionDecision | None
    _watched: set[str]

    @workflow.signal(description="A refund of this reduction has moved on, or is over.")
    def refund_moved(self, result: RefundResult, is_over: bool) -> None:
        """Look at the parts again."""
        if is_over:
            self._watched.discard(result.refund_id)
        if is_over or result.outcome is not RefundOutcome.REFUNDED:
            self._waiter.note(f"{result.refund_id}: {result.outcome}{', for good' if is_over else ''}")
        self._waiter.wake(WakeReason.REFUND_MOVED)

    @workflow.signal(description="A payment that it hangs on was disputed, decided, or returned.")
    def payment_changed(self) -> None:
        """Look at the sale again."""
        self._waiter.wake(WakeReason.PAYMENT_CHANGED)

    async def cancel_asked(self, reason: str) -> str:
        """Refuse: the award is owed, and its refunds may be on their way."""
        del reason
        return self._waiter.refuse_cancel("`decide` with `give_up` ends it when no remedy is left")

    def carried_after_fault(self) -> AcceptedDecision:
        """Return what was accepted and is not done."""
        return AcceptedDecision(self._waiter.accepted(), self._decision)

    @workflow.query(description="Where the reduction stands, and what comes next.")
    def status(self) -> ReductionStatus:
        """Return the reduction with its parts, the next moment and what happened."""
        waiter = self._waiter
        return ReductionStatus(self._reduction, waiter.next_action, waiter.next_action_at, waiter.history)

    @async_question("Wait until the award is written down, and return it.")
    async def accepted(self) -> Reduction:
        """Return the reduction; fails with the rule when the award is refused."""
        await until_answer(lambda: self._reduction is not None or self._refused is not None)
        return self._require_accepted()

    @async_question("Wait until all of it is granted, or a person is asked.")
    async def first_outcome(self) -> Reduction:
        """Return the reduction when nothing of it is open or under way, or nothing can be done without a person."""
        await until_answer(lambda: self._refused is not None or self._has_outcome())
        return self._require_accepted()

    @workflow.update(description="Decide what becomes of it, when no remedy is left.")
    def decide(self, command: ReductionDecision) -> str:
        """Credit it to the account, try other payments again, or give it up."""
        self._decision = command
        self._waiter.note(f"{command.decision}, says {command.actor}: {command.reason}")
        self._waiter.wake(WakeReason.DECIDED)
        return str(command.decision)

    @decide.validator
    def _may_decide(self, command: ReductionDecision) -> None:
        command.check()
        if not self._is_decision_wanted:
            raise CommandError("stage: no person is asked just now")
        if self._decision is not None:
            raise CommandError(f"stage: {self._decision.actor} has decided already: {self._decision.decision}")
        if command.decision not in Decision:
            raise CommandError(f"decision: must be one of {', '.join(Decision)}")

    def _require_accepted(self) -> Reduction:
        if self._refused is not None:
            raise ApplicationError(self._refused.message, type=self._refused.type, non_retryable=True)
        assert self._reduction is not None
        return self._reduction

    def _has_outcome(self) -> bool:
        reduction = self._reduction
        if reduction is None:
            return False
        is_granted = not reduction.open_minor and not reduction.under_way
        return is_granted or reduction.state in REDUCTION_ENDED or self._is_decision_wanted

    def _is_over(self, reduction: Reduction) -> bool:
        if reduction.is_sale_returned:
            return not reduction.under_way
        if reduction.state in {ReductionState.CLAWED_BACK, ReductionState.GIVEN_UP}:
            return True
        return not (reduction.under_way or reduction.open_minor or self._watched)

    def _taken_decision(self) -> ReductionDecision | None:
        return self._decision

    @property
    def _is_decision_wanted(self) -> bool:
        """Say whether a person is asked what becomes of it: other reviews leave nothing to decide."""
        return self._waiter.review_reason == NO_REMEDY_LEFT

    def _show(self) -> None:
        workflow.set_current_details(
            _details(self._request.award_id, self.status(), in_review=self._is_decision_wanted)
        )


def _details(award_id: str, status: ReductionStatus, *, in_review: bool) -> str:
    reduction = status.reduction
    if reduction is None:
        return beginning("awarding", f"`{award_id}` is being written down")
    stage = REDUCTION.word(reduction.stage, "frozen" if reduction.is_disputed else "")
    sale = f", for the sale `{reduction.payment_id}`" if reduction.payment_id else ""
    return paragraphs(
        f"### {stage}{f' ({reduction.reason})' if reduction.reason else ''}: {WHERE[stage]}",
        f"{Money(reduction.amount_minor, reduction.currency)} of `{reduction.merchant_id}` for `{reduction.account_id}`"
        f"{sale}; granted {Money(reduction.granted_minor, reduction.currency)}.",
        "\n".join(_part(each, reduction.currency) for each in reduction.parts),
        f"**Next** {in_utc(status.next_action_at)}: {status.next_action}" if status.next_action_at else "",
        listed("What happened", status.history, recent=RECENT),
        actions_text((_DECIDE,) if in_review else (), target=award_id),
    )


def _part(part: ReductionPart, currency: str) -> str:
    how = f"refund `{part.refund_id}`" if part.refund_id else "credit note"
    return f"- {Money(part.amount_minor, currency)} by {how}: {REDUCTION_PART.word(part.state)} {part.code}".rstrip()
