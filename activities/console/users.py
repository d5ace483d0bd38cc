"""Users of the console: kept, changed, and seen to sign in."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Text, cast, select

from activities.console.passwords import hashed, is_password
from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.console.console_user import ConsoleUser
from models.console.roles import ConsoleRole
from models.listing import ListPage
from models.tables.operations import SignInRow, UserRow

TOKEN_BYTES = 32

_USERS = select(
    UserRow.id, UserRow.role, UserRow.state, UserRow.merchants, UserRow.created_at, UserRow.changed_at
).order_by(UserRow.id)
_LIST = NewestFirst(_USERS.order_by(None), moment=UserRow.created_at, key=UserRow.id, state=UserRow.state)
_SIGN_INS = NewestFirst(
    select(SignInRow.id, SignInRow.user_id, SignInRow.method, SignInRow.outcome, SignInRow.address, SignInRow.tried_at),
    moment=SignInRow.tried_at,
    key=cast(SignInRow.id, Text),
    state=SignInRow.outcome,
)

# Every page asks who has the session before anything else: while the database is away, each would wait that long.
SESSION_SECONDS = 5.0


class Users:
    """Keeps users and their sessions, and reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, id: str, role: ConsoleRole, password: str, merchants: Sequence[str] = (), *, actor: str = ""
    ) -> None:
        """Add a user; without a password only a provider of identities lets them in. Raises RuleBrokenError.

        With merchants they see the customers of those alone. `change_by_two`: another person approves it first.
        """
        kept = await hashed(password) if password else ""
        limit = list(merchants)
        await self._database.call("add_user", id=id, role=role.value, password_hash=kept, merchants=limit, actor=actor)

    async def change(
        self,
        id: str,
        *,
        role: ConsoleRole | None = None,
        password: str = "",
        state: str = "",
        merchants: Sequence[str] | None = None,
        actor: str = "",
    ) -> None:
        """Change what is given of a user, whose sessions end; no merchants are all. Raises RuleBrokenError.

        `change_by_two`: it gives more rights, and another person approves it first.
        """
        kept = await hashed(password) if password else None
        limit = None if merchants is None else list(merchants)
        await self._database.call(
            "change_user", id=id, role=role, password_hash=kept, state=state or None, merchants=limit, actor=actor
        )

    async def every(self) -> Sequence[Row[Any]]:
        """Return all users by name."""
        return await self._database.read(_USERS)

    async def page(self, page: ListPage, *, role: str, state: str) -> Listed:
        """Return a page of users, the newest first; empty filters let all through."""
        filters = (*matching(UserRow.role, role), *matching(UserRow.state, state))
        return await _LIST.page(self._database, page, *filters, with_totals=False)

    async def sign_ins(self, page: ListPage, *, user_id: str) -> Listed:
        """Return a page of attempts to sign in, the newest first."""
        return await _SIGN_INS.page(self._database, page, *matching(SignInRow.user_id, user_id), with_totals=False)

    async def signed_in(self, id: str, password: str, address: str) -> str:
        """Start a session for a user's password and return its token, "" when it is refused; both are kept."""
        row = UserRow
        found = await self._database.read_first(select(row.password_hash, row.state).where(row.id == id))
        is_right = await is_password(found.password_hash if found else "", password)
        if found is None or not is_right or found.state != "active":
            outcome = "unknown_user" if found is None else "disabled" if is_right else "wrong"
            await self.note(id, "password", outcome, address)
            return ""
        return await self.started(id, "password", address)

    async def has_password(self, id: str, password: str) -> bool:
        """Tell whether a user's password is this one. Nothing begins by it."""
        found = await self._database.read_first(select(UserRow.password_hash).where(UserRow.id == id))
        return await is_password(found.password_hash if found else "", password)

    async def known(self, id: str) -> bool:
        """Tell whether there is such a user who is not disabled."""
        row = UserRow
        return await self._database.read_first(select(row.id).where(row.id == id, row.state == "active")) is not None

    async def now(self, id: str) -> ConsoleUser | None:
        """Return a user as they are now; None: there is none, or they are disabled."""
        row = UserRow
        found = await self._database.read_first(
            select(row.id, row.role, row.merchants).where(row.id == id, row.state == "active")
        )
        return ConsoleUser(found.id, ConsoleRole(found.role), tuple(found.merchants)) if found else None

    async def started(self, id: str, method: str, address: str) -> str:
        """Start a session and return its token, of which the hash alone is kept."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await self._database.call(
            "start_session", token_hash=token_hash(token), user_id=id, method=method, address=address
        )
        return token

    async def note(self, id: str, method: str, outcome: str, address: str) -> None:
        """Keep an attempt that did not end in a session."""
        await self._database.call("note_sign_in", user_id=id, method=method, outcome=outcome, address=address)

    async def of_session(self, token: str, *, is_used: bool = True) -> ConsoleUser | None:
        """Return who has a session, or None when it is over. What a page asks for by itself does not use it."""
        known = {"token_hash": token_hash(token)}
        if is_used:
            found = await self._database.call("user_of_session", timeout_seconds=SESSION_SECONDS, **known)
        else:
            found = await self._database.call("user_of_open_page", timeout_seconds=SESSION_SECONDS, **known)
        if not found:
            return None
        return ConsoleUser(found["id"], ConsoleRole(found["role"]), tuple(found["merchants"]))

    async def end(self, token: str, address: str) -> None:
        """End a session."""
        await self._database.call("end_session", token_hash=token_hash(token), address=address)


def token_hash(token: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).digest()
