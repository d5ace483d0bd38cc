"""Reconciliations and discrepancies as the command line shows them, and a person's end of one."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.reconciliation.discrepancy import DiscrepancyResolution, DiscrepancyState
from models.tables.reconciliation import DiscrepancyRow, GatewayPayoutRow, ReconciliationRow
from models.tables.transactions import TransactionNumberRow

_DISCREPANCIES = select(
    DiscrepancyRow.id,
    DiscrepancyRow.provider_id,
    DiscrepancyRow.kind,
    DiscrepancyRow.object,
    DiscrepancyRow.account_id,
    DiscrepancyRow.transaction_id,
    func.coalesce(TransactionNumberRow.number, "").label("number"),
    DiscrepancyRow.amount_minor,
    DiscrepancyRow.currency,
    DiscrepancyRow.evidence,
    DiscrepancyRow.state,
    DiscrepancyRow.first_seen_at,
    DiscrepancyRow.last_seen_at,
    DiscrepancyRow.reconciliation_id,
    DiscrepancyRow.actor,
    DiscrepancyRow.reason,
    DiscrepancyRow.resolution,
    DiscrepancyRow.closed_at,
).outerjoin(TransactionNumberRow, TransactionNumberRow.transaction_id == DiscrepancyRow.transaction_id)
_LIST = NewestFirst(
    _DISCREPANCIES,
    moment=DiscrepancyRow.first_seen_at,
    key=DiscrepancyRow.id,
    state=DiscrepancyRow.state,
    amount=DiscrepancyRow.amount_minor,
    currency=DiscrepancyRow.currency,
)


class ReconciliationQueries:
    """Reads what reconciliations found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, reconciliation_id: str) -> Row[Any] | None:
        """Return a day's reconciliation, or None."""
        row = ReconciliationRow
        return await self._database.read_first(
            select(row.id, row.state, row.round, row.certificate, row.started_at, row.completed_at).where(
                row.id == reconciliation_id
            )
        )

    async def discrepancy(self, discrepancy_id: str) -> Row[Any] | None:
        """Return a discrepancy, or None."""
        return await self._database.read_first(_DISCREPANCIES.where(DiscrepancyRow.id == discrepancy_id))

    async def open_discrepancies(self) -> int:
        """Count the discrepancies that nobody has ended."""
        rows = await self._database.read(
            select(func.count()).select_from(DiscrepancyRow).where(DiscrepancyRow.state == DiscrepancyState.OPEN)
        )
        return int(rows[0][0])

    async def chosen(self, ids: Sequence[str]) -> Sequence[Row[Any]]:
        """Return the discrepancies that somebody has chosen, the newest first."""
        return await _LIST.chosen(self._database, ids)

    async def page(self, page: ListPage, *, state: str, kind: str) -> Listed:
        """Return a page of discrepancies, the newest first; empty filters let all through."""
        filters = (*matching(DiscrepancyRow.state, state), *matching(DiscrepancyRow.kind, kind))
        return await _LIST.page(self._database, page, *filters)

    async def resolve(
        self, discrepancy_id: str, resolution: DiscrepancyResolution, *, account_id: str, actor: str, reason: str
    ) -> Mapping[str, Any]:
        """End a discrepancy by a person's decision. Raises RuleBrokenError when it is over, or cannot end so."""
        resolved: Mapping[str, Any] = await self._database.call(
            "resolve_discrepancy",
            id=discrepancy_id,
            resolution=resolution,
            account_id=account_id,
            actor=actor,
            reason=reason,
        )
        return resolved

    async def payout(self, payout_id: str) -> Row[Any] | None:
        """Return a payout as the gateway lists it, or None."""
        row = GatewayPayoutRow
        return await self._database.read_first(
            select(row.provider_id, row.id, row.amount_minor, row.currency, row.status).where(row.id == payout_id)
        )

    async def end_payout(
        self,
        payout: Row[Any],
        payments: Sequence[str],
        *,
        fee_minor: int,
        booked_on: date | None,
        actor: str,
        reason: str,
    ) -> Mapping[str, Any]:
        """Let a payout arrive at the bank, or leave it, by a person's word.

        Raises RuleBrokenError where it does not add up.
        """
        ended: Mapping[str, Any] = await self._database.call(
            "end_payout",
            provider_id=payout.provider_id,
            payout=payout.id,
            payments=list(payments),
            fee_minor=fee_minor,
            booked_on=booked_on,
            actor=actor,
            reason=reason,
        )
        return ended
