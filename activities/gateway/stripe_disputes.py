"""Disputes at Stripe."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import stripe

from activities.gateway.translation import translating_errors
from models.disputes.dispute import DISPUTE_ENDED, DisputeData, DisputeState
from models.gateway.amounts import from_gateway

_STATE = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.CLOSED,
    "prevented": DisputeState.CLOSED,
    "needs_response": DisputeState.OPEN,
    "under_review": DisputeState.OPEN,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}


class StripeDisputes:
    """Disputes of charges."""

    _client: stripe.StripeClient

    async def read_dispute(self, dispute_id: str) -> DisputeData:
        """Retrieve a dispute with the movements of money it has caused."""
        with translating_errors():
            return _data(await self._client.v1.disputes.retrieve_async(dispute_id))

    async def submit_evidence(
        self, dispute_id: str, evidence: Mapping[str, str], *, idempotency_key: str
    ) -> DisputeData:
        """Update the dispute with evidence and submit it."""
        with translating_errors():
            updated = await self._client.v1.disputes.update_async(
                dispute_id,
                {"evidence": cast("Any", dict(evidence)), "submit": True},
                {"idempotency_key": idempotency_key},
            )
        return _data(updated)

    async def accept_dispute(self, dispute_id: str) -> DisputeData:
        """Close the dispute as lost, unless it is decided already."""
        with translating_errors():
            known = _data(await self._client.v1.disputes.retrieve_async(dispute_id))
            if known.state in DISPUTE_ENDED:
                return known
            return _data(await self._client.v1.disputes.close_async(dispute_id))


def _data(dispute: stripe.Dispute) -> DisputeData:
    currency = dispute.currency.upper()
    due = dispute.evidence_details.due_by
    moved = [(each.amount, each.fee) for each in dispute.balance_transactions]
    return DisputeData(
        dispute_id=dispute.id,
        payment_reference=str(dispute.payment_intent or ""),
        state=_STATE.get(dispute.status, DisputeState.OPEN),
        status=dispute.status,
        amount_minor=from_gateway(dispute.amount, currency).amount_minor,
        currency=currency,
        reason=dispute.reason,
        evidence_due_at=datetime.fromtimestamp(due, UTC) if due else None,
        has_evidence=dispute.evidence_details.submission_count > 0,
        withdrawn_minor=from_gateway(-sum(amount for amount, _ in moved if amount < 0), currency).amount_minor,
        reinstated_minor=from_gateway(sum(amount for amount, _ in moved if amount > 0), currency).amount_minor,
        fee_minor=from_gateway(sum(fee for _, fee in moved), currency).amount_minor,
    )
