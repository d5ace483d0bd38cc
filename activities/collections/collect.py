"""Collecting one receivable: the row is written, the charge is sent under its key, and the payment is posted.

The payment is posted by duly.record_outcome, in the commit that records the outcome (duly.post_collected). What happens
when the gateway does not answer stands in activities/gateway/attempts.py.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased
from temporalio import activity

from activities.collections.attempt import ChargeAttempt, blocks_card, charge_attempt, charge_outcome, collect_result
from activities.collections.booking import record_charge
from activities.collections.fingerprints import read_fingerprints
from activities.database import Database
from activities.gateway.attempts import GatewayAttempts, GatewayCalls, confirmed
from activities.gateway.clocks import Clocks
from activities.gateway.pace import Pace
from models.collections.collection import Resolution
from models.gateway.charges import ChargeGateway, ChargeResult
from models.gateway.decline import Decline
from models.gateway.gateway_request import CollectOutcome, CollectRequest, CollectResult, RequestKind
from models.tables.configuration import CardRow

_Other = aliased(CardRow)


class Stopwatch:
    """How long the gateway took for a charge, without what it stood in line for before."""

    def __init__(self) -> None:
        self.milliseconds = 0

    async def time(self, charging: Awaitable[ChargeResult]) -> ChargeResult:
        """Wait for an answer, and note how long that took."""
        began = time.monotonic()
        try:
            return await charging
        finally:
            self.milliseconds = int((time.monotonic() - began) * 1000)


class CollectActivities:
    """One attempt to collect, for runs and collections alike."""

    def __init__(self, database: Database, gateway: ChargeGateway, clocks: Clocks, pace: Pace) -> None:
        self._database = database
        self._gateway = gateway
        self._clocks = clocks
        self._attempts = GatewayAttempts(database, clocks, pace, RequestKind.PAYMENT)

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.collect, self.resolve_unknown]

    @activity.defn
    async def collect(self, request: CollectRequest) -> CollectResult:
        """Make one attempt, or report what an earlier call of the same attempt came to. Safe to repeat at any point.

        Raises ApplicationError as Clocks.open and GatewayAttempts.make do: after each the same attempt is made again.
        """
        opened: dict[str, Any] = await self._clocks.open(
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
            result = collect_result(opened["result"])
        else:
            attempt = charge_attempt(opened["attempt"])
            stopwatch = Stopwatch()
            made = await self._attempts.make(attempt.stored, self._calls(attempt, stopwatch))
            outcome, found = made
            recorded = await record_charge(self._database, attempt, outcome)
            result = replace(recorded, took_ms=stopwatch.milliseconds)
            if found is not None and found.page is not None:
                result = replace(result, page_url=found.page.url, page_ends_at=found.page.expires_at)
        return await self._with_same_cards(await self._with_names(request, opened, result))

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
        attempt = charge_attempt(opened["attempt"])
        found = await confirmed(lambda reference: self._find_charge(attempt, reference), resolution.gateway_reference)
        person = {"actor": resolution.actor, "reason": resolution.reason}
        return await record_charge(self._database, attempt, charge_outcome(found) | person)

    def _calls(self, attempt: ChargeAttempt, stopwatch: Stopwatch) -> GatewayCalls[ChargeResult]:
        if attempt.is_hosted:
            return GatewayCalls(lambda reference: self._find_page_payment(attempt, reference), charge_outcome)
        return GatewayCalls(
            lambda reference: self._find_charge(attempt, reference),
            charge_outcome,
            send=lambda: self._charge(attempt, stopwatch),
        )

    async def _charge(self, attempt: ChargeAttempt, stopwatch: Stopwatch) -> ChargeResult:
        result = await stopwatch.time(self._gateway.charge(attempt.charge))
        if result.decline is not None:
            await read_fingerprints(self._database, self._gateway, attempt.charge)
        return result

    async def _find_charge(self, attempt: ChargeAttempt, reference: str) -> ChargeResult | None:
        return await self._gateway.find_charge(attempt.charge, gateway_reference=reference)

    async def _find_page_payment(self, attempt: ChargeAttempt, reference: str) -> ChargeResult | None:
        return await self._gateway.find_page_payment(attempt.charge, gateway_reference=reference)

    async def _with_names(
        self, request: CollectRequest, opened: dict[str, Any], result: CollectResult
    ) -> CollectResult:
        """Name what was collected where it has a name of its own, and the receivable of what a paid one left over."""
        name = opened["receivable"]
        if name != request.period:
            result = replace(result, receivable=name)
        if result.outcome is CollectOutcome.SETTLED and opened["has_rest"]:
            following = await self._database.call("open_next_part", account_id=request.account_id, period=name)
            result = replace(result, next_part=following or "")
        return result

    async def _with_same_cards(self, result: CollectResult) -> CollectResult:
        """Name the other tokens of a card that a decline has blocked: their workflows have to read them again."""
        decline = Decline(result.code, result.decline_code, result.advice_code)
        if result.outcome is not CollectOutcome.DECLINED or not blocks_card(decline):
            return result
        rows = await self._database.read(
            select(_Other.id)
            .join(CardRow, and_(CardRow.account_id == _Other.account_id, CardRow.provider_id == _Other.provider_id))
            .where(CardRow.id == result.card_id, _Other.id != CardRow.id)
            .where(CardRow.fingerprint != "", CardRow.fingerprint == _Other.fingerprint)
            .order_by(_Other.id)
        )
        return replace(result, same_card_ids=tuple(row.id for row in rows))
