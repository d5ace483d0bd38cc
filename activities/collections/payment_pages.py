"""Hosted pages for customers who have to be there: opened as an attempt, closed before any other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from temporalio import activity

from activities.collections.attempt import ChargeAttempt, charge_attempt, charge_outcome, collect_result
from activities.collections.booking import record_charge
from activities.database import Database, RuleBrokenError
from activities.gateway.clocks import Clocks
from activities.gateway.retries import retryable, retryable_gateway_errors
from models.collections.collection import OpenPage
from models.gateway.charges import Gateway, PaymentPage
from models.gateway.errors import KEY_USED, GatewayError, GatewayInvalidRequestError, GatewayUnansweredError
from models.gateway.gateway_request import (
    ATTEMPT_WAS_MADE,
    HELD_CODES,
    AttemptCause,
    AttemptChannel,
    CollectOutcome,
    CollectRequest,
    CollectResult,
)

# What the gateway calls a customer that it does not have.
CUSTOMER_MISSING = "resource_missing"


class PaymentPageActivities:
    """Activities of a collection whose customer has to pay or authenticate in person."""

    def __init__(self, database: Database, gateway: Gateway, clocks: Clocks, return_url: str) -> None:
        self._database = database
        self._gateway = gateway
        self._clocks = clocks
        self._return_url = return_url

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.open_page, self.close_page]

    @activity.defn
    async def open_page(self, request: CollectRequest) -> OpenPage:
        """Write the attempt down and open its page; a repeat returns the same page.

        Raises RuleBrokenError when there is nothing to pay, another attempt has no outcome yet, the page is too old, or
        the gateway opens no page: then the attempt did not happen, and whatever is planned goes on. Raises
        ApplicationError as Clocks.open does.
        """
        opened = await self._clocks.open("open_attempt", **_page_of(request))
        if opened["result"] is not None:
            raise _no_page(collect_result(opened["result"]))
        attempt = charge_attempt(opened["attempt"])
        if not attempt.is_hosted:
            raise RuleBrokenError("no_attempt_in_flight", f"attempt {attempt.stored.number} is under way")
        if attempt.charge.is_key_used:
            page = await self._made_before(attempt)
        elif attempt.stored.may_be_sent:
            page = await self._page(attempt)
        else:
            # Under a key that the gateway may have forgotten it would be a second page for one attempt.
            raise RuleBrokenError(
                "page_is_new", f"the page of attempt {attempt.stored.number} cannot be opened again now"
            )
        await self._database.call(
            "record_page",
            request_id=attempt.stored.request_id,
            attempt=attempt.stored.number,
            gateway_reference=page.gateway_reference,
        )
        return OpenPage(page.url, page.expires_at, attempt.stored.number)

    async def _page(self, attempt: ChargeAttempt) -> PaymentPage:
        try:
            return await self._gateway.open_page(attempt.charge, return_url=self._return_url)
        except GatewayInvalidRequestError as error:
            did_not_happen = charge_outcome(None) | {"code": error.code}
            raise _no_page(await record_charge(self._database, attempt, did_not_happen)) from None
        except GatewayError as error:
            if error.code != KEY_USED:
                raise retryable(error) from None
        await self._database.call(
            "record_unanswered",
            request_id=attempt.stored.request_id,
            attempt=attempt.stored.number,
            code=KEY_USED,
            is_final=True,
        )
        return await self._made_before(replace(attempt, charge=replace(attempt.charge, is_key_used=True)))

    async def _made_before(self, attempt: ChargeAttempt) -> PaymentPage:
        """Return the page that an attempt has opened before, as with an address of ours that was another one then.

        Of one that is over, or that is for another amount and is closed, what it came to is recorded and no page is
        opened: RuleBrokenError (attempt_was_made).
        """
        with retryable_gateway_errors():
            opened = await self._gateway.find_page_payment(attempt.charge, gateway_reference="")
            if opened is not None and opened.page is not None and opened.page.is_for_charge:
                return opened.page
            found = await self._gateway.find_charge(attempt.charge, gateway_reference="")
            if found is None:
                raise retryable(GatewayUnansweredError(KEY_USED))
        await record_charge(self._database, attempt, charge_outcome(found))
        raise RuleBrokenError(ATTEMPT_WAS_MADE, f"attempt {attempt.stored.number} was made before: {found.status}")

    @activity.defn
    async def close_page(self, request: CollectRequest) -> CollectResult:
        """Close the attempt's page for good, and record what came of it; a repeat returns what is recorded."""
        opened = await self._database.call("open_attempt", **_page_of(request), may_send=False)
        if opened["result"] is not None:
            return collect_result(opened["result"])
        attempt = charge_attempt(opened["attempt"])
        with retryable_gateway_errors():
            found = await self._gateway.close_page(attempt.charge, gateway_reference=attempt.stored.gateway_reference)
        return await record_charge(self._database, attempt, charge_outcome(found))


def _page_of(request: CollectRequest) -> dict[str, Any]:
    return {
        "account_id": request.account_id,
        "period": request.period,
        "provider_id": request.provider,
        "run_id": request.run_id,
        "attempt": request.attempt,
        "cause": AttemptCause.CUSTOMER,
        "card_id": "",
        "channel": AttemptChannel.HOSTED_PAGE,
    }


def _no_page(result: CollectResult) -> RuleBrokenError:
    """Say why no page is open for an attempt that has a result already."""
    if result.code in HELD_CODES:
        return RuleBrokenError(result.code, f"nothing is charged until a person has decided: {result.code}")
    if result.outcome is CollectOutcome.PROVIDER_NOT_EFFECTIVE:
        return RuleBrokenError("provider_effective", "the provider is not effective: nothing new is charged")
    code = result.code if result.outcome is CollectOutcome.DID_NOT_HAPPEN else ""
    if code == CUSTOMER_MISSING:
        problem = f"{result.request_id}: the account's customer was deleted at the gateway, its next card makes another"
        return RuleBrokenError("gateway_customer_exists", problem)
    if code:
        return RuleBrokenError("gateway_takes_it", f"the gateway opens no page: {code}")
    return RuleBrokenError("something_to_pay", f"nothing to pay here: {result.outcome}")
