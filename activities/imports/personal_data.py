"""What is kept of an account's owner: given out as one document, and taken away while the books stay."""

from collections.abc import Mapping
from typing import Any

from activities.database import Database
from models.problem import refusal


class PersonalData:
    """Reads and erases what is kept of a person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, account_id: str) -> Mapping[str, Any]:
        """Return everything that is kept under an account. Raises RefusedError: there is none."""
        found: Mapping[str, Any] | None = await self._database.call("account_data", account_id=account_id)
        if found is None:
            raise refusal("account", "account_exists", f"there is no customer account {account_id!r}")
        return found

    async def erase(self, account_id: str, *, actor: str, reason: str) -> list[str]:
        """Erase a person's data; return who they are at gateways. Raises RuleBrokenError: something is open."""
        customers: list[str] = await self._database.call(
            "erase_account", account_id=account_id, actor=actor, reason=reason
        )
        return customers
