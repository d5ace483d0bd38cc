"""The pages of payment requests at the gateway: whoever pays has a customer there, and what a page came to is read."""

from collections.abc import Callable
from typing import Any, Protocol

from temporalio import activity

from activities.cards.customers import CustomerGateway, GatewayCustomers, KnownCustomer
from activities.collections.attempt import ChargeAttempt, charge_attempt, charge_outcome, collect_result
from activities.collections.booking import record_charge
from activities.database import Database
from activities.gateway.attempts import GatewayAttempts, GatewayCalls
from activities.gateway.clocks import Clocks
from activities.gateway.pace import Pace
from models.gateway.charges import ChargeResult, Gateway
from models.gateway.gateway_request import (
    AttemptCause,
    AttemptChannel,
    CollectOutcome,
    CollectRequest,
    RequestKind,
)
from models.payments.payment_request import PageReading, RequestPage


class RequestGateway(Gateway, CustomerGateway, Protocol):
    """The calls of a gateway that a payment request needs."""


class RequestPageActivities:
    """Activities of a payment request at the gateway. A page is opened and closed as a collection's is."""

    def __init__(self, database: Database, gateway: RequestGateway, clocks: Clocks, pace: Pace) -> None:
        self._database = database
        self._gateway = gateway
        self._attempts = GatewayAttempts(database, clocks, pace, RequestKind.PAYMENT)
        self._customers = GatewayCustomers(database, gateway, pace)

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.have_payer, self.read_page]

    @activity.defn
    async def have_payer(self, request_id: str) -> None:
        """Make the payer's customer at the gateway, if there is none: a page is found again by its customer.

        Raises ApplicationError of type provider_effective while nothing new is asked of the provider.
        """
        await self._customers.have(KnownCustomer(**await self._database.call("payer_of_request", id=request_id)))

    @activity.defn
    async def read_page(self, request: CollectRequest) -> PageReading:
        """Read what an attempt has come to, on its page or on a card, and record it. Nothing is sent. Safe to repeat.

        Raises ApplicationError as GatewayAttempts.make does: nobody knows, and the same attempt is read again.
        """
        opened = await self._database.call(
            "open_attempt",
            account_id=request.account_id,
            period=request.period,
            provider_id=request.provider,
            run_id="",
            attempt=request.attempt,
            cause=AttemptCause.CUSTOMER,
            card_id="",
            channel=AttemptChannel.HOSTED_PAGE,
            may_send=False,
        )
        if opened is None:
            return PageReading()
        if opened["result"] is not None:
            result = collect_result(opened["result"])
            return PageReading(result if result.attempt else None)
        attempt = charge_attempt(opened["attempt"])
        calls: GatewayCalls[ChargeResult] = GatewayCalls(
            lambda reference: self._find(attempt, reference),
            charge_outcome,
        )
        made = await self._attempts.make(attempt.stored, calls)
        outcome, found = made
        result = await record_charge(self._database, attempt, outcome)
        page = found.page if found else None
        await self._database.call(
            "note_request_processing",
            account_id=request.account_id,
            period=request.period,
            is_processing=result.outcome is CollectOutcome.PROCESSING and page is None,
        )
        is_open = RequestPage(page.url, page.expires_at, result.attempt, result.amount_minor) if page else None
        return PageReading(result, is_open)

    async def _find(self, attempt: ChargeAttempt, reference: str) -> ChargeResult | None:
        find = self._gateway.find_page_payment if attempt.is_hosted else self._gateway.find_charge
        return await find(attempt.charge, gateway_reference=reference)
