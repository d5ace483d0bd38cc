"""The messages to a card's holder."""

from datetime import datetime

from temporalio import workflow

from activities.messages.outbox import MessageActivities
from models.messages.message import CardNotice, MessageKind
from models.workflow_ids import MAIL_QUEUE
from workflows.messages.outgoing import OutgoingMessages
from workflows.options import MAIL


class CardNotices:
    """The messages of one card. Each moment is notified once, whatever is repeated: its transition is the key."""

    def __init__(self, card_id: str) -> None:
        self._card_id = card_id
        self._outgoing = OutgoingMessages()

    @property
    def is_idle(self) -> bool:
        """Say whether everything has been sent."""
        return self._outgoing.is_idle

    def notify(self, kind: MessageKind, transition: str, *, at: datetime | None = None) -> None:
        """Begin to send, and go on."""
        notice = CardNotice(self._card_id, kind, transition, at)
        self._outgoing.begin(lambda: self._send(notice), card_id=notice.card_id, kind=notice.kind)

    async def finish(self) -> None:
        """Wait for what is being sent, but not for ever: the next mailing has the rest."""
        if not await self._outgoing.finished():
            workflow.logger.warning("message_left", extra={"card_id": self._card_id})

    async def _send(self, notice: CardNotice) -> None:
        await workflow.execute_activity_method(
            MessageActivities.notify_card,
            notice,
            task_queue=MAIL_QUEUE,
            summary=f"notify of {notice.kind}, {notice.transition}",
            **MAIL,
        )
