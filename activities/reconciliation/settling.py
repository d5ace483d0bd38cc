"""Booking or listing what the gateway has. What a rule refuses to book is listed as well, and stops nothing else."""

from dataclasses import asdict
from typing import Any

import structlog

from activities.business_events import announce
from activities.database import Database, RuleBrokenError
from models.operations.business_events import DiscrepancyFound
from models.reconciliation.gateway import FoundObject
from models.reconciliation.movement_kinds import EntryKind

log = structlog.get_logger(__name__)

Settled = dict[str, Any]


class Settling:
    """Settles one object or movement of a provider at a time, each in one commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settle_object(self, provider: str, kind: EntryKind, found: FoundObject) -> Settled:
        """Settle a payment or refund by what the gateway says of it; its movement may come later."""
        try:
            settled: Settled = await self._database.call(
                "confirm_object", provider_id=provider, kind=kind, found=asdict(found)
            )
        except RuleBrokenError as refused:
            return await self._note(refused, provider, "", kind, found)
        _announce(settled, found)
        return settled

    async def settle_movement(
        self, provider: str, movement_id: str, kind: str, found: FoundObject, *, reconciliation_id: str | None
    ) -> Settled:
        """Settle a movement by what the gateway says of its source."""
        try:
            settled: Settled = await self._database.call(
                "confirm_movement",
                provider_id=provider,
                movement_id=movement_id,
                found=asdict(found),
                reconciliation_id=reconciliation_id,
            )
        except RuleBrokenError as refused:
            return await self._note(refused, provider, movement_id, kind, found, reconciliation_id)
        _announce(settled, found)
        return settled

    async def _note(
        self,
        refused: RuleBrokenError,
        provider: str,
        movement_id: str,
        kind: str,
        found: FoundObject,
        reconciliation_id: str | None = None,
    ) -> Settled:
        log.warning("movement_refused", object=found.id, rule=refused.type)
        noted: Settled = await self._database.call(
            "note_refused",
            provider_id=provider,
            movement_id=movement_id,
            kind=kind,
            found=asdict(found),
            rule=refused.type,
            reconciliation_id=reconciliation_id,
        )
        _announce(noted, found)
        return noted


def _announce(settled: Settled, found: FoundObject) -> None:
    """Say what was booked or listed; what was matched was no discrepancy."""
    if settled["outcome"] in {"mended", "listed"}:
        announce(DiscrepancyFound(settled.get("kind") or "", found.id, is_mended=settled["outcome"] == "mended"))
