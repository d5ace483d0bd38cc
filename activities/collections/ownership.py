"""Owning a receivable that has to wait: taking it over, reading what is still owed, letting it go."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from temporalio import activity

from activities.business_events import announce
from activities.database import Database
from models.collections.collection import (
    AmountOpening,
    CollectionClosing,
    CollectionOpening,
    CollectionTerms,
    PaidOutside,
    Stage,
)
from models.collections.dunning import GiveUpAction
from models.collections.earlier import EarlierAttempt, counts_before
from models.money import Money
from models.operations.business_events import CollectionMoved
from models.operations.end_reason import end_reason
from models.operations.event_names import EventName

_TERMS = TypeAdapter(CollectionTerms)
_ATTEMPTS = TypeAdapter(tuple[EarlierAttempt, ...])
_ENDS = {Stage.SETTLED: EventName.COLLECTION_SETTLED, Stage.GIVEN_UP: EventName.COLLECTION_GIVEN_UP}

# So many invoices are written off in one commit: a second at most for whoever waits for the account.
WRITE_OFF_PAGE = 100


class CollectionActivities:
    """Activities of a collection in the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [
            self.open_collection,
            self.open_amount,
            self.close_collection,
            self.open_next_part,
            self.is_owed,
            self.record_paid_outside,
        ]

    @activity.defn
    async def open_collection(self, opening: CollectionOpening) -> CollectionTerms:
        """Take ownership of a receivable and read the terms. Raises RuleBrokenError when somebody else owns it."""
        return await self._open(opening)

    @activity.defn
    async def open_amount(self, opening: AmountOpening) -> CollectionTerms:
        """Do the same for an amount of what is owed.

        It has a name of its own: a worker of 0.1.0, which would take over all, waits for one that knows it.
        """
        return await self._open(opening, asked=opening.amount_minor, asked_currency=opening.currency)

    @activity.defn
    async def close_collection(self, closing: CollectionClosing) -> None:
        """Give a receivable up or record that it is settled; the open request ends with it.

        What is written off goes a page of invoices a commit, before the receivable is let go.
        """
        is_more = closing.action is GiveUpAction.WRITE_OFF
        while is_more:
            written_off = await self._database.call(
                "write_off_given_up",
                account_id=closing.account_id,
                period=closing.period,
                limit=WRITE_OFF_PAGE,
                reason=closing.reason,
            )
            is_more = written_off == WRITE_OFF_PAGE
        await self._database.call(
            "close_collection",
            account_id=closing.account_id,
            period=closing.period,
            stage=closing.stage,
            reason=closing.reason,
            action=closing.action,
        )
        announce(
            CollectionMoved(_ENDS[closing.stage], closing.account_id, closing.period, reason=end_reason(closing.reason))
        )

    @activity.defn
    async def open_next_part(self, account_id: str, period: str) -> str | None:
        """Write down the receivable of what a paid one was too small for, and name it; a repeat names it again."""
        following = await self._database.call("open_next_part", account_id=account_id, period=period)
        return str(following) if following else None

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

    async def _open(self, opening: CollectionOpening, **amount: Any) -> CollectionTerms:
        terms = await self._database.call(
            "open_collection",
            account_id=opening.account_id,
            period=opening.period,
            provider_id=opening.provider,
            run_id=opening.run_id,
            invoices=list(opening.invoices),
            owner=opening.owner,
            **amount,
        )
        counts = counts_before(_ATTEMPTS.validate_python(terms.pop("attempts")), terms["attempt"])
        opened = _TERMS.validate_python(terms | asdict(counts))
        money = Money(opened.amount_minor, opened.currency)
        announce(CollectionMoved(EventName.COLLECTION_OPENED, opening.account_id, opening.period, money))
        return opened

    @activity.defn
    async def is_owed(self, account_id: str, period: str) -> bool:
        """Say whether anything of the receivable is still unsettled, and its collection has not let it go."""
        return bool(await self._database.call("is_owed", account_id=account_id, period=period))
