"""The ledger's side of a reconciliation: movements matched in chunks, and the certificate."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from temporalio import activity

from activities.database import Database
from models.reconciliation.reconciliation import (
    BalanceComparison,
    Matched,
    ReconciliationCertificate,
    ReconciliationPlan,
)

CHUNK = 2_000
CHUNK_SECONDS = 60.0

CERTIFICATE = TypeAdapter(ReconciliationCertificate)


class ReconciliationActivities:
    """Activities of a reconciliation in the ledger. Each is safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.match_movements, self.certify_reconciliation]

    @activity.defn
    async def match_movements(self, plan: ReconciliationPlan) -> Matched:
        """Match every open movement of a provider with what the ledger has booked, chunk by chunk."""
        seen = matched = 0
        after = ""
        while True:
            chunk = await self._database.call(
                "match_movements",
                provider_id=plan.provider,
                after=after,
                limit=CHUNK,
                timeout_seconds=CHUNK_SECONDS,
            )
            seen += chunk["seen"]
            matched += chunk["matched"]
            after = chunk["after"]
            activity.heartbeat(after)
            if not after:
                return Matched(seen, matched)

    @activity.defn
    async def certify_reconciliation(
        self, plan: ReconciliationPlan, balances: Sequence[BalanceComparison]
    ) -> ReconciliationCertificate:
        """End the discrepancies on which both sides agree by now, certify the round, and return its certificate."""
        certified = await self._database.call(
            "certify_reconciliation",
            id=plan.reconciliation_id,
            round=plan.round,
            balances={"balances": [asdict(one) for one in balances]},
            timeout_seconds=CHUNK_SECONDS,
        )
        return CERTIFICATE.validate_python(certified)
