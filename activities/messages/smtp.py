"""Handing messages to a mail server, and knowing of each whether it was taken, refused, put off, or nobody can say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTPDataError, SMTPException, SMTPRecipientRefused, SMTPResponseException

from activities.messages.rendering import RenderedMessage
from models.messages.delivery_report import NO_ADDRESS

# The server closes a session in which it wants no more mail.
CLOSING = 421

# To a recipient: there is no such mailbox, it has moved, its name is none, or its domain takes no mail (RFC 5321 and
# RFC 7505). The same codes refuse a sender, a relay or a blocked network, for every recipient alike. So only a
# status in front of the text (RFC 2034) is believed, and only one about the recipient's address.
_REFUSES_ADDRESS = frozenset({550, 551, 553, 556})


class Handover(StrEnum):
    """What became of a message."""

    TAKEN = "taken"
    REJECTED = "rejected"  # for good: a permanent negative reply (RFC 5321, 4.2.1)
    PUT_OFF = "put_off"  # not taken now; the server says it may be later
    IN_DOUBT = "in_doubt"  # it was being handed over, and no answer came


@dataclass(frozen=True)
class HandoverResult:
    """What became of a message, and the server's code; never its text, which may repeat the address."""

    handover: Handover
    code: str = ""
    # The server says that there is no such address: nothing more is sent to it.
    is_no_address: bool = False


class MailServerAwayError(Exception):
    """Nobody took the message: the server is away, or wants no mail of ours now. It may be handed over again."""


class MailSession:
    """A connection to the mail server."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client

    async def hand_over(self, message: RenderedMessage) -> HandoverResult:
        """Hand a message over. Raises MailServerAwayError where it is certain that the message was not taken."""
        refused = await self._announce(message)
        if refused is not None:
            return refused
        try:
            await self._client.data(message.content)
        except SMTPDataError as error:
            # An answer is an answer: until a server says 250 it has not taken the message (RFC 5321, 4.2.5).
            await self._begin_anew()
            return _not_taken(error)
        except (SMTPException, OSError) as error:
            return HandoverResult(Handover.IN_DOUBT, type(error).__name__)
        return HandoverResult(Handover.TAKEN)

    async def _announce(self, message: RenderedMessage) -> HandoverResult | None:
        """Name sender and recipient. Up to here the server has seen nothing of the message itself."""
        try:
            await self._client.mail(message.sender)
            await self._client.rcpt(message.recipient)
        except SMTPRecipientRefused as error:
            if error.code == CLOSING:
                raise MailServerAwayError(f"smtp_{CLOSING}") from None
            await self._begin_anew()
            return replace(_not_taken(error), is_no_address=_says_no_address(error))
        except (SMTPException, OSError) as error:
            # A sender that is refused is our own set-up's problem: it is no verdict on this message.
            raise MailServerAwayError(_word(error)) from None
        return None

    async def _begin_anew(self) -> None:
        with suppress(SMTPException, OSError):
            await self._client.rset()


class Mailer:
    """The mail server of DULY_SMTP_URL."""

    def __init__(self, url: str, *, timeout_seconds: float = 30.0) -> None:
        self._address = urlsplit(url)
        self._timeout_seconds = timeout_seconds

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Connect and log in. Raises MailServerAwayError when that does not succeed."""
        client = self._client()
        try:
            await client.connect()
        except (SMTPException, OSError) as error:
            raise MailServerAwayError(_word(error)) from None
        try:
            yield MailSession(client)
        finally:
            with suppress(SMTPException, OSError):
                await client.quit()
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        address = self._address
        return aiosmtplib.SMTP(
            hostname=address.hostname,
            port=address.port,
            use_tls=address.scheme == "smtps",
            username=unquote(address.username) if address.username else None,
            password=unquote(address.password) if address.password else None,
            timeout=self._timeout_seconds,
        )


def _not_taken(error: SMTPResponseException) -> HandoverResult:
    handover = Handover.PUT_OFF if 400 <= error.code < 500 else Handover.REJECTED
    return HandoverResult(handover, f"smtp_{error.code}")


def _says_no_address(error: SMTPResponseException) -> bool:
    return error.code in _REFUSES_ADDRESS and NO_ADDRESS.match(error.message.lstrip()) is not None


def _word(error: Exception) -> str:
    return f"smtp_{error.code}" if isinstance(error, SMTPResponseException) else type(error).__name__
