"""An SMTP server that delivers nothing: it keeps every message where a test or a person can read it."""

import asyncio
import contextlib
import email
import email.message
import email.policy
import weakref
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.servers.processes import ServiceError

SERVICE = "Mail catcher"
ACCEPTED = "250 Message accepted for delivery"


@dataclass(frozen=True)
class CaughtMessage:
    """One message as it was handed in: the envelope's addresses, and the parsed message."""

    sender: str
    recipients: tuple[str, ...]
    parsed: email.message.EmailMessage = field(repr=False)

    @property
    def subject(self) -> str:
        """The subject line."""
        return str(self.parsed.get("Subject", ""))

    @property
    def text(self) -> str:
        """The body as plain text, or "" if it has none."""
        body = self.parsed.get_body(("plain",))
        return "" if body is None else _lines(body)

    @property
    def html(self) -> str:
        """The body as HTML, or "" if it has none."""
        body = self.parsed.get_body(("html",))
        return "" if body is None else _lines(body)


class Mailbox:
    """All messages caught since the start or the last `clear`, oldest first."""

    def __init__(self, folder: Path | None = None) -> None:
        self.port = 0
        self._messages: list[CaughtMessage] = []
        self._folder = folder
        self._arrived = asyncio.Condition()

    @property
    def url(self) -> str:
        """The address for DULY_SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def messages(self) -> tuple[CaughtMessage, ...]:
        return tuple(self._messages)

    def to(self, recipient: str) -> tuple[CaughtMessage, ...]:
        """Return the messages to one address."""
        return tuple(message for message in self._messages if recipient in message.recipients)

    async def wait_for(self, count: int, *, timeout_seconds: float = 10.0) -> tuple[CaughtMessage, ...]:
        """Return the messages as soon as there are `count` of them; TimeoutError if they do not come."""
        async with asyncio.timeout(timeout_seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self._messages) >= count)
            return self.messages

    def clear(self) -> None:
        """Forget all messages. Files in the folder stay."""
        self._messages.clear()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep one message; the name is aiosmtpd's."""
        content = envelope.original_content or b""
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        self._messages.append(CaughtMessage(envelope.mail_from or "", tuple(envelope.rcpt_tos), parsed))
        if self._folder is not None:
            _write(self._folder, content)
        async with self._arrived:
            self._arrived.notify_all()
        return ACCEPTED


@contextlib.asynccontextmanager
async def running_mailbox(*, port: int = 0, folder: Path | None = None) -> AsyncIterator[Mailbox]:
    """Catch messages on 127.0.0.1, in this process; with a folder, also write each into it, as .eml."""
    loop = asyncio.get_running_loop()
    mailbox, sessions = Mailbox(folder), weakref.WeakSet[SMTP]()

    def new_session() -> SMTP:
        session = SMTP(mailbox, hostname="localhost", enable_SMTPUTF8=True, loop=loop)
        sessions.add(session)
        return session

    try:
        server = await loop.create_server(new_session, "127.0.0.1", port)
    except OSError as error:
        raise ServiceError(SERVICE, f"port {port} cannot be used: {error.strerror}") from None
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        for session in tuple(sessions):
            if session.transport is not None:
                session.transport.close()
        await server.wait_closed()


def _lines(body: email.message.MIMEPart) -> str:
    """Return a part's text with the line ends of this machine instead of SMTP's."""
    return str(body.get_content()).replace("\r\n", "\n")


def _write(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + sum(1 for _ in folder.glob("*.eml"))
    (folder / f"{number:06d}.eml").write_bytes(content)
