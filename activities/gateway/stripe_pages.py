"""Payments on a page of Stripe's, for a customer who has to be there: authentication, another card."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import stripe
import structlog

from activities.gateway.translation import (
    amount_to_send,
    application_fee,
    charge_result,
    metadata_of,
    optional,
    require_same_attempt,
    translating_errors,
)
from models.gateway.charges import Charge, ChargeResult, ChargeStatus, PaymentPage, page_title
from models.gateway.errors import GatewayInvalidRequestError
from models.gateway.payment_methods import page_types

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsPaymentIntentData

log = structlog.get_logger(__name__)

EXPAND_FEE = "latest_charge.balance_transaction"
# How the ids of payments begin: an attempt has its page's id, or its payment's once money is on its way.
_INTENT = "pi_"
_EXPAND_PAYMENT = f"payment_intent.{EXPAND_FEE}"


async def require_customer(client: stripe.StripeClient, customer: str) -> None:
    """Make sure that a list is empty for the right reason: absence counts only where the customer is known.

    Another Stripe account's list is just as empty.
    """
    await client.v1.customers.retrieve_async(customer)


def is_taken(intent: stripe.PaymentIntent) -> bool:
    """Say whether money was taken by an intent, or is on its way."""
    return intent.status in {"succeeded", "processing", "requires_capture"}


class StripePages:
    """Checkout sessions in payment mode. A page is open for a day at most; the customer's link opens another."""

    _client: stripe.StripeClient

    async def open_page(self, charge: Charge, *, return_url: str) -> PaymentPage:
        """Open a page for exactly this charge, under the attempt's key. It saves no card (decision 0018).

        It offers every configured method that fits the currency (decision 0196), and bears the seller's brand (0197).
        """
        types, branding = _types_to_offer(charge), _branding(charge)
        metadata, title = metadata_of(charge), charge.title or page_title(charge.invoices) or charge.request_id
        intent: SessionCreateParamsPaymentIntentData = {"metadata": metadata, "description": title}
        if fee := application_fee(charge):
            intent["application_fee_amount"] = fee
        if charge.destination:
            intent["transfer_data"] = {"destination": charge.destination}
        with translating_errors():
            session = await self._client.v1.checkout.sessions.create_async(
                {
                    "mode": "payment",
                    "allowed_payment_method_types": types,
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
                    "payment_intent_data": intent,
                    "success_url": return_url,
                    **branding,
                },
                {"idempotency_key": charge.idempotency_key},
            )
            if dropped := sorted(set(types) - set(session.payment_method_types)):
                # Stripe leaves out without a word what the account cannot take.
                log.warning("page_methods_left_out", request_id=charge.request_id, methods=dropped)
            return _page_of(session)

    async def close_page(self, charge: Charge, *, gateway_reference: str) -> ChargeResult | None:
        """Expire the page, unless it is over already, and read how it ended."""
        with translating_errors():
            return await self._ended(gateway_reference, charge) or await self._closed(
                await self._page(gateway_reference), charge
            )

    async def _ended(self, reference: str, charge: Charge) -> ChargeResult | None:
        """Read the payment where the page was ended by it: a bank debit is processing for days, under its own id."""
        if not reference.startswith(_INTENT):
            return None
        intent = await self._client.v1.payment_intents.retrieve_async(reference, {"expand": [EXPAND_FEE]})
        return charge_result(require_same_attempt(intent, charge), charge)

    async def _closed(self, session: stripe.checkout.Session, charge: Charge) -> ChargeResult:
        """Expire a page that is open, and read what it came to: who paid at the last moment has paid."""
        if session.status == "open":
            await expire_page(self._client, session.id)
            session = await self._page(session.id)
        return self._page_result(session, charge)

    async def _read_page(self, session: stripe.checkout.Session, charge: Charge) -> ChargeResult:
        """Read what a page came to. One that is open is closed first, where nothing new may be taken."""
        if charge.is_stopped and session.status == "open":
            # Refused of one that is paid in this moment, as its next reading says.
            with suppress(stripe.InvalidRequestError):
                await self._client.v1.checkout.sessions.expire_async(session.id)
            session = await self._page(session.id)
        return self._page_result(session, charge)

    @staticmethod
    def _page_result(session: stripe.checkout.Session, charge: Charge) -> ChargeResult:
        """Read what a page came to: processing while it is open, canceled when it ended and no money is on its way."""
        intent = optional(session, "payment_intent")
        if isinstance(intent, stripe.PaymentIntent) and (session.status == "complete" or is_taken(intent)):
            return charge_result(intent, charge)
        status = ChargeStatus.CANCELED if session.status == "expired" else ChargeStatus.PROCESSING
        return ChargeResult(status, gateway_reference=session.id, page=_open_page(session, charge))

    async def _page(self, reference: str) -> stripe.checkout.Session:
        return await self._client.v1.checkout.sessions.retrieve_async(reference, {"expand": [_EXPAND_PAYMENT]})

    async def _sessions(self, customer: str) -> AsyncIterator[stripe.checkout.Session]:
        page = await self._client.v1.checkout.sessions.list_async(
            {"customer": customer, "limit": 100, "expand": [f"data.{_EXPAND_PAYMENT}"]}
        )
        async for session in page.auto_paging_iter():
            yield session


def _types_to_offer(charge: Charge) -> list[Any]:
    """Return what the page offers. Raises GatewayInvalidRequestError when no configured method takes the currency."""
    types = page_types(charge.methods or ("card",), charge.currency)
    if not types:
        raise GatewayInvalidRequestError("no_method_takes_currency")
    return list(types)


def _branding(charge: Charge) -> "SessionCreateParams":
    """Return what the page says of its seller; nothing of it is named where the account's own is to be seen."""
    if not charge.brand.name:
        return {}
    asked: Any = {
        "display_name": charge.brand.name,
        "button_color": charge.brand.color,
    }
    if charge.brand.background_color:
        asked["background_color"] = charge.brand.background_color
    if charge.brand.logo_url:
        asked["logo"] = {"type": "url", "url": charge.brand.logo_url}
    return {"branding_settings": asked}


def _page_of(session: stripe.checkout.Session, *, is_for_charge: bool = True) -> PaymentPage:
    return PaymentPage(
        session.id,
        optional(session, "url") or "",
        datetime.fromtimestamp(session.expires_at, UTC),
        is_for_charge=is_for_charge,
    )


def _open_page(session: stripe.checkout.Session, charge: Charge) -> PaymentPage | None:
    if session.status != "open":
        return None
    asked = (optional(session, "amount_total"), (optional(session, "currency") or "").upper())
    return _page_of(session, is_for_charge=asked == (amount_to_send(charge), charge.currency))


async def expire_page(client: stripe.StripeClient, reference: str) -> None:
    """Expire a page, unless it is over: to read that before would miss who pays between both calls.

    Raises stripe.InvalidRequestError where it stays open, or is not there.
    """
    sessions = client.v1.checkout.sessions
    try:
        await sessions.expire_async(reference)
    except stripe.InvalidRequestError:
        if (await sessions.retrieve_async(reference)).status == "open":
            raise
