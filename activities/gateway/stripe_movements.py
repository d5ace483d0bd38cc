"""Balance transactions at Stripe."""

from collections.abc import AsyncIterator
from datetime import datetime

import stripe
import structlog

from activities.gateway.stripe_refunds import EXPAND_MOVEMENTS
from activities.gateway.translation import booked_movement, translating_errors
from models.gateway.movements import Movement, MovementKind

log = structlog.get_logger(__name__)

_INTENT = "pi_"


class StripeMovements:
    """What has moved on the balance."""

    _client: stripe.StripeClient

    async def movements(self, since: datetime) -> AsyncIterator[Movement]:
        """Every balance transaction since a moment, newest first."""
        with translating_errors():
            page = await self._client.v1.balance_transactions.list_async(
                {"created": {"gte": int(since.timestamp())}, "limit": 100}
            )
            async for booking in page.auto_paging_iter():
                if movement := booked_movement(booking):
                    yield movement

    async def find_movement(self, source: str, kind: MovementKind) -> Movement | None:
        """Retrieve the object with its balance transaction: what is listed late is known there."""
        with translating_errors():
            match kind:
                case MovementKind.CHARGE:
                    return booked_movement((await self._charge(source)).balance_transaction)
                case MovementKind.REFUND | MovementKind.REFUND_FAILURE:
                    refund = await self._client.v1.refunds.retrieve_async(source, {"expand": list(EXPAND_MOVEMENTS)})
                    name = EXPAND_MOVEMENTS[kind is MovementKind.REFUND_FAILURE]
                    return booked_movement(getattr(refund, name, None))
                case MovementKind.DISPUTE | MovementKind.DISPUTE_REVERSAL:
                    dispute = await self._client.v1.disputes.retrieve_async(source)
                    moved = [booked_movement(each) for each in dispute.balance_transactions]
                    return next((each for each in moved if each and each.kind is kind), None)
                case MovementKind.PAYOUT | MovementKind.OTHER:
                    return None

    async def _charge(self, source: str) -> stripe.Charge:
        """Retrieve a charge, also by its payment intent: not every answer names the charge."""
        if not source.startswith(_INTENT):
            return await self._client.v1.charges.retrieve_async(source, {"expand": ["balance_transaction"]})
        intent = await self._client.v1.payment_intents.retrieve_async(
            source, {"expand": ["latest_charge.balance_transaction"]}
        )
        assert isinstance(intent.latest_charge, stripe.Charge)  # noqa: S101  # a payment that succeeded has one
        return intent.latest_charge
