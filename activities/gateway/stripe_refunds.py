"""Refunds at Stripe."""

from typing import TYPE_CHECKING

import stripe

from activities.gateway.translation import (
    amount_to_send,
    booked_movement,
    metadata_at,
    moved_for,
    optional,
    translating_errors,
)
from models.gateway.errors import GatewayInvalidRequestError, GatewayUnansweredError
from models.gateway.refunds import GatewayRefundStatus, RefundAnswer, RefundCall

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams

# What the refund has moved, and what has come back when it failed.
EXPAND_MOVEMENTS = ("balance_transaction", "failure_balance_transaction")

_STATUS = {
    "succeeded": GatewayRefundStatus.SUCCEEDED,
    "pending": GatewayRefundStatus.PENDING,
    "requires_action": GatewayRefundStatus.PENDING,
    "failed": GatewayRefundStatus.FAILED,
    "canceled": GatewayRefundStatus.FAILED,
}


class StripeRefunds:
    """Refunds of payment intents."""

    _client: stripe.StripeClient

    async def refund(self, call: RefundCall) -> RefundAnswer:
        """Create a refund of the payment intent under the attempt's key."""
        fee: RefundCreateParams = {"refund_application_fee": True} if call.refunds_application_fee else {}
        with translating_errors():
            made = await self._client.v1.refunds.create_async(
                {
                    "payment_intent": call.payment_reference,
                    "amount": amount_to_send(call),
                    "reason": "requested_by_customer",
                    "expand": list(EXPAND_MOVEMENTS),
                    "metadata": call.identity.metadata(),
                    **fee,
                },
                {"idempotency_key": call.idempotency_key},
            )
            return _answer(made, call)

    async def find_refund(self, call: RefundCall, *, gateway_reference: str) -> RefundAnswer | None:
        """Retrieve by id, else list the payment intent's refunds: both are consistent at Stripe."""
        with translating_errors():
            if gateway_reference:
                found = await self._client.v1.refunds.retrieve_async(
                    gateway_reference, {"expand": list(EXPAND_MOVEMENTS)}
                )
                if not _is_of(found, call):
                    raise GatewayInvalidRequestError("another_refund")
                return _answer(found, call)
            page = await self._client.v1.refunds.list_async(
                {
                    "payment_intent": call.payment_reference,
                    "limit": 100,
                    "expand": [f"data.{name}" for name in EXPAND_MOVEMENTS],
                }
            )
            async for refund in page.auto_paging_iter():
                if _is_of(refund, call):
                    return _answer(refund, call)
            # Absence counts only where the payment is known: another Stripe account's list is just as empty.
            await self._client.v1.payment_intents.retrieve_async(call.payment_reference)
        return None


def _is_of(refund: stripe.Refund, call: RefundCall) -> bool:
    # One that was made outside of Duly has none of our metadata; its own id is its key.
    return call.idempotency_key == f"found:{refund.id}" or call.identity.is_attempt(metadata_at(refund))


def _answer(refund: stripe.Refund, call: RefundCall) -> RefundAnswer:
    # An answer about another amount than the request's is no answer to it: it must reach a person.
    if (refund.amount, refund.currency.upper()) != (amount_to_send(call), call.currency):
        raise GatewayUnansweredError("amount_mismatch", is_final=True)
    stated, booking = optional(refund, "status") or "", optional(refund, "balance_transaction")
    status = _STATUS.get(stated, GatewayRefundStatus.PENDING)
    reason = optional(refund, "failure_reason") or stated
    code = reason if status is GatewayRefundStatus.FAILED else ""
    return RefundAnswer(
        status,
        refund.id,
        is_booked=booking is not None,
        code=code,
        movement=moved_for(booked_movement(booking), -call.amount_minor, call),
        return_movement=moved_for(
            booked_movement(optional(refund, "failure_balance_transaction")), call.amount_minor, call
        ),
    )
