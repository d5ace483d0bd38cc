"""Recording what an attempt came to. The outcome and its booking are one commit, unless very many invoices are paid."""

from collections.abc import Mapping
from typing import Any

from activities.business_events import announce
from activities.collections.attempt import ChargeAttempt, collect_result
from activities.database import Database
from models.gateway.decline import Decline, classify
from models.gateway.gateway_request import FINAL_OUTCOMES, AttemptOutcome, CollectResult, RequestKind
from models.money import Money
from models.operations.business_events import AttemptRecorded, UnknownResolved

# A request that was made before requests were bounded may hold all that an account owes.
BOOKING_SECONDS = 60.0


async def record_charge(database: Database, attempt: ChargeAttempt, outcome: Mapping[str, Any]) -> CollectResult:
    """Record an outcome and book its money. Safe to repeat at any point.

    Of a request of many invoices the gateway's payment is committed first: whoever comes next finds it by its id, and
    books it, whatever becomes of the booking.
    """
    named: dict[str, Any] = {"request_id": attempt.stored.request_id, "attempt": attempt.stored.number}
    if attempt.is_large and outcome["outcome"] is AttemptOutcome.SUCCEEDED:
        await database.call(
            "note_charge",
            **named,
            gateway_reference=outcome["gateway_reference"],
            charge_reference=outcome["charge_reference"],
        )
    recorded = await database.call(
        "record_outcome", timeout_seconds=BOOKING_SECONDS if attempt.is_large else None, **named, **outcome
    )
    result = collect_result(recorded)
    _announce(attempt, AttemptOutcome(outcome["outcome"]), result, actor=str(outcome.get("actor", "")))
    return result


def _announce(attempt: ChargeAttempt, outcome: AttemptOutcome, result: CollectResult, *, actor: str) -> None:
    """Say what became of an attempt. One that is processing is looked at again and again: that is said once."""
    if outcome is AttemptOutcome.PROCESSING and attempt.stored.outcome is AttemptOutcome.PROCESSING:
        return
    if attempt.stored.was_unanswered and outcome in FINAL_OUTCOMES:
        announce(UnknownResolved(RequestKind.PAYMENT, result.request_id, result.attempt, outcome, actor))
    is_declined = outcome is AttemptOutcome.DECLINED
    decline = Decline(result.code, result.decline_code, result.advice_code)
    announce(
        AttemptRecorded(
            outcome=outcome,
            request_id=result.request_id,
            attempt=result.attempt,
            account_id=attempt.charge.account_id,
            receivable=attempt.charge.period,
            amount=Money(result.amount_minor, result.currency),
            gateway_reference=result.gateway_reference,
            decline_class=classify(decline) if is_declined else None,
            code=decline.reason,
            until_certain=attempt.age() if outcome in FINAL_OUTCOMES else None,
        )
    )
