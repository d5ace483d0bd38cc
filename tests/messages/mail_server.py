"""A mail server with injected faults, and what tests read from the outbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from sandbox.servers.mail import Mailbox
from tests.support.builders import Merchant


class MailFault(StrEnum):
    """What a mail server does to the next message."""

    NONE = "none"
    BUSY_RECIPIENT = "busy_recipient"  # 450 to RCPT
    NO_RECIPIENT = "no_recipient"  # 550 with a status about the recipient to RCPT
    NO_RELAY = "no_relay"  # 550 without a status to RCPT
    NO_SENDER_DOMAIN = "no_sender_domain"  # 550 with a status about the sender to RCPT
    BLOCKED = "blocked"  # 550 with a status of policy that speaks of another to RCPT
    SENDER_REFUSED = "sender_refused"  # 553 to MAIL
    CLOSING = "closing"  # 421 to MAIL, and hangs up
    BUSY_CONTENT = "busy_content"  # 451 after the content
    REFUSED_CONTENT = "refused_content"  # 554 after the content
    DROPPED_BEFORE = "dropped_before"  # hangs up at RCPT
    DROPPED_IN_DATA = "dropped_in_data"  # hangs up at DATA
    DROPPED_AFTER = "dropped_after"  # takes the content, and hangs up without a word


_AT_MAIL = {MailFault.SENDER_REFUSED: "553 5.7.1 not you", MailFault.CLOSING: "421 4.3.2 closing"}
_AT_RCPT = {MailFault.BUSY_RECIPIENT: "450 4.2.1 later", MailFault.NO_RECIPIENT: "550 5.1.1 nobody here",
    MailFault.NO_RELAY: "550 relay not permitted", MailFault.NO_SENDER_DOMAIN: "550 5.1.8 no such domain of the sender",
    MailFault.BLOCKED: "550 5.7.1 blocked, see 5.1.1"}  # fmt: skip
_AT_END = {MailFault.BUSY_CONTENT: "451 4.3.0 later", MailFault.REFUSED_CONTENT: "554 5.7.1 not wanted"}
_NOT_TAKEN = frozenset({*_AT_MAIL, *_AT_RCPT, *_AT_END, MailFault.DROPPED_BEFORE, MailFault.DROPPED_IN_DATA})


class FaultyMailServer:
    """A mail server that speaks SMTP command by command, so that it can fail at any of them."""

    def __init__(self, *mail_faults: MailFault) -> None:
        self.port = 0
        self.mail_faults = list(mail_faults)
        self.taken: list[str] = []
        self.sessions = 0

    @property
    def url(self) -> str:
        """The address for DULY_SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""
        self.sessions += 1
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _reply(writer, "220 post.example")
        mail_fault = MailFault.NONE
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"MAIL":
                mail_fault = self.mail_faults.pop(0) if self.mail_faults else MailFault.NONE
                _reply(writer, _AT_MAIL.get(mail_fault, "250 go on"))
                if mail_fault is MailFault.CLOSING:
                    return
            elif word == b"RCPT":
                if mail_fault is MailFault.DROPPED_BEFORE:
                    return
                _reply(writer, _AT_RCPT.get(mail_fault, "250 go on"))
            elif word == b"DATA":
                if mail_fault is MailFault.DROPPED_IN_DATA:
                    return
                _reply(writer, "354 speak")
                content = await reader.readuntil(b"\r\n.\r\n")
                if mail_fault not in _NOT_TAKEN:
                    self.taken.append(content.decode())
                if mail_fault is MailFault.DROPPED_AFTER:
                    return
                _reply(writer, _AT_END.get(mail_fault, "250 taken"))
            else:
                _reply(writer, "221 bye" if word == b"QUIT" else "250 post.example")


def _reply(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(text.encode() + b"\r\n")


@asynccontextmanager
async def faulty_mail_server(*mail_faults: MailFault) -> AsyncIterator[FaultyMailServer]:
    """Serve on 127.0.0.1; each message meets the next fault, and after them there is none."""
    faulty = FaultyMailServer(*mail_faults)
    server = await asyncio.start_server(faulty.serve, "127.0.0.1", 0)
    faulty.port = server.sockets[0].getsockname()[1]
    async with server:
        yield faulty


async def outbox(merchant: Merchant) -> dict[str, tuple[str, str]]:
    """Return state and reason of every message by its id."""
    rows = await merchant.run("select id, state, reason from duly.messages order by id")
    return {row.id: (row.state, row.reason) for row in rows}


async def customers(merchant: Merchant) -> list[str]:
    """Return the ids of the messages to customers."""
    rows = await merchant.run("select id from duly.messages where audience = 'customer' order by created_at, id")
    return [row.id for row in rows]


def subjects(mailbox: Mailbox, recipient: str) -> list[str]:
    """Return the subjects of the messages to an address."""
    return [message.subject for message in mailbox.to(recipient)]
