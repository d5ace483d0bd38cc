"""Reading a gateway's books at a pace of its own, and storing what they say."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from aiolimiter import AsyncLimiter
from temporalio import activity

from activities.database import Database
from activities.gateway.clocks import GatewayWithClock
from activities.gateway.retries import retryable_gateway_errors
from models.reconciliation.gateway import BalanceMovement, FoundObject, FoundObjectPage, MovementPage, ReconciledGateway
from models.reconciliation.movement_kinds import EntryKind
from models.reconciliation.reconciliation import ListWindow

# Reading goes at a pace of its own, so that payments keep theirs.
PAGES_PER_SECOND = 25


class GatewayWithBooks(ReconciledGateway, GatewayWithClock, Protocol):
    """A gateway whose books can be read, and whose answers say what time it is there."""


class GatewayBooks:
    """One provider's books, as the activities of one process read them. Its errors are those that Temporal retries."""

    def __init__(self, database: Database, gateway: GatewayWithBooks) -> None:
        self._database = database
        self._gateway = gateway
        self._pace = AsyncLimiter(PAGES_PER_SECOND, 1)

    async def now(self) -> datetime:
        """Return what time it is at the gateway."""
        with retryable_gateway_errors():
            await self._gateway.verify()
        return self._gateway.clock.earliest_now or datetime.now(UTC)

    async def movement_page(self, window: ListWindow, after: str) -> MovementPage:
        """Read a page of movements."""
        with retryable_gateway_errors():
            async with self._pace:
                return await self._gateway.movement_page(window, after=after)

    async def object_page(self, window: ListWindow, after: str) -> FoundObjectPage:
        """Read a page of another list."""
        with retryable_gateway_errors():
            async with self._pace:
                return await self._gateway.object_page(window, after=after)

    async def store_lines_of(self, provider: str, payout: str) -> None:
        """Read and store the movements that an automatic payout consists of."""
        after = ""
        while True:
            with retryable_gateway_errors():
                async with self._pace:
                    page = await self._gateway.payout_page(payout, after=after)
            await self.store(provider, page.movements)
            after = page.cursor
            activity.heartbeat(payout, after)
            if not after:
                return

    async def read_object(self, source: str) -> FoundObject:
        """Read an object; what is not there, or of a kind that we do not read, has its id alone."""
        if not source:
            return FoundObject("")
        with retryable_gateway_errors():
            async with self._pace:
                return await self._gateway.read_object(source) or FoundObject(source)

    async def balances(self) -> dict[str, int]:
        """Read what lies there, by currency."""
        with retryable_gateway_errors():
            return await self._gateway.balances()

    async def store_fee(self, provider: str, fee: str) -> str:
        """Read and store what a fee has moved on a platform's account; return the charge that it was taken of."""
        with retryable_gateway_errors():
            async with self._pace:
                moved = await self._gateway.fee_movements(fee)
        await self.store(provider, moved)
        return moved[0].source.partition("/")[0] if moved else ""

    async def store_movements_of(self, provider: str, source: str, kind: EntryKind) -> Sequence[BalanceMovement]:
        """Read and store every movement of an object, by what it is of, and return them."""
        with retryable_gateway_errors():
            async with self._pace:
                moved = await self._gateway.movements_of(source, kind)
        await self.store(provider, moved)
        return moved

    async def store(self, provider: str, movements: Sequence[BalanceMovement]) -> int:
        """Store movements, and return how many of them are new."""
        new = await self._database.call("store_movements", provider_id=provider, rows=rows_of(movements))
        return int(new)


def rows_of(movements: Sequence[BalanceMovement]) -> dict[str, Any]:
    """Return movements as the database takes them."""
    return {
        "rows": [
            vars(movement)
            | {
                "created_at": movement.created_at.isoformat(),
                "available_on": movement.available_on.isoformat() if movement.available_on else None,
            }
            for movement in movements
        ]
    }
