"""The messages of a collection to its customer and to operators; no mail server holds the collection up."""

from collections.abc import Sequence
from datetime import datetime

from temporalio import workflow

from activities.messages.outbox import MessageActivities
from models.gateway.decline import Decline
from models.gateway.gateway_request import CollectResult
from models.messages.message import CustomerReason, MessageKind, Notice, customer_reason
from models.workflow_ids import MAIL_QUEUE
from workflows.collections.state import CollectionState
from workflows.messages.outgoing import OutgoingMessages
from workflows.options import MAIL


class CollectionNotices:
    """The messages of one collection. Each step is notified once, whatever is repeated: its transition is the key."""

    def __init__(self, state: CollectionState, kept: Sequence[Notice]) -> None:
        self._state = state
        self._kept = kept
        self._outgoing = OutgoingMessages[Notice]()

    @property
    def may_be_cut_off(self) -> bool:
        """Say whether the workflow may continue as new: what is not sent yet is carried along."""
        return self._outgoing.may_be_cut_off

    @property
    def kept(self) -> tuple[Notice, ...]:
        """What the next execution has to send."""
        return self._outgoing.kept

    def send_kept(self) -> None:
        """Begin to send what the execution before could not."""
        for notice in self._kept:
            self._begin(notice)

    def notify(
        self,
        kind: MessageKind | None = None,
        result: CollectResult | None = None,
        *,
        at: datetime | None = None,
        code: str = "",
    ) -> None:
        """Begin to notify of a step, and go on. Without a kind, what its commit has written is sent, and alerts are."""
        state = self._state
        decline = Decline(result.code, result.decline_code, result.advice_code) if result and result.code else None
        code = code or (decline.reason if decline else "")
        notice = Notice(
            account_id=state.request.account_id,
            period=state.request.period,
            kind=kind,
            transition=f"{state.snapshot.attempt}-{code}" if code else str(state.snapshot.attempt),
            amount_minor=(result.amount_minor if result else 0) or state.snapshot.terms.amount_minor,
            currency=state.snapshot.terms.currency,
            card_id=result.card_id if result else "",
            reason=customer_reason(decline) if decline else CustomerReason.UNSAID,
            code=code,
            at=at,
        )
        self._begin(notice)

    async def finish(self) -> None:
        """Wait for what is being sent, but not for ever."""
        if not await self._outgoing.finished():
            self._state.waiter.note("the last message is left to the next mailing")

    def _begin(self, notice: Notice) -> None:
        self._outgoing.begin(lambda: self._send(notice), notice, account_id=notice.account_id, kind=notice.kind)

    async def _send(self, notice: Notice) -> None:
        await workflow.execute_activity_method(
            MessageActivities.notify,
            notice,
            task_queue=MAIL_QUEUE,
            summary=f"notify of {notice.kind or 'what is pending'}, attempt {notice.transition}",
            **MAIL,
        )
