"""Passwords of local users: hashed by argon2id, 19 MiB and two passes (OWASP's least), never kept and never logged."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Whoever types a name that there is not waits as long as whoever types a wrong password.
_NOBODYS = _HASHER.hash("a password of nobody's")


async def hashed(password: str) -> str:
    """Return what is kept of a password."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def is_password(kept: str, password: str) -> bool:
    """Tell whether a password is the one that was hashed. An empty hash is nobody's, and takes as long."""
    return await asyncio.to_thread(_verifies, kept, password)


def _verifies(kept: str, password: str) -> bool:
    try:
        _ = _HASHER.verify(kept or _NOBODYS, password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)
