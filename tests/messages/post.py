"""A mail server that misbehaves when told to, and what tests read from the outbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from sandbox.servers.mail import Mailbox
from tests.support.builders import Merchant


class Trouble(StrEnum):
    """What a mail server does to the next letter."""

    NONE = "none"
    BUSY_RECIPIENT = "busy_recipient"  # 450 to RCPT
    NO_RECIPIENT = "no_recipient"  # 550 to RCPT
    SENDER_REFUSED = "sender_refused"  # 553 to MAIL
    CLOSING = "closing"  # 421 to MAIL, and hangs up
    BUSY_CONTENT = "busy_content"  # 451 after the content
    REFUSED_CONTENT = "refused_content"  # 554 after the content
    DROPPED_BEFORE = "dropped_before"  # hangs up at RCPT
    DROPPED_IN_DATA = "dropped_in_data"  # hangs up at DATA
    DROPPED_AFTER = "dropped_after"  # takes the content, and hangs up without a word


_AT_MAIL = {Trouble.SENDER_REFUSED: "553 5.7.1 not you", Trouble.CLOSING: "421 4.3.2 closing"}
_AT_RCPT = {Trouble.BUSY_RECIPIENT: "450 4.2.1 later", Trouble.NO_RECIPIENT: "550 5.1.1 nobody here"}
_AT_END = {Trouble.BUSY_CONTENT: "451 4.3.0 later", Trouble.REFUSED_CONTENT: "554 5.7.1 not wanted"}
_NOT_TAKEN = frozenset({*_AT_MAIL, *_AT_RCPT, *_AT_END, Trouble.DROPPED_BEFORE, Trouble.DROPPED_IN_DATA})


class TroubledPost:
    """A mail server in front of nothing: it speaks SMTP word by word, so that it can stop at any of them."""

    def __init__(self, *troubles: Trouble) -> None:
        self.port = 0
        self.troubles = list(troubles)
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
        _say(writer, "220 post.example")
        trouble = Trouble.NONE
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"MAIL":
                trouble = self.troubles.pop(0) if self.troubles else Trouble.NONE
                _say(writer, _AT_MAIL.get(trouble, "250 go on"))
                if trouble is Trouble.CLOSING:
                    return
            elif word == b"RCPT":
                if trouble is Trouble.DROPPED_BEFORE:
                    return
                _say(writer, _AT_RCPT.get(trouble, "250 go on"))
            elif word == b"DATA":
                if trouble is Trouble.DROPPED_IN_DATA:
                    return
                _say(writer, "354 speak")
                content = await reader.readuntil(b"\r\n.\r\n")
                if trouble not in _NOT_TAKEN:
                    self.taken.append(content.decode())
                if trouble is Trouble.DROPPED_AFTER:
                    return
                _say(writer, _AT_END.get(trouble, "250 taken"))
            else:
                _say(writer, "221 bye" if word == b"QUIT" else "250 post.example")


def _say(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(text.encode() + b"\r\n")


@asynccontextmanager
async def troubled_post(*troubles: Trouble) -> AsyncIterator[TroubledPost]:
    """Serve on 127.0.0.1; each letter takes the next trouble, and after them there is none."""
    post = TroubledPost(*troubles)
    server = await asyncio.start_server(post.serve, "127.0.0.1", 0)
    post.port = server.sockets[0].getsockname()[1]
    async with server:
        yield post


async def outbox(merchant: Merchant) -> dict[str, tuple[str, str]]:
    """Return state and reason of every message by its id."""
    rows = await merchant.run("select id, state, reason from duly.messages order by id")
    return {row.id: (row.state, row.reason) for row in rows}


async def customers(merchant: Merchant) -> list[str]:
    """Return the ids of the messages to customers."""
    rows = await merchant.run("select id from duly.messages where audience = 'customer' order by created_at, id")
    return [row.id for row in rows]


def subjects(mailbox: Mailbox, recipient: str) -> list[str]:
    """Return what was said to an address, by subject."""
    return [message.subject for message in mailbox.to(recipient)]
