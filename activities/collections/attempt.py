"""One attempt to charge: as the database has it, and which outcome an answer of the gateway gives it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from activities.gateway.attempts import OutcomeFields, StoredAttempt, stored_attempt
from models.gateway.charges import Charge, ChargeResult, ChargeStatus, PageBrand
from models.gateway.decline import Decline, DeclineClass, classify, is_known
from models.gateway.errors import KEY_USED
from models.gateway.gateway_request import AttemptChannel, AttemptOutcome, CollectOutcome, CollectResult
from models.gateway.payment_methods import method_of

log = structlog.get_logger(__name__)

_OUTCOME_OF_STATUS = {
    ChargeStatus.SUCCEEDED: AttemptOutcome.SUCCEEDED,
    ChargeStatus.DECLINED: AttemptOutcome.DECLINED,
    ChargeStatus.PROCESSING: AttemptOutcome.PROCESSING,
    ChargeStatus.CANCELED: AttemptOutcome.DID_NOT_HAPPEN,
}


@dataclass(frozen=True)
class ChargeAttempt:
    """One attempt: opened now, or found as an earlier call left it. `is_large`: it pays very many invoices."""

    stored: StoredAttempt
    charge: Charge
    is_large: bool = False
    opened: float = field(default_factory=time.monotonic)

    @property
    def is_hosted(self) -> bool:
        """Whether the customer pays on a hosted page, which is opened elsewhere and only read here."""
        return self.stored.channel is AttemptChannel.HOSTED_PAGE

    def age(self) -> timedelta:
        """Return how long ago it was first written down.

        What was opened here just now is timed here. What an earlier call has begun is timed by two clocks, which are
        at most a minute apart where anything is sent.
        """
        here = timedelta(seconds=time.monotonic() - self.opened)
        begun = self.stored.started_at
        is_repeated = self.stored.was_unanswered or self.stored.outcome is not None or self.is_hosted
        return max(here, datetime.now(UTC) - begun) if begun and is_repeated else here


def charge_outcome(found: ChargeResult | None) -> OutcomeFields:
    """Return the outcome to record of an answer, a decline classified; none means that it did not happen."""
    if found is None:
        return {"outcome": AttemptOutcome.DID_NOT_HAPPEN}
    decline = found.decline or Decline("")
    if found.decline is not None and not is_known(decline):
        log.warning("decline_code_unknown", code=decline.code, decline_code=decline.decline_code)
    return {
        "outcome": _OUTCOME_OF_STATUS[found.status],
        "gateway_reference": found.gateway_reference,
        "charge_reference": found.charge_reference,
        "movement": found.movement.as_booked() if found.movement else None,
        "found_minor": found.found_minor,
        "paid_by": [found.method_type, method_of(found.method_type)] if found.method_type else [],
        "code": decline.code or found.code,
        "decline_code": decline.decline_code,
        "advice_code": decline.advice_code,
        "network_decline_code": decline.network_decline_code,
        "blocks_card": found.decline is not None and blocks_card(decline),
    }


def blocks_card(decline: Decline) -> bool:
    """Say whether a decline rules its card out for good."""
    return classify(decline) in {DeclineClass.HARD, DeclineClass.FRAUD}


def charge_attempt(row: Mapping[str, Any]) -> ChargeAttempt:
    """Read an attempt as the database returned it."""
    return ChargeAttempt(
        stored_attempt(row),
        Charge(
            idempotency_key=row["idempotency_key"],
            request_id=row["request_id"],
            account_id=row["account_id"],
            payment_id=row["payment_id"],
            amount_minor=row["amount_minor"],
            currency=row["currency"],
            customer=row["customer"],
            token=row["token"],
            invoices=tuple(row["invoices"]),
            installation=row["installation"],
            period=row["period"],
            purpose=row["purpose"],
            known_references=tuple(row["known_references"]),
            is_key_used=row["code"] == KEY_USED,
            title=row.get("title", ""),
            methods=tuple(row.get("methods", ())),
            brand=PageBrand(**(row.get("brand") or {})),
            application_fee_minor=row.get("application_fee_minor", 0),
            destination=row.get("destination", ""),
            is_stopped=row.get("is_stopped", False),
        ),
        is_large=row["is_large"],
    )


def collect_result(row: Mapping[str, Any]) -> CollectResult:
    """Read what one attempt came to."""
    others, until = tuple(row["other_card_ids"]), row.get("held_until")
    read = {"outcome": CollectOutcome(row["outcome"]), "other_card_ids": others}
    return CollectResult(**{**row, **read, "held_until": datetime.fromisoformat(until) if until else None})
