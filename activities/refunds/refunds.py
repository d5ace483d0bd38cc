"""Refunds and payment cancellations: written down, asked of the gateway under one key, booked when it has paid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from aiolimiter import AsyncLimiter
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.collections.collect import QUIET_PERIOD
from activities.database import Database, RuleBrokenError
from activities.gateway.retries import retryable_gateway_errors
from models.gateway.charges import GatewayError, GatewayRefusedError, GatewayUnansweredError
from models.gateway.gateway_request import FINAL_OUTCOMES, KEY_LIFETIME, AttemptOutcome, RequestKind, RequestState
from models.gateway.refunds import RefundAnswer, RefundCall, RefundGateway, RefundStatus
from models.refunds.refund import RefundAttempt, RefundOrder, RefundOutcome, RefundResolution, RefundResult

log = structlog.get_logger(__name__)

_OUTCOME = {
    RefundStatus.SUCCEEDED: AttemptOutcome.SUCCEEDED,
    RefundStatus.PENDING: AttemptOutcome.PROCESSING,
    RefundStatus.FAILED: AttemptOutcome.DECLINED,
}


@dataclass(frozen=True)
class Refund:
    """One attempt for a refund as the database holds it."""

    ask: RefundCall
    row: Mapping[str, Any]

    @property
    def attempt_outcome(self) -> AttemptOutcome | None:
        """How the attempt ended; None while it has no answer."""
        return AttemptOutcome(self.row["outcome"]) if self.row["outcome"] else None

    @property
    def started_at(self) -> datetime:
        """When the attempt was written down."""
        return datetime.fromisoformat(self.row["started_at"])

    def needs_evidence(self) -> bool:
        """Say whether the key may no longer be sent: it can only repeat what it said, or may have been forgotten."""
        return self.attempt_outcome is not None or datetime.now(UTC) - self.started_at > KEY_LIFETIME

    def outcome(self) -> RefundOutcome:
        """Say where the refund stands."""
        match RequestState(self.row["state"]), self.attempt_outcome:
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
        row = self.row
        return RefundResult(
            self.outcome(),
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


class RefundActivities:
    """What a refund's workflow asks of the gateway. Each is safe to repeat at any point."""

    def __init__(self, database: Database, gateway: RefundGateway, pace: AsyncLimiter) -> None:
        self._database = database
        self._gateway = gateway
        self._pace = pace

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.refund, self.check_refund, self.resolve_refund]

    @activity.defn
    async def refund(self, attempt: RefundAttempt) -> RefundResult:
        """Ask for a refund, or report what an earlier call of the same attempt came to.

        Raises RuleBrokenError when it may not be (nothing is written then), and ApplicationError of type
        GatewayUnanswered (nobody knows); the same attempt is asked again.
        """
        refund = await self._open(attempt.order, attempt.attempt)
        if refund.attempt_outcome in FINAL_OUTCOMES:
            return refund.result()
        return (await self._record(refund, await self._answer(refund, self._ask))).result()

    @activity.defn
    async def check_refund(self, refund_id: str) -> RefundResult:
        """Look at a known refund as the gateway has it now: even one that succeeded may have come back.

        One that was reserved and not asked for yet is asked for: news of its payment may overtake its own workflow.
        """
        refund = await self._stored(refund_id)
        if refund is None:
            return await self.refund(RefundAttempt(await self._reserved(refund_id)))
        if not refund.row["gateway_reference"] or refund.outcome() in {RefundOutcome.REJECTED, RefundOutcome.REVERSED}:
            return refund.result()
        return (await self._record(refund, await self._answer(refund, self._find))).result()

    @activity.defn
    async def resolve_refund(self, found: RefundResolution) -> RefundResult:
        """Settle a refund whose outcome nobody knew, by a gateway id that is checked there, or by decision."""
        refund = await self._stored(found.refund_id)
        if refund is None or refund.row["attempt"] != found.attempt or refund.outcome() is not RefundOutcome.UNKNOWN:
            raise RuleBrokenError("outcome_is_unknown", f"refund: attempt {found.attempt} has an outcome")
        word: dict[str, Any] = {"outcome": AttemptOutcome.DID_NOT_HAPPEN}
        if reference := found.resolution.gateway_reference:
            try:
                with retryable_gateway_errors():
                    answer = await self._gateway.find_refund(refund.ask, gateway_reference=reference)
            except RuleBrokenError as error:
                raise RuleBrokenError("evidence_is_of_this_refund", f"gateway_reference: {error.message}") from None
            word = outcome_from(answer)
        person = {"actor": found.resolution.actor, "reason": found.resolution.reason}
        return (await self._record(refund, word | person)).result()

    async def _answer(self, refund: Refund, ask: Callable[[Refund], Any]) -> dict[str, Any]:
        try:
            return outcome_from(await ask(refund))
        except GatewayRefusedError as error:
            return {"outcome": AttemptOutcome.REFUSED, "code": error.code}
        except GatewayUnansweredError as error:
            log.warning("refund_unanswered", request_id=refund.ask.request_id, code=error.code, is_final=error.is_final)
            await self._database.call(
                "record_unanswered",
                request_id=refund.ask.request_id,
                attempt=refund.row["attempt"],
                code=error.code,
                is_final=error.is_final,
            )
            raise ApplicationError(error.code, type="GatewayUnanswered") from None
        except GatewayError:
            with retryable_gateway_errors():
                raise

    async def _ask(self, refund: Refund) -> RefundAnswer | None:
        if refund.needs_evidence():
            return await self._find(refund)
        async with self._pace:
            return await self._gateway.refund(refund.ask)

    async def _find(self, refund: Refund) -> RefundAnswer | None:
        try:
            found = await self._gateway.find_refund(refund.ask, gateway_reference=refund.row["gateway_reference"])
        except GatewayRefusedError as error:
            # That we may not look says nothing about what happened.
            raise GatewayUnansweredError(error.code) from error
        is_early = datetime.now(UTC) - refund.started_at < QUIET_PERIOD
        if found is None and (is_early or refund.row["gateway_reference"]):
            raise GatewayUnansweredError("too_early_to_tell")
        return found

    async def _open(self, order: RefundOrder, attempt: int) -> Refund:
        opened = await self._database.call(
            "open_refund",
            request_id=order.refund_id,
            kind=order.kind,
            payment_id=order.payment_id,
            amount_minor=order.amount_minor,
            attempt=attempt,
            actor=order.actor,
            reason=order.reason,
            origin=order.origin,
            is_acknowledged=order.is_acknowledged,
        )
        return refund_of(opened)

    async def _reserved(self, refund_id: str) -> RefundOrder:
        rows = await self._database.rows(
            "select duly.standing_payment(p.transaction_id) as payment_id, r.amount_minor, r.kind, r.asked_by,"
            " r.asked_because from duly.gateway_requests r join duly.gateway_requests p on p.id = r.of_request_id"
            " where r.id = :id",
            id=refund_id,
        )
        if not rows:
            raise RuleBrokenError("refund_exists", f"refund: there is no refund {refund_id}")
        [row] = rows
        return RefundOrder(
            refund_id,
            row.payment_id,
            row.amount_minor if row.kind == RequestKind.REFUND else 0,
            RequestKind(row.kind),
            row.asked_by,
            row.asked_because,
            origin="system",
            is_acknowledged=True,
        )

    async def _stored(self, refund_id: str) -> Refund | None:
        rows = await self._database.rows(
            "select duly.refund_view(r, a) from duly.gateway_requests r join duly.gateway_attempts a"
            " on a.request_id = r.id where r.id = :id and r.of_request_id is not null order by a.attempt desc limit 1",
            id=refund_id,
        )
        return refund_of(rows[0][0]) if rows else None

    async def _record(self, refund: Refund, word: Mapping[str, Any]) -> Refund:
        recorded = await self._database.call(
            "record_refund",
            request_id=refund.ask.request_id,
            attempt=refund.row["attempt"],
            **{"is_booked": False, "gateway_reference": "", "code": "", "actor": "", "reason": "", **word},
        )
        return refund_of(recorded)


def outcome_from(answer: RefundAnswer | None) -> dict[str, Any]:
    """Return what to record of an answer; none means that it did not happen."""
    if answer is None:
        return {"outcome": AttemptOutcome.DID_NOT_HAPPEN}
    return {
        "outcome": _OUTCOME[answer.status],
        "is_booked": answer.is_booked,
        "gateway_reference": answer.gateway_reference,
        "code": answer.code,
    }


def refund_of(row: Mapping[str, Any]) -> Refund:
    """Read a refund as the database returned it."""
    ask = RefundCall(
        idempotency_key=row["idempotency_key"],
        request_id=row["request_id"],
        account_id=row["account_id"],
        payment_reference=row["payment_reference"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
    )
    return Refund(ask, row)
