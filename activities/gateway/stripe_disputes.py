"""Disputes at Stripe."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import stripe

from activities.gateway.translation import booked_movement, optional, translating_errors
from models.disputes.dispute import DISPUTE_ENDED, DisputeData, DisputeState
from models.gateway.amounts import from_books

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
    currency, (amount,) = from_books(dispute.currency, dispute.amount)
    due = optional(dispute.evidence_details, "due_by")
    moved = sorted(
        (each for each in map(booked_movement, dispute.balance_transactions) if each), key=lambda each: each.booked_at
    )
    is_own = all(each.currency == currency for each in moved)
    return DisputeData(
        dispute_id=dispute.id,
        payment_reference=str(optional(dispute, "payment_intent") or ""),
        state=_STATE.get(dispute.status, DisputeState.OPEN),
        status=dispute.status,
        amount_minor=amount,
        currency=currency,
        reason=dispute.reason,
        evidence_due_at=datetime.fromtimestamp(due, UTC) if due else None,
        has_evidence=dispute.evidence_details.submission_count > 0,
        withdrawn_minor=_moved([-each.amount_minor for each in moved if each.amount_minor < 0], is_own, amount),
        reinstated_minor=_moved([each.amount_minor for each in moved if each.amount_minor > 0], is_own, amount),
        movements=tuple(moved),
    )


def _moved(amounts: Sequence[int], is_own_currency: bool, disputed_minor: int) -> int:  # what it is about
    """Return what has moved of the disputed amount, whose currency may be another than the movements'."""
    if not amounts:
        return 0
    return sum(amounts) if is_own_currency else disputed_minor
