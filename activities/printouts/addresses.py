"""Setting to whom an account's documents are made out; every change is kept with who and why."""

from dataclasses import asdict

from psycopg.types.json import Jsonb

from activities.database import Database
from models.printouts.address import PostalAddress


class PostalAddresses:
    """Keeps postal addresses. What is printed already stays as it was printed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(self, account_id: str, address: PostalAddress | None, *, actor: str, reason: str) -> bool:
        """Set or take away an address; False when it is so already. Raises RuleBrokenError: no such account."""
        given = Jsonb(asdict(address)) if address else None
        return bool(
            await self._database.call(
                "set_postal_address", account_id=account_id, address=given, actor=actor, reason=reason
            )
        )
