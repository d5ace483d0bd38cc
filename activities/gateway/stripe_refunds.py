"""Refunds at Stripe."""

import stripe

from activities.gateway.translation import amount_to_send, translating_errors
from models.gateway.charges import GatewayRefusedError, GatewayUnansweredError
from models.gateway.refunds import RefundAnswer, RefundCall, RefundStatus

_STATUS = {
    "succeeded": RefundStatus.SUCCEEDED,
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


class StripeRefunds:
    """Refunds of payment intents."""

    _client: stripe.StripeClient

    async def refund(self, ask: RefundCall) -> RefundAnswer:
        """Create a refund of the payment intent under the attempt's key."""
        with translating_errors():
            made = await self._client.v1.refunds.create_async(
                {
                    "payment_intent": ask.payment_reference,
                    "amount": amount_to_send(ask),
                    "reason": "requested_by_customer",
                    "metadata": {
                        "duly_request": ask.request_id,
                        "duly_attempt": ask.idempotency_key,
                        "duly_account": ask.account_id,
                    },
                },
                {"idempotency_key": ask.idempotency_key},
            )
        return _answer(made, ask)

    async def find_refund(self, ask: RefundCall, *, gateway_reference: str) -> RefundAnswer | None:
        """Retrieve by id, else list the payment intent's refunds: both are consistent at Stripe."""
        with translating_errors():
            if gateway_reference:
                found = await self._client.v1.refunds.retrieve_async(gateway_reference)
                if not _is_of(found, ask):
                    raise GatewayRefusedError("another_refund")
                return _answer(found, ask)
            page = await self._client.v1.refunds.list_async({"payment_intent": ask.payment_reference, "limit": 100})
            async for refund in page.auto_paging_iter():
                if _is_of(refund, ask):
                    return _answer(refund, ask)
        return None


def _is_of(refund: stripe.Refund, ask: RefundCall) -> bool:
    metadata = refund.metadata.to_dict() if refund.metadata else {}
    return metadata.get("duly_attempt") == ask.idempotency_key


def _answer(refund: stripe.Refund, ask: RefundCall) -> RefundAnswer:
    # An answer about other money than we asked for is no answer to our question: it must reach a person.
    if (refund.amount, refund.currency.upper()) != (amount_to_send(ask), ask.currency):
        raise GatewayUnansweredError("amount_mismatch", is_final=True)
    status = _STATUS.get(refund.status or "", RefundStatus.PENDING)
    # Stripe leaves the reason out unless the refund failed, and the SDK then has no such attribute.
    reason = getattr(refund, "failure_reason", None) or refund.status or ""
    code = reason if status is RefundStatus.FAILED else ""
    return RefundAnswer(status, refund.id, is_booked=refund.balance_transaction is not None, code=code)
