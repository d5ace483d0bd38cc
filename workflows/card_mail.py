"""What a card's holder is told: beside the card's course, so that no mail server holds it up."""

import asyncio
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.messages import MessageActivities
from models.message import CardNotice, MessageKind
from workflows.options import LAST_MESSAGE, MAIL
from workflows.visibility import MAIL_QUEUE


class CardMail:
    """The messages of one card. Each moment is told once, whatever is repeated: its transition is the key."""

    def __init__(self, card_id: str) -> None:
        self._card_id = card_id
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Say whether everything has been told."""
        return not self._under_way

    def tell(self, kind: MessageKind, transition: str, *, at: datetime | None = None) -> None:
        """Begin to tell, and go on."""
        task = asyncio.create_task(self._tell(CardNotice(self._card_id, kind, transition, at)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def finish(self) -> None:
        """Wait for what is being told, but not for ever: the next mailing has the rest."""
        try:
            await workflow.wait_condition(
                lambda: self.is_idle, timeout=LAST_MESSAGE, timeout_summary="the last message is sent"
            )
        except TimeoutError:
            workflow.logger.warning("message_left", extra={"card_id": self._card_id})

    async def _tell(self, notice: CardNotice) -> None:
        try:
            await workflow.execute_activity_method(
                MessageActivities.tell_card,
                notice,
                task_queue=MAIL_QUEUE,
                summary=f"tell of {notice.kind}, {notice.transition}",
                **MAIL,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("message_left", extra={"card_id": notice.card_id, "kind": notice.kind})
