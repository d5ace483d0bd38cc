"""Refunds and payment cancellations: the row is written, the refund is sent under its key, and booked when it is paid.

What happens when the gateway does not answer stands in activities/gateway/attempts.py.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select
from temporalio import activity

from activities.database import Database, RuleBrokenError
from activities.gateway.attempts import GatewayAttempts, GatewayCalls, OutcomeFields, confirmed
from activities.gateway.clocks import Clocks
from activities.gateway.pace import Pace
from activities.refunds.attempt import StoredRefund, announce_refund, refund_outcome, refund_result, stored_refund
from activities.refunds.queries import RefundQueries
from models.gateway.gateway_request import RequestKind
from models.gateway.refunds import RefundAnswer, RefundGateway
from models.refunds.refund import RefundAttempt, RefundOrder, RefundOutcome, RefundResolution, RefundResult
from models.tables.base import whole_row
from models.tables.collecting import GatewayAttemptRow, GatewayRequestRow

_REFUNDS = (
    select(func.duly.refund_view(whole_row(GatewayRequestRow), whole_row(GatewayAttemptRow)))
    .join(GatewayAttemptRow, GatewayAttemptRow.request_id == GatewayRequestRow.id)
    .where(GatewayRequestRow.of_request_id.is_not(None))
)


class RefundActivities:
    """Activities of a refund's workflow at the gateway. Each is safe to repeat at any point."""

    def __init__(self, database: Database, gateway: RefundGateway, clocks: Clocks, pace: Pace, provider: str) -> None:
        self._database = database
        self._provider = provider
        self._gateway = gateway
        self._clocks = clocks
        self._attempts = GatewayAttempts(database, clocks, pace, RequestKind.REFUND)

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.refund, self.check_refund, self.resolve_refund]

    @activity.defn
    async def refund(self, attempt: RefundAttempt) -> RefundResult:
        """Make one attempt to refund, or report what an earlier call of the same attempt came to.

        A provider that is not effective is asked nothing new: the refund is written down, and the attempt is not made.
        Raises RuleBrokenError when it may not be (nothing is written then), and ApplicationError as
        Clocks.open and GatewayAttempts.make do: after each the same attempt is made again.
        """
        opened = await self._open(attempt.order, attempt.attempt)
        if opened.get("is_waiting"):
            return refund_result(opened, RefundOutcome.PROVIDER_NOT_EFFECTIVE)
        refund = stored_refund(opened)
        return refund.result() if refund.attempt.is_final else await self._make(refund, self._calls(refund))

    @activity.defn
    async def check_refund(self, refund_id: str) -> RefundResult:
        """Read a known refund at the gateway: even one that succeeded may have come back.

        One that was reserved and not sent yet is sent: an event of its payment may overtake its own workflow. One whose
        outcome nobody knows is attempted again under its key, and one that did not happen anew under the next.
        """
        refund = await self._stored(refund_id)
        if refund is None:
            return await self.refund(RefundAttempt(await self._reserved(refund_id)))
        if refund.row["provider"] != self._provider:
            raise RuleBrokenError(
                "provider_of_payment", f"provider: {refund_id} is with {refund.row['provider']}, not {self._provider}"
            )
        if refund.outcome() in {RefundOutcome.REJECTED, RefundOutcome.REVERSED}:
            return refund.result()
        if refund.outcome() is RefundOutcome.DID_NOT_HAPPEN:
            return await self.refund(RefundAttempt(await self._reserved(refund_id), refund.attempt.number + 1))
        if not refund.attempt.gateway_reference:
            # Nobody knows yet: whoever goes on with a refund that was written down finds out by the same attempt.
            return await self.refund(RefundAttempt(await self._reserved(refund_id), refund.attempt.number))
        return await self._make(refund, replace(self._calls(refund), send=None))

    @activity.defn
    async def resolve_refund(self, found: RefundResolution) -> RefundResult:
        """Settle a refund whose outcome nobody knew, by a gateway id that is checked there, or by decision.

        Raises RuleBrokenError when the attempt has an outcome by now, or the id is another refund's.
        """
        refund = await self._stored(found.refund_id)
        if refund is None or refund.attempt.number != found.attempt or refund.outcome() is not RefundOutcome.UNKNOWN:
            raise RuleBrokenError("outcome_is_unknown", f"refund: attempt {found.attempt} has an outcome")
        answer = await confirmed(self._calls(refund).find, found.resolution.gateway_reference)
        person = {"actor": found.resolution.actor, "reason": found.resolution.reason}
        return (await self._record(refund, refund_outcome(answer) | person)).result()

    async def _make(self, refund: StoredRefund, calls: GatewayCalls[RefundAnswer]) -> RefundResult:
        outcome, _ = await self._attempts.make(refund.attempt, calls)
        return (await self._record(refund, outcome)).result()

    def _calls(self, refund: StoredRefund) -> GatewayCalls[RefundAnswer]:
        return GatewayCalls(
            lambda reference: self._gateway.find_refund(refund.call, gateway_reference=reference),
            refund_outcome,
            send=lambda: self._gateway.refund(refund.call),
        )

    async def _open(self, order: RefundOrder, attempt: int) -> dict[str, Any]:
        opened: dict[str, Any] = await self._clocks.open(
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
            provider_id=self._provider,
        )
        return opened

    async def _reserved(self, refund_id: str) -> RefundOrder:
        row = await RefundQueries(self._database).find(refund_id)
        if row is None:
            raise RuleBrokenError("refund_exists", f"refund: there is no refund {refund_id}")
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

    async def _stored(self, refund_id: str) -> StoredRefund | None:
        newest = _REFUNDS.where(GatewayRequestRow.id == refund_id).order_by(GatewayAttemptRow.attempt.desc())
        stored = await self._database.read_first(newest.limit(1))
        return stored_refund(stored[0]) if stored else None

    async def _record(self, refund: StoredRefund, outcome: OutcomeFields) -> StoredRefund:
        recorded = await self._database.call(
            "record_refund",
            request_id=refund.attempt.request_id,
            attempt=refund.attempt.number,
            **{"is_booked": False, "gateway_reference": "", "code": "", "actor": "", "reason": "", **outcome},
        )
        now = stored_refund(recorded)
        announce_refund(refund, now, actor=str(outcome.get("actor", "")))
        return now
