"""Cards at Stripe: customers, checks by setup intent, pages that save a card, and what becomes of it."""

from datetime import UTC, datetime
from typing import cast

import stripe

from activities.gateway.stripe_pages import expire_page, require_customer
from activities.gateway.translation import decline_of, issuers_error, metadata_at, optional, translating_errors
from models.gateway.cards import CardData, Validation, ValidationAnswer, ValidationStatus
from models.gateway.charges import PaymentPage
from models.gateway.decline import Decline
from models.gateway.errors import GatewayInvalidRequestError

_STATUS = {
    "succeeded": ValidationStatus.ACCEPTED,
    "processing": ValidationStatus.PROCESSING,
    "canceled": ValidationStatus.CANCELED,
    "requires_action": ValidationStatus.ACTION_REQUIRED,
    "requires_confirmation": ValidationStatus.REJECTED,
    "requires_payment_method": ValidationStatus.REJECTED,
}
# A setup intent of which nothing is to be cancelled any more.
_OVER = frozenset({"succeeded", "canceled", "processing"})
_EXPAND = "payment_method"
_PAGE_EXPAND = f"setup_intent.{_EXPAND}"


class StripeCards:
    """Setup intents and checkout sessions in setup mode."""

    _client: stripe.StripeClient

    async def create_customer(self, account_id: str, *, installation: str, idempotency_key: str) -> str:
        """Create a customer that carries our id and nothing personal."""
        with translating_errors():
            customer = await self._client.v1.customers.create_async(
                {"metadata": {"duly_account": account_id, "duly_installation": installation}},
                {"idempotency_key": idempotency_key},
            )
            return customer.id

    async def has_customer(self, customer: str) -> bool:
        """Retrieve the customer; of a deleted one Stripe keeps the id."""
        with translating_errors():
            try:
                found = await self._client.v1.customers.retrieve_async(customer)
            except stripe.InvalidRequestError as error:
                if error.code == "resource_missing":
                    return False
                raise
            return bool(found.id) and not getattr(found, "deleted", False)

    async def is_deleted(self, customer: str) -> bool:
        """Say whether a customer was deleted: one that this account has never had is something else."""
        try:
            found = await self._client.v1.customers.retrieve_async(customer)
        except stripe.InvalidRequestError:
            return False
        return getattr(found, "deleted", False)

    async def has_had_customer(self, customer: str) -> bool:
        """Say whether this account has a customer, or had it until it was deleted. Raises GatewayError."""
        try:
            with translating_errors():
                await self._client.v1.customers.retrieve_async(customer)
        except GatewayInvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            return False
        return True

    async def validate_card(self, validation: Validation, *, return_url: str) -> ValidationAnswer:
        """Create and confirm a setup intent under the attempt's key."""
        with translating_errors():
            try:
                intent = await self._client.v1.setup_intents.create_async(
                    {
                        "customer": validation.customer,
                        "payment_method": validation.token,
                        "usage": "off_session",
                        "confirm": True,
                        "return_url": return_url,
                        "metadata": _metadata(validation),
                        "expand": [_EXPAND],
                    },
                    {"idempotency_key": validation.idempotency_key},
                )
            except stripe.CardError as error:
                return _rejected_by(error)
            return _answer(intent)

    async def find_validation(self, validation: Validation, *, gateway_reference: str) -> ValidationAnswer | None:
        """Retrieve by id, else list the customer's setup intents."""
        intents = self._client.v1.setup_intents
        with translating_errors():
            if gateway_reference:
                found = await intents.retrieve_async(gateway_reference, {"expand": [_EXPAND]})
                if not validation.identity.is_attempt(metadata_at(found)):
                    raise GatewayInvalidRequestError("another_validation")
                return _answer(found)
            page = await intents.list_async(
                {
                    "customer": validation.customer,
                    "limit": 100,
                    "expand": [f"data.{_EXPAND}"],
                }
            )
            async for intent in page.auto_paging_iter():
                if validation.identity.is_attempt(metadata_at(intent)):
                    return _answer(intent)
            await require_customer(self._client, validation.customer)
        return None

    async def open_card_page(self, validation: Validation, *, return_url: str) -> PaymentPage:
        """Open a checkout session in setup mode under the attempt's key."""
        metadata = _metadata(validation)
        with translating_errors():
            session = await self._client.v1.checkout.sessions.create_async(
                {
                    "mode": "setup",
                    "allowed_payment_method_types": ["card"],
                    "customer": validation.customer,
                    "metadata": metadata,
                    "setup_intent_data": {"metadata": metadata},
                    "success_url": return_url,
                },
                {"idempotency_key": validation.idempotency_key},
            )
            return PaymentPage(
                session.id, optional(session, "url") or "", datetime.fromtimestamp(session.expires_at, UTC)
            )

    async def find_card_page(self, validation: Validation, *, gateway_reference: str) -> ValidationAnswer | None:
        """Read a page and the setup intent behind it."""
        with translating_errors():
            session = await self._card_page(validation, gateway_reference)
            if session is None or session.status == "expired":
                return None
            if session.status == "open":
                return ValidationAnswer(
                    ValidationStatus.ACTION_REQUIRED,
                    session.id,
                    url=optional(session, "url") or "",
                    expires_at=datetime.fromtimestamp(session.expires_at, UTC),
                )
            return _answer(cast("stripe.SetupIntent", session.setup_intent), reference=session.id)

    async def _card_page(self, validation: Validation, reference: str) -> stripe.checkout.Session | None:
        sessions = self._client.v1.checkout.sessions
        if reference:
            return await sessions.retrieve_async(reference, {"expand": [_PAGE_EXPAND]})
        page = await sessions.list_async(
            {
                "customer": validation.customer,
                "limit": 100,
                "expand": [f"data.{_PAGE_EXPAND}"],
            }
        )
        async for session in page.auto_paging_iter():
            if validation.identity.is_attempt(metadata_at(session)):
                return session
        await require_customer(self._client, validation.customer)
        return None

    async def close_card_page(self, gateway_reference: str) -> None:
        """Expire a session that is open."""
        with translating_errors():
            await expire_page(self._client, gateway_reference)

    async def end_validation(self, gateway_reference: str) -> None:
        """Cancel a setup intent that is not over."""
        with translating_errors():
            intents = self._client.v1.setup_intents
            try:
                await intents.cancel_async(gateway_reference)
            except stripe.InvalidRequestError:
                if (await intents.retrieve_async(gateway_reference)).status not in _OVER:
                    raise

    async def read_card(self, token: str, *, customer: str, mandate: str) -> CardData | None:
        """Retrieve the payment method, and the mandate if one is known."""
        with translating_errors():
            try:
                method = await self._client.v1.payment_methods.retrieve_async(token)
            except stripe.InvalidRequestError as error:
                if error.code == "resource_missing":
                    return None
                raise
            found = await self._client.v1.mandates.retrieve_async(mandate) if mandate else None
            return _card(
                method,
                mandate=mandate,
                is_attached=optional(method, "customer") == customer,
                has_mandate=not found or found.status != "inactive",
            )

    async def read_fingerprint(self, token: str) -> str:
        """Retrieve the payment method for its fingerprint alone."""
        with translating_errors():
            method = await self._client.v1.payment_methods.retrieve_async(token)
            return optional(optional(method, "card"), "fingerprint") or ""

    async def detach_card(self, token: str) -> None:
        """Detach the payment method, unless it is detached or gone already."""
        with translating_errors():
            try:
                method = await self._client.v1.payment_methods.retrieve_async(token)
                if optional(method, "customer") is not None:
                    await self._client.v1.payment_methods.detach_async(token)
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise


def _metadata(validation: Validation) -> dict[str, str]:
    return validation.identity.metadata(card=validation.card_id)


def _answer(intent: stripe.SetupIntent, *, reference: str = "") -> ValidationAnswer:
    status = _STATUS.get(intent.status, ValidationStatus.PROCESSING)
    method = optional(intent, "payment_method")
    # Whoever acts in an app of a bank's or in the SDK of a browser is sent nowhere.
    action = optional(optional(intent, "next_action"), "redirect_to_url")
    error = optional(intent, "last_setup_error")
    decline = decline_of(error) if error else Decline("card_declined")
    return ValidationAnswer(
        status,
        reference or intent.id,
        card=_card(method, mandate=str(optional(intent, "mandate") or ""))
        if isinstance(method, stripe.PaymentMethod)
        else None,
        decline=decline if status is ValidationStatus.REJECTED else None,
        url=optional(action, "url") or "",
    )


def _rejected_by(error: stripe.CardError) -> ValidationAnswer:
    details = issuers_error(error)
    intent = getattr(details, "setup_intent", None)
    return ValidationAnswer(ValidationStatus.REJECTED, intent.id if intent else "", decline=decline_of(details))


def _card(
    method: stripe.PaymentMethod, *, mandate: str = "", is_attached: bool = True, has_mandate: bool = True
) -> CardData:
    card = optional(method, "card")
    if method.type != "card" or card is None:
        raise GatewayInvalidRequestError("not_a_card")
    return CardData(
        token=method.id,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        fingerprint=optional(card, "fingerprint") or "",
        mandate_reference=mandate,
        is_attached=is_attached,
        has_mandate=has_mandate,
    )
