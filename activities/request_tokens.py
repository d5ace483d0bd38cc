"""Links of requests, into the portal and out of mail: made where they are handed out; the hashes alone are kept."""

import hashlib
import secrets

from activities.database import Database

# What our links end in is random beyond guessing, so that a bare hash of it cannot be turned back.
_TOKEN_BYTES = 32


def hash_of(token: str) -> str:
    """Return what is kept of the end of a link."""
    return hashlib.sha256(token.encode()).hexdigest()


class RequestLinks:
    """Makes links. Each leads to its request as long as that is kept; a repeat makes another one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def made(self, request_id: str, *, payer: int = 0) -> str:
        """Return the end of a new link, of one of several payers perhaps. Raises RuleBrokenError: no such request."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._database.call("note_request_link", id=request_id, token_hash=hash_of(token), payer=payer)
        return token

    async def given(self, request_id: str, *, actor: str, reason: str) -> str:
        """Return the end of a new link for a person, who is kept with it. Raises RuleBrokenError: it is over."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._database.call(
            "give_request_link", id=request_id, token_hash=hash_of(token), actor=actor, reason=reason
        )
        return token


class PortalLinks:
    """Makes links by which a customer signs in to the portal: each once, and soon over."""

    MINUTES = 30

    def __init__(self, database: Database) -> None:
        self._database = database

    async def made(self, account_id: str) -> str:
        """Return the end of a new link of an account. Raises RuleBrokenError: there is no such customer."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._database.call(
            "note_portal_link", account_id=account_id, token_hash=hash_of(token), minutes=self.MINUTES
        )
        return token


class OptOutLinks:
    """Makes links by which the reader of a letter opts out of letters like it; each is of one sending of one letter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def made(self, account_id: str, message_id: str, address_hash: str) -> str:
        """Return the end of a new link."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._database.call(
            "note_opt_out_link",
            account_id=account_id,
            message_id=message_id,
            address_hash=address_hash,
            token_hash=hash_of(token),
        )
        return token
