"""The signals, updates, queries and current details of a refund."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.refunds.refunds import RefundActivities
from models import workflow_ids
from models.gateway.gateway_request import RequestKind
from models.moment import in_utc
from models.money import Money
from models.operator_command import CommandError, OperatorCommand, UnknownResolution
from models.refunds.refund import RefundOutcome, RefundRequest, RefundResolution, RefundResult, RefundStatus
from models.waiting import AcceptedCommands, WakeReason
from workflows.markdown import beginning, listed, paragraphs
from workflows.operator_actions import OperatorAction, actions_text
from workflows.options import COLLECT_WAITING, PEOPLE
from workflows.updates import async_question, async_update, surfacing_refusal, until_answer
from workflows.waiting import Waiter

RECENT = 12

WHERE = {
    RefundOutcome.PENDING: "with the gateway, which has not finished it",
    RefundOutcome.UNKNOWN: "nobody knows whether it left; nothing else is asked for until there is evidence",
    RefundOutcome.DID_NOT_HAPPEN: "it never left; it is asked for anew",
    RefundOutcome.REFUNDED: "paid out; the bank may still send it back",
    RefundOutcome.REJECTED: "the gateway will not pay it; nothing was posted",
    RefundOutcome.PROVIDER_NOT_EFFECTIVE: "written down; it is sent when the provider is effective again",
    RefundOutcome.REVERSED: "the money came back, and the ledger has it again",
}

_CHECK = OperatorAction("check_now", "asks the gateway how it stands", "refunds check")
_RESOLVE = OperatorAction(
    "resolve_unknown",
    "settles it by the gateway's own id, which is checked, or by the decision `was_not_charged`: no money left",
    "refunds resolve",
    '"gateway_reference": "re_..."',
    "--gateway-reference re_...",
)
ORDERS: dict[RefundOutcome, tuple[OperatorAction, ...]] = {
    RefundOutcome.PENDING: (_CHECK,),
    RefundOutcome.UNKNOWN: (_RESOLVE, _CHECK),
    RefundOutcome.DID_NOT_HAPPEN: (),
    RefundOutcome.REFUNDED: (_CHECK,),
    RefundOutcome.REJECTED: (),
    RefundOutcome.REVERSED: (),
    RefundOutcome.PROVIDER_NOT_EFFECTIVE: (_CHECK,),
}


class RefundHandlers:
    """The signals, updates and queries of a refund."""

    _request: RefundRequest
    _waiter: Waiter
    _last: RefundResult | None
    _first: RefundResult | None
    _refused: ApplicationError | None

    @workflow.signal(description="The gateway has an event of this refund.")
    def gateway_event(self) -> None:
        """Look at the gateway: an event is a hint, never a fact."""
        self._waiter.wake(WakeReason.GATEWAY_EVENT)

    async def cancel_asked(self, reason: str) -> str:
        """Refuse: money may be on its way, and nobody else would find out."""
        del reason
        return self._waiter.refuse_cancel("it ends by itself when the refund is final")

    def carried_after_fault(self) -> AcceptedCommands:
        """Return what was accepted and is not done."""
        return AcceptedCommands(self._waiter.accepted())

    @workflow.query(description="Where the refund stands, and what comes next.")
    def status(self) -> RefundStatus:
        """Return the last answer, the next moment and what happened."""
        return RefundStatus(self._last, self._waiter.next_action, self._waiter.next_action_at, self._waiter.history)

    @async_question("Wait for the gateway's first answer and return it.")
    async def first_outcome(self) -> RefundResult:
        """Return what the first attempt came to; fails with the rule when the refund may not be."""
        await until_answer(lambda: self._first is not None or self._refused is not None)
        if self._refused is not None:
            raise ApplicationError(self._refused.message, type=self._refused.type, non_retryable=True)
        assert self._first is not None
        return self._first

    @workflow.update(description="Ask the gateway now how the refund stands.")
    def check_now(self, command: OperatorCommand) -> str:
        """Look at the gateway without waiting for the next moment."""
        self._waiter.note(f"check now, says {command.actor}: {command.reason}")
        self._waiter.wake(WakeReason.CHECK)
        return "check now"

    @async_update("Say what became of an unknown refund: by the gateway's id, or by decision.")
    async def resolve_unknown(self, command: UnknownResolution) -> RefundResult:
        """Settle the unknown refund. A gateway id is checked with the gateway; a decision is kept with its author."""
        assert self._last is not None
        with surfacing_refusal():
            resolved = await workflow.execute_activity_method(
                RefundActivities.resolve_refund,
                RefundResolution(self._request.refund_id, self._last.attempt, command),
                task_queue=workflow_ids.gateway_queue(self._request.provider),
                summary=f"check {command.gateway_reference or 'the decision that no money left'}",
                priority=PEOPLE,
                **COLLECT_WAITING,
            )
        self._waiter.note(f"resolved as {resolved.outcome} by {command.actor}: {command.reason}")
        self._waiter.wake(WakeReason.RESOLVED)
        return resolved

    @check_now.validator
    def _may_check(self, command: OperatorCommand) -> None:
        command.check()
        self._refuse_unless(
            RefundOutcome.PENDING, RefundOutcome.UNKNOWN, RefundOutcome.REFUNDED, RefundOutcome.PROVIDER_NOT_EFFECTIVE
        )

    @resolve_unknown.validator
    def _may_resolve(self, command: UnknownResolution) -> None:
        command.check()
        self._refuse_unless(RefundOutcome.UNKNOWN)

    def _refuse_unless(self, *outcomes: RefundOutcome) -> None:
        if self._last is None:
            raise CommandError("stage: the gateway has not been asked yet")
        if self._last.outcome not in outcomes:
            raise CommandError(f"stage: the refund is {self._last.outcome}, it must be {' or '.join(outcomes)}")

    def _show(self) -> None:
        workflow.set_current_details(_details(self._request.refund_id, self.status()))


def _details(refund_id: str, status: RefundStatus) -> str:
    result = status.result
    if result is None:
        return beginning("attempt", f"`{refund_id}` is being written down, and the gateway asked")
    what = "the whole payment" if result.kind is RequestKind.PAYMENT_CANCELLATION else "of payment"
    reason = f" ({result.code})" if result.code else ""
    amount = Money(result.amount_minor, result.currency) if result.currency else ""
    return paragraphs(
        f"### {result.outcome}{reason}: {WHERE[result.outcome]}",
        f"{amount} {what} `{result.payment_id}` of `{result.account_id}`; at the gateway"
        f" `{result.gateway_reference or 'not known'}`, in the ledger `{result.transaction_id or 'not yet'}`.",
        f"**Next** {in_utc(status.next_action_at)}: {status.next_action}" if status.next_action_at else "",
        listed("What happened", status.history, recent=RECENT),
        actions_text(ORDERS[result.outcome], target=refund_id),
    )
