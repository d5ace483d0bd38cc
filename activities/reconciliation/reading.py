"""Reading the gateway's side of a reconciliation: its lists, window by window, into the database."""

from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from temporalio import activity

from activities.database import Database
from activities.reconciliation.books import GatewayBooks, GatewayWithBooks, rows_of
from activities.reconciliation.settling import Settling
from models.reconciliation.gateway import BalanceMovement, FoundObject, FoundPayout
from models.reconciliation.movement_kinds import EntryKind
from models.reconciliation.reconciliation import (
    WAKE_MAX,
    GatewayList,
    PlanRequest,
    ReconciliationPlan,
    WindowRead,
    WindowReading,
    lookback_of,
)

# So many pages are read between two commits.
PAGES_A_COMMIT = 10

_PLAN = TypeAdapter(ReconciliationPlan)


class GatewayBookActivities:
    """Activities of a reconciliation at the gateway. Each is safe to repeat, and goes on where it was interrupted."""

    def __init__(self, database: Database, gateway: GatewayWithBooks) -> None:
        self._database = database
        self._books = GatewayBooks(database, gateway)
        self._settling = Settling(database)

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.plan_reconciliation, self.read_window]

    @activity.defn
    async def plan_reconciliation(self, request: PlanRequest) -> ReconciliationPlan:
        """Begin the next round of a day, or return the one that is under way; moments are the gateway's.

        Raises RuleBrokenError for a provider that is not there, or a day that has not begun.
        """
        now = await self._books.now()
        planned = await self._database.call(
            "start_reconciliation",
            id=request.reconciliation_id,
            provider_id=request.provider,
            day=request.day,
            lookback_days=lookback_of(request.day).days,
            gateway_now=now,
        )
        young = timedelta(minutes=request.young_minutes)
        return _PLAN.validate_python(planned | {"old_before": now - young if young else planned["read_until"]})

    @activity.defn
    async def read_window(self, reading: WindowReading) -> WindowRead:
        """Read a window to its end, by pages, and store what is new; how far that is lies in the database."""
        stored = await self._database.call("window_cursor", list=reading.window.list, **_place(reading))
        if stored["is_done"]:
            return WindowRead(stored["listed"], stored["found"])
        if reading.window.list is GatewayList.MOVEMENTS:
            return await self._read_movements(reading, stored)
        return await self._read_objects(reading, stored)

    async def _read_movements(self, reading: WindowReading, stored: dict[str, Any]) -> WindowRead:
        listed, found = stored["listed"], stored["found"]
        async for part, cursor in self._parts(reading, stored["cursor"]):
            found += await self._database.call(
                "store_window",
                cursor=cursor,
                rows=rows_of(part),
                is_done=not cursor,
                timeout_seconds=60.0,
                **_place(reading),
            )
            listed += len(part)
        return WindowRead(listed, found)

    async def _parts(self, reading: WindowReading, after: str) -> AsyncIterator[tuple[list[BalanceMovement], str]]:
        """Yield the movements of some pages with the cursor behind them; an empty cursor is the end."""
        part: list[BalanceMovement] = []
        pages = 0
        while pages == 0 or after:
            page = await self._books.movement_page(reading.window, after)
            pages += 1
            part += page.movements
            after = page.cursor
            if not after or pages % PAGES_A_COMMIT == 0:
                activity.heartbeat(after)
                yield part, after
                part = []

    async def _read_objects(self, reading: WindowReading, stored: dict[str, Any]) -> WindowRead:
        """Look at every refund and dispute that nobody here has requested: one may exist before its money moves."""
        listed, found, after = stored["listed"], stored["found"], stored["cursor"]
        wake: list[str] = []
        is_done = False
        if reading.window.list is GatewayList.PAYOUTS:
            await self._read_unfinished_payouts(reading)
        while not is_done:
            page = await self._books.object_page(reading.window, after)
            is_done = not page.cursor
            after = page.cursor
            old = [one for one in page.objects if one.created < reading.old_before.timestamp()]
            unknown = await self._unknown(reading, old)
            for one in unknown:
                wake += await self._settle(reading, one)
            await self._database.call(
                "note_window",
                list=reading.window.list,
                cursor=after,
                listed=len(page.objects),
                found=len(unknown),
                is_done=is_done,
                **_place(reading),
            )
            activity.heartbeat(after)
            listed, found = listed + len(page.objects), found + len(unknown)
        return WindowRead(listed, found, tuple(dict.fromkeys(wake))[:WAKE_MAX])

    async def _unknown(self, reading: WindowReading, objects: list[FoundObject]) -> list[FoundObject]:
        if reading.window.list is GatewayList.PAYOUTS:
            # There are few, and they go on changing until they have arrived.
            return objects
        rows = await self._database.rows(
            "select * from duly.unknown_objects(:provider, :list, cast(:ids as text[]), cast(:payments as text[]))",
            provider=reading.provider,
            list=reading.window.list,
            ids=[one.id for one in objects],
            payments=[one.payment_reference for one in objects],
        )
        unknown = {row.id for row in rows}
        return [one for one in objects if one.id in unknown]

    async def _settle(self, reading: WindowReading, found: FoundObject) -> list[str]:
        """Book or list an object that nobody here has requested; return the workflow that waits for it, if any."""
        if isinstance(found, FoundPayout):
            await self._settle_payout(reading, found)
            return []
        if reading.window.list is not GatewayList.REFUNDS:
            return [f"dispute/{found.id}"]
        result = await self._settling.settle_object(reading.provider, EntryKind.REFUND, found)
        return [result["wake"]] if result.get("wake") else []

    async def _read_unfinished_payouts(self, reading: WindowReading) -> None:
        """Read the payouts before the window that may have changed since: their traces come days late."""
        rows = await self._database.rows(
            "select * from duly.unfinished_payouts(:provider, :before)",
            provider=reading.provider,
            before=reading.window.read_from,
        )
        for row in rows:
            found = await self._books.read_object(row.id)
            if isinstance(found, FoundPayout):
                await self._settle_payout(reading, found)
            activity.heartbeat(row.id)

    async def _settle_payout(self, reading: WindowReading, found: FoundPayout) -> None:
        """Store a payout as it is now; once its lines are complete they must add up to it."""
        await self._database.call("store_payout", provider_id=reading.provider, found=asdict(found))
        if found.is_automatic and found.has_lines:
            await self._books.store_lines_of(reading.provider, found.id)
            await self._database.call(
                "check_payout_lines",
                provider_id=reading.provider,
                payout=found.id,
                reconciliation_id=reading.reconciliation_id,
            )


def _place(reading: WindowReading) -> dict[str, Any]:
    return {"id": reading.reconciliation_id, "round": reading.round, "read_from": reading.window.read_from}
