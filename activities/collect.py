"""Collecting one receivable: a row before the call, the charge under its key, one commit of what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiolimiter import AsyncLimiter
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.database import Database, RuleBrokenError
from models.collection import Resolution
from models.decline import Decline, DeclineClass, classify, is_known
from models.gateway import (
    Charge,
    ChargeResult,
    ChargeStatus,
    Gateway,
    GatewayBusyError,
    GatewayError,
    GatewayRefusedError,
    GatewayUnansweredError,
)
from models.gateway_request import (
    KEY_LIFETIME,
    AttemptOutcome,
    CollectOutcome,
    CollectRequest,
    CollectResult,
)

log = structlog.get_logger(__name__)

# A request that was sent this long ago has arrived or never will: only then does its absence prove anything.
QUIET_PERIOD = timedelta(minutes=3)

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
    card_id: str
    outcome: AttemptOutcome | None
    gateway_reference: str
    started_at: datetime
    sent_at: datetime

    def needs_evidence(self, now: datetime) -> bool:
        """Say whether the key may no longer be sent: it can only repeat an error, or it may have been forgotten."""
        return self.outcome is not None or now - self.started_at > KEY_LIFETIME


class CollectActivities:
    """One attempt to collect, for runs and collections alike."""

    def __init__(self, database: Database, gateway: Gateway, pace: AsyncLimiter) -> None:
        self._database = database
        self._gateway = gateway
        self._pace = pace

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.collect, self.resolve_unknown]

    @activity.defn
    async def collect(self, request: CollectRequest) -> CollectResult:
        """Make one attempt, or report what an earlier call of the same attempt came to. Safe to repeat at any point.

        Raises ApplicationError of type GatewayBusy or GatewayAccess (it did not happen) and GatewayUnanswered (nobody
        knows); after each the same attempt is asked again.
        """
        opened: dict[str, Any] = await self._database.call(
            "open_attempt",
            account_id=request.account_id,
            period=request.period,
            provider_id=request.provider,
            run_id=request.run_id,
            attempt=request.attempt,
            cause=request.cause,
            card_id=request.card_id,
        )
        if opened["result"] is not None:
            return _result(opened["result"])
        attempt = _attempt(opened["attempt"])
        return await self._record(attempt, await self._ask(attempt))

    @activity.defn
    async def resolve_unknown(self, resolution: Resolution) -> CollectResult:
        """Settle an attempt whose outcome nobody knew, by a gateway id that is checked there, or by decision.

        Raises RuleBrokenError when the attempt has an outcome by now, or the id is another payment's.
        """
        opened = await self._database.call(
            "unknown_attempt",
            account_id=resolution.account_id,
            period=resolution.period,
            attempt=resolution.attempt,
        )
        attempt = _attempt(opened["attempt"])
        found = await self._evidence(attempt, resolution.gateway_reference) if resolution.gateway_reference else None
        outcome = _outcome_of(found)
        return await self._record(attempt, outcome | {"actor": resolution.actor, "reason": resolution.reason})

    async def _evidence(self, attempt: Attempt, gateway_reference: str) -> ChargeResult | None:
        try:
            return await self._gateway.find_charge(
                attempt.charge, gateway_reference=gateway_reference, since=attempt.started_at
            )
        except GatewayRefusedError as error:
            raise RuleBrokenError("evidence_is_of_this_attempt", f"gateway_reference: {error.code}") from error

    async def _ask(self, attempt: Attempt) -> dict[str, Any]:
        try:
            if attempt.needs_evidence(datetime.now(UTC)):
                return _outcome_of(await self._find(attempt))
            async with self._pace:
                return _outcome_of(await self._gateway.charge(attempt.charge))
        except GatewayRefusedError as error:
            return {"outcome": AttemptOutcome.REFUSED, "code": error.code}
        except GatewayUnansweredError as error:
            await self._record_unanswered(attempt, error)
            raise _asked_again("GatewayUnanswered", error) from error
        except GatewayBusyError as error:
            raise _asked_again("GatewayBusy", error, timedelta(seconds=error.retry_after_seconds)) from error
        except GatewayError as error:
            raise _asked_again("GatewayAccess", error) from error

    async def _find(self, attempt: Attempt) -> ChargeResult | None:
        found = await self._gateway.find_charge(
            attempt.charge, gateway_reference=attempt.gateway_reference, since=attempt.started_at
        )
        if found is None and datetime.now(UTC) - attempt.sent_at < QUIET_PERIOD and attempt.outcome is None:
            raise GatewayUnansweredError("too_early_to_tell")
        return found

    async def _record(self, attempt: Attempt, outcome: Mapping[str, Any]) -> CollectResult:
        recorded = await self._database.call(
            "record_outcome", request_id=attempt.charge.request_id, attempt=attempt.number, **outcome
        )
        return _result(recorded)

    async def _record_unanswered(self, attempt: Attempt, error: GatewayUnansweredError) -> None:
        log.warning(
            "charge_unanswered",
            request_id=attempt.charge.request_id,
            code=error.code,
            is_final=error.is_final,
        )
        await self._database.call(
            "record_unanswered",
            request_id=attempt.charge.request_id,
            attempt=attempt.number,
            code=error.code,
            is_final=error.is_final,
        )


def _asked_again(kind: str, error: GatewayError, delay: timedelta | None = None) -> ApplicationError:
    return ApplicationError(error.code, type=kind, next_retry_delay=delay)


def _outcome_of(found: ChargeResult | None) -> dict[str, Any]:
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


def _attempt(row: Mapping[str, Any]) -> Attempt:
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
        ),
        number=row["attempt"],
        card_id=row["card_id"],
        outcome=AttemptOutcome(row["outcome"]) if row["outcome"] else None,
        gateway_reference=row["gateway_reference"] or "",
        started_at=datetime.fromisoformat(row["started_at"]),
        sent_at=datetime.fromisoformat(row["sent_at"]),
    )


def _result(row: Mapping[str, Any]) -> CollectResult:
    return CollectResult(outcome=CollectOutcome(row["outcome"]), **{k: v for k, v in row.items() if k != "outcome"})
