"""Owning a receivable that has to wait: taking it over, reading what is still owed, letting it go."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from temporalio import activity

from activities.database import Database
from models.collections.collection import CollectionClosing, CollectionOpening, CollectionTerms, PaidOutside

_TERMS = TypeAdapter(CollectionTerms)


class CollectionActivities:
    """Activities of a collection in the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.open_collection, self.close_collection, self.is_owed, self.record_paid_outside]

    @activity.defn
    async def open_collection(self, opening: CollectionOpening) -> CollectionTerms:
        """Take ownership of a receivable and read the terms. Raises RuleBrokenError when somebody else owns it."""
        terms = await self._database.call(
            "open_collection",
            account_id=opening.account_id,
            period=opening.period,
            provider_id=opening.provider,
            run_id=opening.run_id,
            invoices=list(opening.invoices),
            owner=opening.owner,
        )
        return _TERMS.validate_python(terms)

    @activity.defn
    async def close_collection(self, closing: CollectionClosing) -> None:
        """Give a receivable up or record that it is settled; the open request ends with it."""
        await self._database.call(
            "close_collection",
            account_id=closing.account_id,
            period=closing.period,
            stage=closing.stage,
            reason=closing.reason,
            action=closing.action,
        )

    @activity.defn
    async def record_paid_outside(self, paid: PaidOutside) -> str:
        """Post what is still owed as paid by other means, and return the payment's number. A repeat returns it again.

        Raises RuleBrokenError: an outcome is outstanding, nothing is owed, or the method is not one of ours.
        """
        number = await self._database.call(
            "record_paid_outside",
            account_id=paid.account_id,
            period=paid.period,
            reference=paid.reference,
            method=paid.method,
            actor=paid.actor,
        )
        return str(number)

    @activity.defn
    async def is_owed(self, account_id: str, period: str) -> bool:
        """Say whether anything of the receivable is still unsettled."""
        return bool(await self._database.call("is_owed", account_id=account_id, period=period))
