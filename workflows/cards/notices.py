"""The messages to a card's holder."""

from collections.abc import Sequence
from datetime import datetime

from temporalio import workflow

from activities.messages.outbox import MessageActivities
from models.messages.message import CardNotice, MessageKind
from models.workflow_ids import MAIL_QUEUE
from workflows.messages.outgoing import OutgoingMessages
from workflows.options import MAIL


class CardNotices:
    """The messages of one card. Each moment is notified once, whatever is repeated: its transition is the key."""

    def __init__(self, card_id: str, kept: Sequence[CardNotice]) -> None:
        self._card_id = card_id
        self._kept = kept
        self._outgoing = OutgoingMessages[CardNotice]()

    @property
    def may_be_cut_off(self) -> bool:
        """Say whether the workflow may continue as new: what is not sent yet is carried along."""
        return self._outgoing.may_be_cut_off

    @property
    def kept(self) -> tuple[CardNotice, ...]:
        """What the next execution has to send."""
        return self._outgoing.kept

    def send_kept(self) -> None:
        """Begin to send what the execution before could not."""
        for notice in self._kept:
            self._begin(notice)

    def notify(self, kind: MessageKind, transition: str, *, at: datetime | None = None) -> None:
        """Begin to send, and go on."""
        self._begin(CardNotice(self._card_id, kind, transition, at))

    async def finish(self) -> None:
        """Wait for what is being sent, but not for ever: the next mailing has the rest."""
        if not await self._outgoing.finished():
            workflow.logger.warning("message_left", extra={"card_id": self._card_id})

    def _begin(self, notice: CardNotice) -> None:
        self._outgoing.begin(lambda: self._send(notice), notice, card_id=notice.card_id, kind=notice.kind)

    async def _send(self, notice: CardNotice) -> None:
        await workflow.execute_activity_method(
            MessageActivities.notify_card,
            notice,
            task_queue=MAIL_QUEUE,
            summary=f"notify of {notice.kind}, {notice.transition}",
            **MAIL,
        )
