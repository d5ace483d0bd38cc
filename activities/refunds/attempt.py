"""One attempt to refund or cancel a payment: as the database has it, and which outcome an answer gives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.business_events import announce
from activities.gateway.attempts import OutcomeFields, StoredAttempt, stored_attempt
from models.gateway.gateway_request import AttemptOutcome, RequestKind, RequestState
from models.gateway.refunds import GatewayRefundStatus, RefundAnswer, RefundCall
from models.money import Money
from models.operations.business_events import RefundRecorded, UnknownResolved
from models.refunds.refund import RefundOutcome, RefundResult

_OUTCOME_OF_STATUS = {
    GatewayRefundStatus.SUCCEEDED: AttemptOutcome.SUCCEEDED,
    GatewayRefundStatus.PENDING: AttemptOutcome.PROCESSING,
    GatewayRefundStatus.FAILED: AttemptOutcome.DECLINED,
}


@dataclass(frozen=True)
class StoredRefund:
    """A refund with one of its attempts: opened now, or found as an earlier call left it."""

    attempt: StoredAttempt
    call: RefundCall
    row: Mapping[str, Any]

    def outcome(self) -> RefundOutcome:
        """Say where the refund stands."""
        match RequestState(self.row["state"]), self.attempt.outcome:
            case RequestState.REVERSED, _:
                return RefundOutcome.REVERSED
            case RequestState.REJECTED, _:
                return RefundOutcome.REJECTED
            case RequestState.POSTED, AttemptOutcome.SUCCEEDED:
                return RefundOutcome.REFUNDED
            case _, AttemptOutcome.DID_NOT_HAPPEN:
                return RefundOutcome.DID_NOT_HAPPEN
            case _, AttemptOutcome.PROCESSING:
                return RefundOutcome.PENDING
            case _:
                return RefundOutcome.UNKNOWN

    def result(self) -> RefundResult:
        """Return what it has come to."""
        return refund_result(self.row, self.outcome())


def refund_result(row: Mapping[str, Any], outcome: RefundOutcome) -> RefundResult:
    """Return what a refund has come to, as the database returned it."""
    return RefundResult(
        outcome,
        row["request_id"],
        row["attempt"],
        RequestKind(row["kind"]),
        account_id=row["account_id"],
        payment_id=row["payment_id"],
        transaction_id=row["transaction_id"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        gateway_reference=row["gateway_reference"],
        code=row["code"],
        executed_at=datetime.fromisoformat(row["executed_at"]) if row["executed_at"] else None,
        watch_days=row["watch_days"],
        collect_as=row["collect_as"],
        award_id=row["award_id"],
    )


def refund_outcome(answer: RefundAnswer | None) -> OutcomeFields:
    """Return the outcome to record of an answer; none means that it did not happen."""
    if answer is None:
        return {"outcome": AttemptOutcome.DID_NOT_HAPPEN}
    return {
        "outcome": _OUTCOME_OF_STATUS[answer.status],
        "is_booked": answer.is_booked,
        "movement": answer.movement.as_booked() if answer.movement else None,
        "return_movement": answer.return_movement.as_booked() if answer.return_movement else None,
        "gateway_reference": answer.gateway_reference,
        "code": answer.code,
    }


def stored_refund(row: Mapping[str, Any]) -> StoredRefund:
    """Read a refund as the database returned it."""
    call = RefundCall(
        idempotency_key=row["idempotency_key"],
        request_id=row["request_id"],
        account_id=row["account_id"],
        payment_reference=row["payment_reference"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        installation=row["installation"],
        purpose=row["purpose"],
        refunds_application_fee=row.get("refunds_application_fee", False),
    )
    return StoredRefund(stored_attempt({**row, "code": row["attempt_code"]}), call, row)


def announce_refund(before: StoredRefund, now: StoredRefund, *, actor: str) -> None:
    """Say where a refund stands, when that is elsewhere than before; that nobody knows was said when it became so."""
    outcome = now.outcome()
    if outcome in {before.outcome(), RefundOutcome.UNKNOWN}:
        return
    if before.attempt.was_unanswered:
        announce(UnknownResolved(RequestKind.REFUND, now.attempt.request_id, now.attempt.number, outcome, actor))
    row = now.row
    money = Money(row["amount_minor"], row["currency"])
    announce(
        RefundRecorded(
            outcome,
            RequestKind(row["kind"]),
            row["request_id"],
            row["account_id"],
            row["payment_id"],
            money,
            row["gateway_reference"],
            row["code"],
        )
    )
