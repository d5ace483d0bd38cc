"""Messages that a workflow sends beside its own steps, so that no mail server holds it up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.messages.outbox import MessageActivities
from models.workflow_ids import MAIL_QUEUE
from workflows.options import LAST_MESSAGE, MAIL


class OutgoingMessages:
    """Messages under way. One that cannot be sent is left to the next mailing: the outbox has it."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Say whether everything has been sent."""
        return not self._under_way

    def begin(self, send: Callable[[], Awaitable[None]], **about: Any) -> None:
        """Begin to send, and go on; `about` goes into the log if it fails."""
        task = asyncio.create_task(self._send(send, about))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def finished(self) -> bool:
        """Wait for what is being sent, but not for ever; False when something is left to the next mailing."""
        try:
            await workflow.wait_condition(
                lambda: self.is_idle, timeout=LAST_MESSAGE, timeout_summary="the last message is sent"
            )
        except TimeoutError:
            return False
        return True

    async def _send(self, send: Callable[[], Awaitable[None]], about: dict[str, Any]) -> None:
        try:
            await send()
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("message_left", extra=about)


async def send_pending(account_id: str) -> None:
    """Send what the outbox holds about an account: the commits that it tells of have written it."""
    await workflow.execute_activity_method(
        MessageActivities.notify_account, account_id, task_queue=MAIL_QUEUE, summary="send what is pending", **MAIL
    )
