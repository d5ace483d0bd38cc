"""What a collection tells its customer and the operators: beside its course, so that no mail server holds it up."""

from datetime import datetime

from temporalio import workflow

from activities.messages.outbox import MessageActivities
from models.gateway.decline import Decline
from models.gateway.gateway_request import CollectResult
from models.messages.message import CustomerReason, MessageKind, Notice, customer_reason
from workflows.collections.state import Case
from workflows.messages.outgoing import OutgoingMessages
from workflows.options import MAIL
from workflows.visibility import MAIL_QUEUE


class CollectionNotices:
    """The messages of one collection. Each step is told once, whatever is repeated: its transition is the key."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._outgoing = OutgoingMessages()

    @property
    def is_idle(self) -> bool:
        """Say whether everything has been told."""
        return self._outgoing.is_idle

    def tell(
        self,
        kind: MessageKind | None = None,
        result: CollectResult | None = None,
        *,
        at: datetime | None = None,
        code: str = "",
    ) -> None:
        """Begin to tell of a step, and go on. Without a kind, what its commit has written is sent, and alerts are."""
        case = self._case
        decline = Decline(result.code, result.decline_code, result.advice_code) if result and result.code else None
        code = code or (decline.reason if decline else "")
        notice = Notice(
            account_id=case.request.account_id,
            period=case.request.period,
            kind=kind,
            transition=f"{case.state.attempt}-{code}" if code else str(case.state.attempt),
            amount_minor=(result.amount_minor if result else 0) or case.state.terms.amount_minor,
            currency=case.state.terms.currency,
            card_id=result.card_id if result else "",
            reason=customer_reason(decline) if decline else CustomerReason.UNSAID,
            code=code,
            at=at,
        )
        self._outgoing.begin(lambda: self._tell(notice), account_id=notice.account_id, kind=notice.kind)

    async def finish(self) -> None:
        """Wait for what is being told, but not for ever."""
        if not await self._outgoing.finished():
            self._case.note("the last message is left to the next mailing")

    async def _tell(self, notice: Notice) -> None:
        await workflow.execute_activity_method(
            MessageActivities.tell,
            notice,
            task_queue=MAIL_QUEUE,
            summary=f"tell of {notice.kind or 'what there is'}, attempt {notice.transition}",
            **MAIL,
        )
