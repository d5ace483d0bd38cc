"""Who is in the portal: links and sessions, each of one account; their tokens are kept as hashes alone."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from activities.database import Database
from activities.request_tokens import hash_of

_TOKEN_BYTES = 32
# As long a page waits for it: no customer looks at an empty page for longer while the database is away.
SESSION_SECONDS = 5.0


@dataclass(frozen=True)
class PortalCustomer:
    """The account whose session it is, as it is now."""

    account_id: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    locale: str
    time_zone: str
    currency: str
    # Of an account that is terminated everything is seen, and nothing paid, saved or redeemed any more.
    is_ended: bool


class PortalAccess:
    """Lets customers in, and out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, email: str) -> Sequence[str]:
        """Write the message with a link for each account of an address; return those accounts, which nobody is told."""
        asked: Sequence[str] = await self._database.call("ask_portal_link", email=email)
        return asked

    async def started(self, link: str, page: str = "") -> str:
        """Use a link up and return the token of the session that it begins; "" for one that is good no more.

        `page` is the key of the page whose button was pressed, "" where it has none: pressed twice, it begins another.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        is_started = await self._database.call(
            "start_portal_session",
            link_hash=hash_of(link),
            token_hash=hash_of(token),
            page_hash=hash_of(page) if page else None,
        )
        return token if is_started else ""

    async def of_session(self, token: str) -> PortalCustomer | None:
        """Return whose session it is, or None when it is over."""
        found = await self._database.call(
            "customer_of_session", timeout_seconds=SESSION_SECONDS, token_hash=hash_of(token)
        )
        return PortalCustomer(**found) if found else None

    async def end(self, token: str) -> None:
        """End a session."""
        await self._database.call("end_portal_session", token_hash=hash_of(token))

    async def end_all(self, account_id: str) -> int:
        """End all sessions and links of an account; return how many sessions. Raises RuleBrokenError: no such one."""
        return int(await self._database.call("end_portal_sessions", account_id=account_id))
