"""Passkeys of the console's users: registered, used and removed, and the challenges that are answered once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from activities.console.users import token_hash
from activities.database import Database, matching
from models.tables.operations import PasskeyRow, UserRow

_SHOWN = (
    *(PasskeyRow.id, PasskeyRow.user_id, PasskeyRow.name, PasskeyRow.is_synced, PasskeyRow.created_at),
    *(PasskeyRow.used_at, PasskeyRow.removed_at, PasskeyRow.removed_by),
)


class Passkeys:
    """Keeps what devices of users have proven. Whether a signature is right is the caller's to verify."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, challenge: bytes, session: str = "") -> None:
        """Keep a challenge for five minutes: of a session that registers, or of whoever signs in."""
        await self._database.call("begin_passkey", challenge=challenge, session_hash=_hash(session))

    async def take(self, challenge: bytes, session: str = "") -> bool:
        """Tell whether a challenge may be answered. It is not asked again."""
        return bool(
            await self._database.call("take_passkey_challenge", challenge=challenge, session_hash=_hash(session))
        )

    async def is_fresh(self, session: str) -> bool:
        """Tell whether a session began within the last ten minutes."""
        return bool(await self._database.call("is_fresh_session", token_hash=token_hash(session)))

    async def handle_of(self, user_id: str) -> bytes:
        """Return what a user's devices know them by."""
        found = await self._database.read_first(select(UserRow.handle).where(UserRow.id == user_id))
        return bytes(found.handle) if found else b""

    async def add(
        self, user_id: str, name: str, credential_id: bytes, public_key: bytes, *, sign_count: int, is_synced: bool
    ) -> str:
        """Register a passkey and return its id. Raises RuleBrokenError: the name or the passkey is there already."""
        added: str = await self._database.call(
            "add_passkey",
            user_id=user_id,
            name=name,
            credential_id=credential_id,
            public_key=public_key,
            sign_count=sign_count,
            is_synced=is_synced,
        )
        return added

    async def by_credential(self, credential_id: bytes) -> Row[Any] | None:
        """Return the passkey that a device names, with its user's state and handle; None when there is none in use."""
        row = PasskeyRow
        query = select(row.id, row.user_id, row.public_key, row.sign_count, UserRow.state, UserRow.handle).join(
            UserRow, UserRow.id == row.user_id
        )
        return await self._database.read_first(
            query.where(row.credential_id == credential_id, row.removed_at.is_(None))
        )

    async def used(self, id: str, before: int, count: int) -> bool:
        """Keep a counter. False: the passkey was used or removed meanwhile, or its user disabled."""
        return bool(
            await self._database.call("use_passkey", id=id, sign_count_before=before, sign_count=count),
        )

    async def remove(
        self, id: str, user_id: str, by: str, *, is_last: bool, has_provider: bool, session: str = ""
    ) -> None:
        """Remove a passkey; other sessions that began by one end.

        Raises RuleBrokenError: there is none, or it is the last way to sign in (no password, and no `has_provider`).
        That one is removed only where `is_last` says that it is meant.
        """
        await self._database.call(
            "remove_passkey",
            id=id,
            user_id=user_id,
            by=by,
            is_last=is_last,
            has_provider=has_provider,
            session_hash=_hash(session),
        )

    async def every(self, user_id: str = "", *, is_in_use: bool = False) -> Sequence[Row[Any]]:
        """Return passkeys, the newest first: of a user, and those in use alone, where that is asked for."""
        query = select(*_SHOWN).where(*matching(PasskeyRow.user_id, user_id))
        if is_in_use:
            query = query.where(PasskeyRow.removed_at.is_(None))
        return await self._database.read(query.order_by(PasskeyRow.created_at.desc(), PasskeyRow.id))

    async def credentials_of(self, user_id: str) -> Sequence[bytes]:
        """Return what a user's devices call the passkeys that are in use."""
        row = PasskeyRow
        query = select(row.credential_id).where(row.user_id == user_id, row.removed_at.is_(None))
        return [bytes(found.credential_id) for found in await self._database.read(query)]


def _hash(session: str) -> bytes | None:
    return token_hash(session) if session else None
