"""Payments on a page of Stripe's, for a customer who has to be there: authentication, another card."""

from datetime import UTC, datetime

import stripe

from activities.gateway.translation import amount_to_send, charge_result, metadata_of, translating_errors
from models.gateway.charges import Charge, ChargeResult, ChargeStatus, PaymentPage, page_title

EXPAND_FEE = "latest_charge.balance_transaction"
_EXPAND_PAYMENT = f"payment_intent.{EXPAND_FEE}"


async def require_customer(client: stripe.StripeClient, customer: str) -> None:
    """Make sure that a list is empty for the right reason: absence counts only where the customer is known.

    Another Stripe account's list is just as empty.
    """
    await client.v1.customers.retrieve_async(customer)


class StripePages:
    """Checkout sessions in payment mode. A page is open for a day at most; the customer's link opens another."""

    _client: stripe.StripeClient

    async def open_page(self, charge: Charge, *, return_url: str) -> PaymentPage:
        """Open a page for exactly this charge, under the attempt's key. It saves no card (decision 0018)."""
        metadata, title = metadata_of(charge), page_title(charge.invoices) or charge.request_id
        with translating_errors():
            session = await self._client.v1.checkout.sessions.create_async(
                {
                    "mode": "payment",
                    # Every other method would come back as something that this gateway cannot keep.
                    "allowed_payment_method_types": ["card"],
                    "customer": charge.customer,
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": charge.currency.lower(),
                                "unit_amount": amount_to_send(charge),
                                "product_data": {"name": title},
                            },
                        }
                    ],
                    "metadata": metadata,
                    "payment_intent_data": {"metadata": metadata, "description": title},
                    "success_url": return_url,
                },
                {"idempotency_key": charge.idempotency_key},
            )
        return PaymentPage(session.id, session.url or "", datetime.fromtimestamp(session.expires_at, UTC))

    async def close_page(self, charge: Charge, *, gateway_reference: str) -> ChargeResult | None:
        """Expire the page, unless it is over already, and read how it ended."""
        with translating_errors():
            session = await self._client.v1.checkout.sessions.retrieve_async(gateway_reference)
            if session.status == "open":
                await self._client.v1.checkout.sessions.expire_async(gateway_reference)
        return await self.find_page_payment(charge, gateway_reference=gateway_reference)

    async def find_page_payment(self, charge: Charge, *, gateway_reference: str) -> ChargeResult | None:
        """Read the page by its id, else find it among the customer's pages."""
        with translating_errors():
            session = await self._page(charge, gateway_reference)
        if session is None or session.status == "expired":
            return None
        if session.status == "open" or not isinstance(session.payment_intent, stripe.PaymentIntent):
            return ChargeResult(ChargeStatus.PROCESSING, gateway_reference=session.id)
        return charge_result(session.payment_intent, charge)

    async def _page(self, charge: Charge, reference: str) -> stripe.checkout.Session | None:
        sessions = self._client.v1.checkout.sessions
        if reference:
            return await sessions.retrieve_async(reference, {"expand": [_EXPAND_PAYMENT]})
        found = await sessions.list_async(
            {
                "customer": charge.customer,
                "limit": 100,
                "expand": [f"data.{_EXPAND_PAYMENT}"],
            }
        )
        async for session in found.auto_paging_iter():
            if (session.metadata.to_dict() if session.metadata else {}).get("duly_attempt") == charge.idempotency_key:
                return session
        await require_customer(self._client, charge.customer)
        return None
