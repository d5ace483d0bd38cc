"""Disputes: read at the gateway, booked in one commit, given up, and remembered."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from temporalio import activity

from activities.business_events import announce
from activities.database import Database
from activities.gateway.retries import retryable_gateway_errors
from models.disputes.dispute import DisputeData, DisputeDecision, DisputeGateway, DisputeRecord, DisputeRequest
from models.money import Money
from models.operations.business_events import DisputeRecorded
from models.tables.returns import DisputeRow

DISPUTE = TypeAdapter(DisputeRecord)


class DisputeActivities:
    """Activities of a dispute's workflow at the gateway. Each is safe to repeat at any point."""

    def __init__(self, database: Database, gateway: DisputeGateway) -> None:
        self._database = database
        self._gateway = gateway

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.read_dispute, self.accept_dispute]

    @activity.defn
    async def read_dispute(self, request: DisputeRequest) -> DisputeRecord:
        """Read a dispute at the gateway, and book it. Raises RuleBrokenError when it is of no payment of ours."""
        with retryable_gateway_errors():
            data = await self._gateway.read_dispute(request.dispute_id)
        return await record_dispute(self._database, request.provider, data)

    @activity.defn
    async def accept_dispute(self, decision: DisputeDecision, provider: str) -> DisputeRecord:
        """Give the money up at the gateway, and book it as lost. Raises RuleBrokenError above the actor's limit."""
        await self._database.call("require_alone_to_accept", dispute_id=decision.dispute_id, actor=decision.actor)
        with retryable_gateway_errors():
            data = await self._gateway.accept_dispute(decision.dispute_id)
        await note(self._database, decision, "accepted")
        return await record_dispute(self._database, provider, data)


class DisputeRowActivities:
    """Activities of a dispute's workflow that need the database alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.remind_of_dispute]

    @activity.defn
    async def remind_of_dispute(self, dispute_id: str) -> None:
        """Alert operators that evidence is due, once."""
        await self._database.call("notify_of_dispute", id=dispute_id, kind="dispute_due")


async def record_dispute(database: Database, provider: str, data: DisputeData) -> DisputeRecord:
    """Book a dispute as the gateway has it."""
    values = asdict(data)
    moved = {"movements": [each.as_booked() for each in data.movements]}
    values |= {"id": values.pop("dispute_id"), "provider_id": provider, "fee_minor": 0, "movements": moved}
    before = await database.read_first(select(DisputeRow.state).where(DisputeRow.id == data.dispute_id))
    recorded = DISPUTE.validate_python(await database.call("record_dispute", **values))
    if before is None or before.state != recorded.state:
        announce(
            DisputeRecorded(
                recorded.state,
                recorded.dispute_id,
                recorded.account_id,
                recorded.payment_id,
                Money(recorded.amount_minor, recorded.currency),
                recorded.reason,
            )
        )
    return recorded


async def note(database: Database, decision: DisputeDecision, what: str) -> None:
    """Keep who decided what about a dispute, and why."""
    decided = f"{what}, says {decision.actor}: {decision.reason}"
    await database.call("note_on_dispute", id=decision.dispute_id, decision=decided)
