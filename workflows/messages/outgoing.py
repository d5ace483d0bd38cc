"""Messages that a workflow sends beside its own steps, so that no mail server holds it up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.messages.outbox import MessageActivities
from models.workflow_ids import MAIL_QUEUE
from workflows.options import LAST_MESSAGE, MAIL

Kept = TypeVar("Kept")


# What has to be said is in the outbox already: what is left of it is the next mailing's.
IN_OUTBOX = "in_outbox"


class OutgoingMessages(Generic[Kept]):
    """Messages under way. One that cannot be sent is left to the next mailing: the outbox has it.

    A mail server may be away for days. What is under way meanwhile is carried to the next execution, if it is kept.
    """

    def __init__(self) -> None:
        self._under_way: dict[asyncio.Task[None], Kept | str | None] = {}

    @property
    def is_idle(self) -> bool:
        """Say whether everything has been sent."""
        return not self._under_way

    @property
    def may_be_cut_off(self) -> bool:
        """Say whether nothing is lost when the workflow continues as new now: all is sent, kept, or in the outbox."""
        return all(kept is not None for kept in self._under_way.values())

    @property
    def kept(self) -> tuple[Kept, ...]:
        """What the next execution has to send again; each message is written once, whatever is repeated."""
        return tuple(kept for kept in self._under_way.values() if kept is not None and not isinstance(kept, str))

    def begin(self, send: Callable[[], Awaitable[None]], kept: Kept | str | None = None, **about: Any) -> None:
        """Begin to send, and go on; `kept` is carried to the next execution, `about` goes into the log if it fails."""
        task = asyncio.create_task(self._send(send, about))
        self._under_way[task] = kept
        task.add_done_callback(self._under_way.pop)

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
