"""What a charge came to, found among everything that its customer has at Stripe."""

from collections.abc import AsyncIterator

import stripe

from activities.gateway.stripe_pages import EXPAND_FEE, StripePages, is_taken, require_customer
from activities.gateway.translation import charge_result, metadata_at, require_same_attempt, translating_errors
from models.gateway.charges import Charge, ChargeResult, ChargeStatus


class StripeEvidence(StripePages):
    """Looks for payments by reference, or through the whole list: both are consistent at Stripe, where search is not.

    No clock narrows a list: one that is wrong would hide what is there, and it would be charged again.
    """

    async def find_charge(self, charge: Charge, *, gateway_reference: str) -> ChargeResult | None:
        """Return what the attempt came to, or money that was taken for the same receivable by one that nobody knows."""
        with translating_errors():
            if gateway_reference:
                found = await self._client.v1.payment_intents.retrieve_async(
                    gateway_reference, {"expand": [EXPAND_FEE]}
                )
                return charge_result(require_same_attempt(found, charge), charge)
            return await self._listed(charge)

    async def find_page_payment(self, charge: Charge, *, gateway_reference: str) -> ChargeResult | None:
        """Read the page by its id, else find it, or what else was paid, among all that the customer has."""
        with translating_errors():
            if gateway_reference:
                return await self._ended(gateway_reference, charge) or await self._read_page(
                    await self._page(gateway_reference), charge
                )
            async for session in self._pages_of(charge):
                if charge.identity.is_attempt(metadata_at(session)):
                    return await self._read_page(session, charge)
            return await self._listed(charge)

    async def _listed(self, charge: Charge) -> ChargeResult | None:
        if intent := await self._intent(charge):
            return charge_result(intent, charge)
        async for session in self._pages_of(charge):
            # A page that nobody here knows of could still be paid: it is closed before it counts as unpaid.
            found = await self._closed(session, charge)
            is_attempt = charge.identity.is_attempt(metadata_at(session))
            if is_attempt or found.status is not ChargeStatus.CANCELED:
                return found
        await require_customer(self._client, charge.customer)
        return None

    async def _intent(self, charge: Charge) -> stripe.PaymentIntent | None:
        page = await self._client.v1.payment_intents.list_async(
            {"customer": charge.customer, "limit": 100, "expand": [f"data.{EXPAND_FEE}"]}
        )
        taken: stripe.PaymentIntent | None = None
        async for intent in page.auto_paging_iter():
            metadata = metadata_at(intent)
            if charge.identity.is_attempt(metadata):
                return intent
            is_unknown = charge.identity.is_receivable(metadata) and intent.id not in charge.known_references
            if taken is None and is_unknown and is_taken(intent):
                taken = intent
        return taken

    async def _pages_of(self, charge: Charge) -> AsyncIterator[stripe.checkout.Session]:
        """Every page for the receivable that no other attempt has, expired ones included."""
        async for session in self._sessions(charge.customer):
            metadata = metadata_at(session)
            if session.id not in charge.known_references and (
                charge.identity.is_attempt(metadata) or charge.identity.is_receivable(metadata)
            ):
                yield session
