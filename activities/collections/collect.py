"""Collecting one receivable: a row before the call, the charge under its key, one commit of what came of it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiolimiter import AsyncLimiter
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.collections.attempt import Attempt, attempt_of, outcome_of, result_of
from activities.database import Database, RuleBrokenError
from models.collections.collection import Resolution
from models.gateway.charges import (
    ChargeResult,
    Gateway,
    GatewayBusyError,
    GatewayError,
    GatewayRefusedError,
    GatewayUnansweredError,
)
from models.gateway.gateway_request import AttemptChannel, AttemptOutcome, CollectRequest, CollectResult

log = structlog.get_logger(__name__)

# A request that was sent this long ago has arrived or never will: only then does its absence prove anything.
QUIET_PERIOD = timedelta(minutes=3)


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
            return result_of(opened["result"])
        attempt = attempt_of(opened["attempt"])
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
        attempt = attempt_of(opened["attempt"])
        found = await self._evidence(attempt, resolution.gateway_reference) if resolution.gateway_reference else None
        outcome = outcome_of(found)
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
                return outcome_of(await self._find(attempt))
            async with self._pace:
                return outcome_of(await self._gateway.charge(attempt.charge))
        except GatewayRefusedError as error:
            return {"outcome": AttemptOutcome.REFUSED, "code": error.code}
        except GatewayUnansweredError as error:
            await self._record_unanswered(attempt, error)
            # Without the cause: a history keeps our code for it, not what the gateway's library says at length.
            raise _asked_again("GatewayUnanswered", error) from None
        except GatewayBusyError as error:
            raise _asked_again("GatewayBusy", error, timedelta(seconds=error.retry_after_seconds)) from None
        except GatewayError as error:
            raise _asked_again("GatewayAccess", error) from None

    async def _find(self, attempt: Attempt) -> ChargeResult | None:
        find = (
            self._gateway.find_page_payment
            if attempt.channel is AttemptChannel.HOSTED_PAGE
            else self._gateway.find_charge
        )
        try:
            found = await find(attempt.charge, gateway_reference=attempt.gateway_reference, since=attempt.started_at)
        except GatewayRefusedError as error:
            # That we may not look says nothing about what happened: the key may be another account's by now.
            raise GatewayUnansweredError(error.code) from error
        may_still_arrive = attempt.outcome is None and not attempt.gateway_reference
        if found is None and may_still_arrive and datetime.now(UTC) - attempt.sent_at < QUIET_PERIOD:
            raise GatewayUnansweredError("too_early_to_tell")
        return found

    async def _record(self, attempt: Attempt, outcome: Mapping[str, Any]) -> CollectResult:
        recorded = await self._database.call(
            "record_outcome", request_id=attempt.charge.request_id, attempt=attempt.number, **outcome
        )
        return result_of(recorded)

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
