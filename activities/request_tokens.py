"""The links of payment requests: what one ends in is made where it is handed out, and its hash alone is kept."""

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
