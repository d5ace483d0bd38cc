"""Looking once more at what is not matched: each candidate is read at the gateway, then booked or listed."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.database import Database
from activities.reconciliation.books import GatewayBooks, GatewayWithBooks
from activities.reconciliation.settling import Settling
from models.reconciliation.gateway import FoundObject
from models.reconciliation.movement_kinds import EntryKind
from models.reconciliation.reconciliation import (
    OVERDUE,
    WAKE_MAX,
    CheckedObject,
    ConfirmedCandidates,
    ObjectCheckRequest,
    ReconciliationPlan,
)

CANDIDATES = 500

_REFUND_IDS = ("re_", "pyr_")
_FEE_ID = "fee_"


class CandidateActivities:
    """Activities about candidates of one provider. Each is safe to repeat: what is settled is no candidate any more."""

    def __init__(self, database: Database, gateway: GatewayWithBooks) -> None:
        self._database = database
        self._books = GatewayBooks(database, gateway)
        self._settling = Settling(database)

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.confirm_candidates, self.check_object]

    @activity.defn
    async def confirm_candidates(self, plan: ReconciliationPlan) -> ConfirmedCandidates:
        """Read the source of each movement that is not matched, and book or list it; then look for what is missing."""
        total: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        wake: dict[str, None] = {}
        async for result in self._confirmations(plan):
            total[result["outcome"]] += 1
            if result.get("kind"):
                kinds[result["kind"]] += 1
            if result.get("wake") and len(wake) < WAKE_MAX:
                wake[result["wake"]] = None
        return ConfirmedCandidates(
            matched=total["matched"],
            mended=total["mended"],
            listed=total["listed"],
            waiting=total["waiting"],
            kinds=dict(kinds),
            wake=tuple(wake),
        )

    @activity.defn
    async def check_object(self, request: ObjectCheckRequest) -> CheckedObject:
        """Read a payment or refund that nobody here has requested, book or list it, and alert operators at once.

        A platform's fee that went back is read on its own account, and then on its merchant's.
        """
        charge, _, fee = request.object_id.rpartition("/")
        if fee.startswith(_FEE_ID):
            return await (self._check_merchants_part(request, charge) if charge else self._check_fee(request))
        found = await self._books.read_object(request.object_id)
        if not found.currency:
            return CheckedObject("matched")
        # With its movement, where there is one by now, the fee is booked as well.
        kind = EntryKind.REFUND if request.object_id.startswith(_REFUND_IDS) else EntryKind.CHARGE
        await self._books.store_movements_of(request.provider, found.id, kind)
        result = await self._settling.settle_object(request.provider, kind, found)
        if result["outcome"] in {"mended", "listed"}:
            await self._database.call("alert_of_discrepancies", occasion=activity.info().workflow_id)
        return CheckedObject(result["outcome"], result.get("kind") or "", result.get("wake") or "")

    async def _check_fee(self, request: ObjectCheckRequest) -> CheckedObject:
        """Read what has gone back of a fee on the platform's account, and say who looks for what is left."""
        charge = await self._books.store_fee(request.provider, request.object_id)
        if not charge:
            return CheckedObject("matched")
        checked = await self._database.call(
            "check_fee", platform_id=request.provider, fee=request.object_id, charge=charge
        )
        return CheckedObject(checked["outcome"], wake=checked.get("wake") or "")

    async def _check_merchants_part(self, request: ObjectCheckRequest, charge: str) -> CheckedObject:
        """Book what came back to a merchant's account of a fee, without a refund: both books have it then."""
        kinds: dict[str, str] = {}
        back = EntryKind.APPLICATION_FEE_REFUND
        for source in await self._database.call("unexplained_fee_refunds", provider_id=request.provider, charge=charge):
            for moved in await self._books.store_movements_of(request.provider, source, back):
                settled = await self._settling.settle_movement(
                    request.provider, moved.id, moved.kind, FoundObject(source), reconciliation_id=None
                )
                kinds[settled["outcome"]] = settled.get("kind") or ""
        outcome = next((one for one in ("listed", "mended") if one in kinds), "matched")
        if outcome != "matched":
            await self._database.call("alert_of_discrepancies", occasion=activity.info().workflow_id)
        return CheckedObject(outcome, kinds.get(outcome, ""))

    async def _confirmations(self, plan: ReconciliationPlan) -> AsyncIterator[dict[str, Any]]:
        after = ""
        while rows := await self._database.rows(
            "select * from duly.open_candidates(:provider, :after, :before, :limit)",
            provider=plan.provider,
            after=after,
            before=plan.old_before,
            limit=CANDIDATES,
        ):
            for row in rows:
                found = await self._books.read_object(row.source)
                yield await self._settling.settle_movement(
                    plan.provider, row.id, row.kind, found, reconciliation_id=plan.reconciliation_id
                )
                activity.heartbeat(row.id)
            after = rows[-1].id
        async for result in self._missing(plan):
            yield result

    async def _missing(self, plan: ReconciliationPlan) -> AsyncIterator[dict[str, Any]]:
        """Look for the movements of what the ledger has booked, is overdue, and is in no list that was read."""
        after = ""
        while rows := await self._database.rows(
            "select * from duly.missing_candidates(:provider, :after, :first, :last, :limit)",
            provider=plan.provider,
            after=after,
            first=plan.read_from + timedelta(hours=1),
            last=plan.started_at - OVERDUE,
            limit=CANDIDATES,
            timeout_seconds=60.0,
        ):
            for row in rows:
                await self._books.store_movements_of(plan.provider, row.object, EntryKind(row.kind))
                found = await self._books.read_object(row.object)
                yield await self._database.call(
                    "note_missing",
                    provider_id=plan.provider,
                    object=row.object,
                    kind=row.kind,
                    status=found.status or "not there",
                    reconciliation_id=plan.reconciliation_id,
                )
                activity.heartbeat(row.object)
            after = f"{rows[-1].object}/{rows[-1].kind}"
