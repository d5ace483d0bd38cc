"""Recording what an attempt came to. The outcome and its booking are one commit, unless very many invoices are paid."""

from collections.abc import Mapping
from typing import Any

from activities.collections.attempt import ChargeAttempt, collect_result
from activities.database import Database
from models.gateway.gateway_request import AttemptOutcome, CollectResult

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
    return collect_result(recorded)
