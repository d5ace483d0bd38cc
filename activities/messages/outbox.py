"""Sending what the outbox holds: claimed in the database before it is handed over, so that nothing is sent twice."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import structlog
from jinja2 import TemplateError
from pydantic import TypeAdapter
from sqlalchemy import literal, select, tuple_
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.database import Database
from activities.messages.attachments import Attachment, AttachmentError, Attachments, Files, FilesAhead
from activities.messages.rendering import MessageRenderer, NoMessageError, RenderedMessage, Sender
from activities.messages.smtp import Handover, HandoverResult, Mailer, MailServerAwayError, MailSession
from activities.messages.template_values import ClaimedMessage
from activities.request_tokens import OptOutLinks, PortalLinks, RequestLinks
from models.messages.message import CardNotice, MailedPage, MessageKind, MessageState, Notice
from models.tables.messages import MessageRow

log = structlog.get_logger(__name__)

PAGE = 100
ALERT_PAGE = 1000
SWEEP_SECONDS = 10 * 60.0

_CLAIMED = TypeAdapter(ClaimedMessage)
_IS_PENDING = MessageRow.state == MessageState.PENDING

# A message that was handed over without an answer stays `sending`: only a person may say that it goes out again.
_STATES = {
    Handover.TAKEN: MessageState.SENT,
    Handover.REJECTED: MessageState.FAILED,
    Handover.PUT_OFF: MessageState.PENDING,
    Handover.IN_DOUBT: MessageState.SENDING,
}


class MessageActivities:
    """Messages to customers and operators. Without a mailer nothing is sent, and messages are withheld."""

    def __init__(
        self,
        database: Database,
        renderer: MessageRenderer | None = None,
        mailer: Mailer | None = None,
        attachments: Attachments | None = None,
    ) -> None:
        self._database = database
        self._renderer = renderer or MessageRenderer(Sender())
        self._mailer = mailer
        self._attachments = attachments

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.notify, self.notify_card, self.notify_account, self.raise_run_alerts, self.send_page]

    @activity.defn
    async def notify(self, notice: Notice) -> None:
        """Write the message of a collection's step, once, and send what is pending about its account.

        Raises ApplicationError of type MailServerAway or MailPutOff: nothing is lost, and it is tried again.
        """
        pending = await self._database.call(
            "notify",
            account_id=notice.account_id,
            period=notice.period,
            kind=notice.kind or "",
            transition=notice.transition,
            parameters=notice.parameters(),
        )
        await self._send_all(pending)

    @activity.defn
    async def notify_card(self, notice: CardNotice) -> None:
        """Write the message to a card's holder, once, and send what is pending about their account.

        Raises ApplicationError of type MailServerAway or MailPutOff: nothing is lost, and it is tried again.
        """
        pending = await self._database.call(
            "notify_card",
            card_id=notice.card_id,
            kind=notice.kind,
            transition=notice.transition,
            parameters=notice.parameters(),
        )
        await self._send_all(pending)

    @activity.defn
    async def notify_account(self, account_id: str) -> None:
        """Send what the outbox has about an account: its commits have written it.

        Raises ApplicationError of type MailServerAway or MailPutOff: nothing is lost, and it is tried again.
        """
        pending = select(MessageRow.id).where(MessageRow.account_id == account_id, _IS_PENDING)
        rows = await self._database.read(pending.order_by(MessageRow.id))
        await self._send_all([row.id for row in rows])

    async def _send_all(self, ids: Sequence[str]) -> None:
        outcomes = await self._send(ids)
        if outcomes[MessageState.PENDING]:
            raise ApplicationError("the mail server takes it later", type="MailPutOff")

    @activity.defn
    async def raise_run_alerts(self, run_id: str) -> None:
        """Write the alerts that a run gives rise to, each once (S22, S41, S42)."""
        await self._database.call("alert_of_run", run_id=run_id, timeout_seconds=SWEEP_SECONDS)
        after = ""
        while True:
            activity.heartbeat(after)
            after = await self._database.call("alert_of_members", run_id=run_id, after=after, limit=ALERT_PAGE)
            if not after:
                return

    @activity.defn
    async def send_page(self, after: str) -> MailedPage:
        """Send the next pending messages behind `account message`. Raises ApplicationError of type MailServerAway."""
        account, _, message = after.partition(" ")
        place = tuple_(MessageRow.account_id, MessageRow.id)
        rows = await self._database.read(
            select(MessageRow.account_id, MessageRow.id)
            .where(_IS_PENDING, place > tuple_(literal(account), literal(message)))
            .order_by(MessageRow.account_id, MessageRow.id)
            .limit(PAGE)
        )
        outcomes = await self._send([row.id for row in rows])
        return MailedPage(
            after=f"{rows[-1].account_id} {rows[-1].id}" if len(rows) == PAGE else "",
            sent=outcomes[MessageState.SENT],
            deferred=outcomes[MessageState.PENDING],
            others=len(rows) - outcomes[MessageState.SENT] - outcomes[MessageState.PENDING],
        )

    async def _send(self, ids: Sequence[str]) -> Counter[MessageState]:
        outcomes: Counter[MessageState] = Counter()
        if not ids:
            return outcomes
        if self._mailer is None:
            await self._database.call("withhold_messages", ids=list(ids), reason="no_mail_server")
            return Counter({MessageState.WITHHELD: len(ids)})
        to_do, files = deque(ids), FilesAhead(self._attached, ids)
        try:
            await self._send_in_sessions(self._mailer, to_do, files, outcomes)
        finally:
            await files.end()
        return outcomes

    async def _send_in_sessions(
        self, mailer: Mailer, to_do: deque[str], files: FilesAhead, outcomes: Counter[MessageState]
    ) -> None:
        while to_do:
            before = len(to_do)
            try:
                async with mailer.session() as session:
                    while to_do:
                        outcomes[await _unbroken(self._send_one(session, to_do[0], files))] += 1
                        to_do.popleft()
                        activity.heartbeat()
            except MailServerAwayError as error:
                # Servers that take a few messages a session are met again at once, others later.
                if len(to_do) == before:
                    raise ApplicationError(str(error), type="MailServerAway") from None

    async def _send_one(self, session: MailSession, message_id: str, files: FilesAhead) -> MessageState:
        # Before it is claimed: what is claimed and left half-way is nobody's to send again but a person's.
        attached = await files.of(message_id)
        claimed = await self._database.call("claim_message", id=message_id)
        if claimed is None:
            return MessageState.WITHHELD
        message = _CLAIMED.validate_python(claimed)
        if isinstance(attached, AttachmentError):
            await self._note(message, MessageState.FAILED, f"not_attached: {attached}")
            return MessageState.WITHHELD
        rendered = await self._render(await self._linked(message), attached)
        if rendered is None:
            return MessageState.WITHHELD
        try:
            result = await session.hand_over(rendered)
        except MailServerAwayError:
            await self._note(message, MessageState.PENDING)
            raise
        return await self._note_handover(message, result)

    async def _linked(self, message: ClaimedMessage) -> ClaimedMessage:
        """Return the message with the link that is made for this sending of it, where it has one."""
        if message.request_id:
            token = await RequestLinks(self._database).made(message.request_id, payer=message.payer)
        elif message.kind is MessageKind.PORTAL_LINK:
            token = await PortalLinks(self._database).made(message.account_id)
        elif message.is_optional and self._renderer.has_portal:
            token = await OptOutLinks(self._database).made(message.account_id, message.id, message.address_hash)
        else:
            return message
        return replace(message, link_token=token)

    async def _attached(self, message_id: str) -> Files:
        if self._attachments is None:
            return ()
        try:
            return await self._attachments.of(message_id)
        except AttachmentError as error:
            return error

    async def _render(self, message: ClaimedMessage, attached: Sequence[Attachment]) -> RenderedMessage | None:
        """Write the message, or note why there is none."""
        try:
            return self._renderer.compose(message, attached)
        except NoMessageError as error:
            await self._note(message, MessageState.FAILED if error.is_final else MessageState.WITHHELD, error.reason)
        except (TemplateError, LookupError, TypeError, ValueError) as error:
            # One message that cannot be written must not hold up the others.
            await self._note(message, MessageState.FAILED, f"not_written: {type(error).__name__}")
        return None

    async def _note_handover(self, message: ClaimedMessage, result: HandoverResult) -> MessageState:
        state = _STATES[result.handover]
        reason = f"{result.handover} {result.code}".strip() if state is not MessageState.SENT else ""
        await self._note(message, state, reason)
        if result.is_no_address:
            await self._database.call("note_bounce", message_id=message.id, address_hash=message.address_hash)
        return state

    async def _note(self, message: ClaimedMessage, state: MessageState, reason: str = "") -> None:
        if reason:
            log.warning("message_not_sent", message_id=message.id, state=state, reason=reason)
        await self._database.call(
            "note_message", id=message.id, claimed_at=message.claimed_at, state=state, reason=reason
        )


async def _unbroken(work: Coroutine[Any, Any, MessageState]) -> MessageState:
    """Let the message in a worker's hand go all the way when the worker is stopped: half-way nobody would know."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
