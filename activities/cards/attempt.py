"""One attempt to validate a card: as the database has it, and which outcome an answer of the gateway gives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from activities.gateway.attempts import OutcomeFields, StoredAttempt, stored_attempt
from models.cards.card import ValidationOutcome, ValidationResult
from models.gateway.cards import Validation, ValidationAnswer, ValidationStatus
from models.gateway.gateway_request import AttemptChannel, AttemptOutcome

_OUTCOME_OF_STATUS = {
    ValidationStatus.ACCEPTED: AttemptOutcome.SUCCEEDED,
    ValidationStatus.REJECTED: AttemptOutcome.DECLINED,
    ValidationStatus.ACTION_REQUIRED: AttemptOutcome.PROCESSING,
    ValidationStatus.PROCESSING: AttemptOutcome.PROCESSING,
    ValidationStatus.CANCELED: AttemptOutcome.DID_NOT_HAPPEN,
}
_RESULT_OF_OUTCOME = {
    AttemptOutcome.SUCCEEDED: ValidationOutcome.ACCEPTED,
    AttemptOutcome.DECLINED: ValidationOutcome.REJECTED,
    AttemptOutcome.PROCESSING: ValidationOutcome.PROCESSING,
    AttemptOutcome.DID_NOT_HAPPEN: ValidationOutcome.DID_NOT_HAPPEN,
    AttemptOutcome.INVALID_REQUEST: ValidationOutcome.INVALID_REQUEST,
    AttemptOutcome.UNKNOWN: ValidationOutcome.UNKNOWN,
}


@dataclass(frozen=True)
class ValidationAttempt:
    """One attempt: opened now, or found as an earlier call left it."""

    stored: StoredAttempt
    validation: Validation
    code: str
    decline_code: str

    @property
    def is_hosted(self) -> bool:
        """Whether the card's holder gives it on a hosted page."""
        return self.stored.channel is AttemptChannel.HOSTED_PAGE

    def result(self, answer: ValidationAnswer | None = None) -> ValidationResult:
        """Return what it came to; where a holder must go is in the answer alone, and kept nowhere."""
        outcome = _RESULT_OF_OUTCOME[self.stored.outcome or AttemptOutcome.UNKNOWN]
        if answer is not None and answer.status is ValidationStatus.ACTION_REQUIRED:
            outcome = ValidationOutcome.ACTION_REQUIRED
        return ValidationResult(
            outcome,
            self.stored.number,
            code=self.code,
            decline_code=self.decline_code,
            gateway_reference=self.stored.gateway_reference,
            url=answer.url if answer else "",
            expires_at=answer.expires_at if answer else None,
        )


def validation_outcome(answer: ValidationAnswer | None) -> OutcomeFields:
    """Return the outcome to record of an answer; none means that it did not happen."""
    if answer is None:
        return {"outcome": AttemptOutcome.DID_NOT_HAPPEN}
    decline = answer.decline
    return {
        "outcome": _OUTCOME_OF_STATUS[answer.status],
        "gateway_reference": answer.gateway_reference,
        "code": decline.code if decline else "",
        "decline_code": decline.decline_code if decline else "",
    }


def validation_attempt(row: Mapping[str, Any]) -> ValidationAttempt:
    """Read an attempt as the database returned it."""
    return ValidationAttempt(
        stored_attempt(row),
        Validation(
            idempotency_key=row["idempotency_key"],
            request_id=row["request_id"],
            account_id=row["account_id"],
            card_id=row["card_id"],
            customer=row["customer"],
            token=row["token"],
            installation=row["installation"],
        ),
        code=row["code"],
        decline_code=row["decline_code"],
    )
