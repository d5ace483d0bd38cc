"""One attempt about a card: how it lies in the database, and what an answer makes of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from models.cards.card import ValidationOutcome, ValidationResult
from models.gateway.cards import CardData, Validation, ValidationAnswer, ValidationStatus
from models.gateway.gateway_request import KEY_LIFETIME, AttemptChannel, AttemptOutcome

_OUTCOME = {
    ValidationStatus.ACCEPTED: AttemptOutcome.SUCCEEDED,
    ValidationStatus.REJECTED: AttemptOutcome.DECLINED,
    ValidationStatus.ACTION_REQUIRED: AttemptOutcome.PROCESSING,
    ValidationStatus.PROCESSING: AttemptOutcome.PROCESSING,
    ValidationStatus.CANCELED: AttemptOutcome.DID_NOT_HAPPEN,
}
_VALIDATION_OUTCOME = {
    AttemptOutcome.SUCCEEDED: ValidationOutcome.ACCEPTED,
    AttemptOutcome.DECLINED: ValidationOutcome.REJECTED,
    AttemptOutcome.PROCESSING: ValidationOutcome.PROCESSING,
    AttemptOutcome.DID_NOT_HAPPEN: ValidationOutcome.DID_NOT_HAPPEN,
    AttemptOutcome.REFUSED: ValidationOutcome.REFUSED,
    AttemptOutcome.UNKNOWN: ValidationOutcome.UNKNOWN,
}


@dataclass(frozen=True)
class ValidationAttempt:
    """One attempt as the database holds it."""

    validation: Validation
    number: int
    is_hosted: bool
    outcome: AttemptOutcome | None
    code: str
    decline_code: str
    gateway_reference: str
    started_at: datetime

    def needs_evidence(self) -> bool:
        """Say whether the key may no longer be sent: it can only repeat what it said, or may have been forgotten."""
        return self.outcome is not None or datetime.now(UTC) - self.started_at > KEY_LIFETIME

    def result(self, answer: ValidationAnswer | None = None) -> ValidationResult:
        """Return what it came to; where a holder must go is in the answer alone, and kept nowhere."""
        outcome = _VALIDATION_OUTCOME[self.outcome or AttemptOutcome.UNKNOWN]
        if answer is not None and answer.status is ValidationStatus.ACTION_REQUIRED:
            outcome = ValidationOutcome.ACTION_REQUIRED
        return ValidationResult(
            outcome,
            self.number,
            code=self.code,
            decline_code=self.decline_code,
            gateway_reference=self.gateway_reference,
            url=answer.url if answer else "",
            expires_at=answer.expires_at if answer else None,
        )


def outcome_from(answer: ValidationAnswer | None) -> dict[str, Any]:
    """Return what to record of an answer; none means that it did not happen."""
    if answer is None:
        return {"outcome": AttemptOutcome.DID_NOT_HAPPEN}
    decline = answer.decline
    return {
        "outcome": _OUTCOME[answer.status],
        "gateway_reference": answer.gateway_reference,
        "code": decline.code if decline else "",
        "decline_code": decline.decline_code if decline else "",
    }


def attempt_from(row: Mapping[str, Any]) -> ValidationAttempt:
    """Read an attempt as the database returned it."""
    return ValidationAttempt(
        validation=Validation(
            idempotency_key=row["idempotency_key"],
            request_id=row["request_id"],
            account_id=row["account_id"],
            card_id=row["card_id"],
            customer=row["customer"],
            token=row["token"],
        ),
        number=row["attempt"],
        is_hosted=row["channel"] == AttemptChannel.HOSTED_PAGE,
        outcome=AttemptOutcome(row["outcome"]) if row["outcome"] else None,
        code=row["code"],
        decline_code=row["decline_code"],
        gateway_reference=row["gateway_reference"],
        started_at=datetime.fromisoformat(row["started_at"]),
    )


def kept_of(card: CardData) -> dict[str, Any]:
    """Return what may be stored of a card."""
    return asdict(card)
