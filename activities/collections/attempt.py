"""One attempt at the gateway: how it lies in the database, and what an answer makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from models.gateway.charges import Charge, ChargeResult, ChargeStatus
from models.gateway.decline import Decline, DeclineClass, classify, is_known
from models.gateway.gateway_request import (
    KEY_LIFETIME,
    AttemptChannel,
    AttemptOutcome,
    CollectOutcome,
    CollectResult,
)

log = structlog.get_logger(__name__)

_OUTCOME_OF_STATUS = {
    ChargeStatus.SUCCEEDED: AttemptOutcome.SUCCEEDED,
    ChargeStatus.DECLINED: AttemptOutcome.DECLINED,
    ChargeStatus.PROCESSING: AttemptOutcome.PROCESSING,
    ChargeStatus.CANCELED: AttemptOutcome.DID_NOT_HAPPEN,
}


@dataclass(frozen=True)
class Attempt:
    """One attempt as the database holds it: opened now, or found as an earlier call left it."""

    charge: Charge
    number: int
    channel: AttemptChannel
    outcome: AttemptOutcome | None
    gateway_reference: str
    started_at: datetime
    sent_at: datetime

    def needs_evidence(self, now: datetime) -> bool:
        """Say whether the key may no longer be sent: it can only repeat an error, or it may have been forgotten."""
        is_hosted = self.channel is AttemptChannel.HOSTED_PAGE
        return is_hosted or self.outcome is not None or now - self.started_at > KEY_LIFETIME


def outcome_of(found: ChargeResult | None) -> dict[str, Any]:
    """Return the outcome to record; no evidence means that it did not happen."""
    if found is None:
        return {"outcome": AttemptOutcome.DID_NOT_HAPPEN}
    decline = found.decline or Decline("")
    if found.decline is not None and not is_known(decline):
        log.warning("decline_code_unknown", code=decline.code, decline_code=decline.decline_code)
    return {
        "outcome": _OUTCOME_OF_STATUS[found.status],
        "gateway_reference": found.gateway_reference,
        "charge_reference": found.charge_reference,
        "fee_minor": found.fee_minor,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "advice_code": decline.advice_code,
        "network_decline_code": decline.network_decline_code,
        "blocks_card": found.decline is not None and classify(decline) in {DeclineClass.HARD, DeclineClass.FRAUD},
    }


def attempt_of(row: Mapping[str, Any]) -> Attempt:
    """Read an attempt as the database returned it."""
    return Attempt(
        charge=Charge(
            idempotency_key=row["idempotency_key"],
            request_id=row["request_id"],
            account_id=row["account_id"],
            payment_id=row["payment_id"],
            amount_minor=row["amount_minor"],
            currency=row["currency"],
            customer=row["customer"],
            token=row["token"],
            invoices=tuple(row["invoices"]),
        ),
        number=row["attempt"],
        channel=AttemptChannel(row["channel"]),
        outcome=AttemptOutcome(row["outcome"]) if row["outcome"] else None,
        gateway_reference=row["gateway_reference"] or "",
        started_at=datetime.fromisoformat(row["started_at"]),
        sent_at=datetime.fromisoformat(row["sent_at"]),
    )


def result_of(row: Mapping[str, Any]) -> CollectResult:
    """Read what one attempt came to."""
    others = tuple(row["other_card_ids"])
    return CollectResult(**{**row, "outcome": CollectOutcome(row["outcome"]), "other_card_ids": others})
