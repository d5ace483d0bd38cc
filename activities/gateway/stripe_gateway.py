"""Stripe as our gateway: the port's calls, made with the real SDK."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

import stripe

from activities.gateway.clocked_http import ClockedHttp
from activities.gateway.clocks import ObservedClock
from activities.gateway.connected.stripe_accounts import StripeAccounts
from activities.gateway.connected.stripe_transfers import StripeTransfers
from activities.gateway.evidence.stripe_evidence import StripeEvidence
from activities.gateway.evidence.stripe_recovery import StripeRecovery
from activities.gateway.stripe_cards import StripeCards
from activities.gateway.stripe_disputes import StripeDisputes
from activities.gateway.stripe_events import StripeEvents
from activities.gateway.stripe_movements import StripeBooks, StripeMovements
from activities.gateway.stripe_pages import EXPAND_FEE
from activities.gateway.stripe_refunds import StripeRefunds
from activities.gateway.translation import (
    amount_to_send,
    application_fee,
    charge_result,
    decline_from,
    metadata_of,
    pick_fields,
    translating_errors,
)
from models.gateway.charges import Charge, ChargeResult, ChargeStatus
from models.gateway.decline import Decline

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams


class StripeGateway(
    StripeEvidence,
    StripeRecovery,
    StripeCards,
    StripeRefunds,
    StripeDisputes,
    StripeAccounts,
    StripeTransfers,
    StripeMovements,
    StripeEvents,
    StripeBooks,
):
    """A gateway on one Stripe account. Temporal retries, so the client itself never does.

    With `account` every call is about that merchant's account (`Stripe-Account`), and none about the key's own.
    """

    def __init__(self, api_key: str, *, api_base: str, timeout_seconds: float, account: str = "") -> None:
        self.account = account
        self.clock = ObservedClock()
        self._http = ClockedHttp(self.clock, timeout_seconds=timeout_seconds)
        self._client = stripe.StripeClient(
            api_key,
            stripe_account=account or None,
            base_addresses={"api": api_base},
            max_network_retries=0,
            http_client=self._http,
        )

    def send_only_if(self, require_open: Callable[[], Awaitable[None]]) -> None:
        """Ask before every call that may change something; what it raises is raised instead of sending."""
        self._http.require_open = require_open

    async def charge(self, charge: Charge) -> ChargeResult:
        """Create and confirm one payment intent, off session, under the attempt's key."""
        request = _request(charge)
        with translating_errors():
            try:
                # What the typed call does but for turning every value of the answer into an object (decision 0016).
                answer = await self._client.raw_request_async("post", "/v1/payment_intents", **request)
                intent = cast("stripe.PaymentIntent", self._client.deserialize(pick_fields(answer.data), api_mode="V1"))
            except stripe.CardError as error:
                return decline_from(error)
            except stripe.InvalidRequestError as error:
                if not await self._is_card_gone(error, charge):
                    raise
                return ChargeResult(ChargeStatus.DECLINED, "", decline=Decline("card_unavailable"))
            return charge_result(intent, charge)

    async def _is_card_gone(self, error: stripe.InvalidRequestError, charge: Charge) -> bool:
        """Say whether a refusal means that the card is gone, alone or with a customer who was deleted."""
        if error.param == "customer":
            return await self.is_deleted(charge.customer)
        return error.param in {None, "payment_method"} and not await self._holds_card(charge)

    async def _holds_card(self, charge: Charge) -> bool:
        """Say whether the customer still has the card: the refusal of a detached one names no parameter."""
        try:
            card = await self._client.v1.payment_methods.retrieve_async(charge.token)
        except stripe.InvalidRequestError:
            return False
        return card.customer == charge.customer

    async def verify(self) -> None:
        """Read the balance: the cheapest call that needs a good key."""
        with translating_errors():
            # Something else may answer at the address, with success: what it says is no balance.
            (await self._client.v1.balance.retrieve_async()).available  # noqa: B018

    async def close(self) -> None:
        """Close the HTTP session."""
        await self._http.close_async()  # type: ignore[no-untyped-call]


def _request(charge: Charge) -> "PaymentIntentCreateParams":
    request: PaymentIntentCreateParams = {
        "idempotency_key": charge.idempotency_key,
        "amount": amount_to_send(charge),
        "currency": charge.currency.lower(),
        "customer": charge.customer,
        "payment_method": charge.token,
        # Only cards are charged here; a method that sends its customer away has nobody to send.
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "off_session": True,
        "confirm": True,
        "metadata": metadata_of(charge),
        "expand": [EXPAND_FEE],
    }
    if fee := application_fee(charge):
        request["application_fee_amount"] = fee
    if charge.destination:
        request["transfer_data"] = {"destination": charge.destination}
    return request
