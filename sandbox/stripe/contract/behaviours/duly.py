"""What Duly's own gateway sends, taken by the API, and what it reads of the answers."""

import asyncio
from collections.abc import Awaitable, Callable

from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.cards import Validation
from models.gateway.charges import Charge
from models.gateway.refunds import RefundCall
from sandbox.stripe.contract.behaviour import behaviour
from sandbox.stripe.contract.behaviours.requests import BACK, booked_payment, saved_card
from sandbox.stripe.contract.behaviours.webhooks import NOWHERE
from sandbox.stripe.contract.calls import TIMEOUT_SECONDS, Calls


def _asked(calls: Calls, use: Callable[[StripeGateway], Awaitable[str]], *, requests: int) -> str:
    """Let Duly's gateway ask; its requests count as the others do."""
    calls.spend(requests)

    async def answer() -> str:
        gateway = StripeGateway(calls.key, api_base=calls.base_url, timeout_seconds=TIMEOUT_SECONDS)
        try:
            return await use(gateway)
        finally:
            await gateway.close()

    return asyncio.run(answer())


def _leave(calls: Calls, noun: str, id: str, status: str) -> None:
    """Remember what the gateway has made, which no answer of ours says."""
    calls.leftovers.note({"object": noun, "id": id, "status": status})


def _charge(calls: Calls, name: str, customer: str, token: str) -> Charge:
    key = f"{calls.run}-{name}"
    return Charge(key, key, calls.run, key, 2000, "USD", customer, token, invoices=("INV-1", "INV-2"))


def _validation(calls: Calls, name: str, token: str = "") -> Validation:
    key = f"{calls.run}-{name}"
    customer = calls.post("/v1/customers", {"description": "contract test"}).body["id"]
    return Validation(key, key, calls.run, key, customer, token)


@behaviour("succeeded, the same again, the same found", "/payments/save-and-reuse#charge-saved-payment-method")
def charged(calls: Calls) -> str:
    """Duly's charge of a saved card is taken, repeated under its key, and found in the list."""
    card = saved_card(calls, "pm_card_visa")
    charge = _charge(calls, "charged", card["customer"], card["payment_method"])

    async def use(gateway: StripeGateway) -> str:
        first, second = await gateway.charge(charge), await gateway.charge(charge)
        found = await gateway.find_charge(charge, gateway_reference="")
        _leave(calls, "payment_intent", first.gateway_reference, str(first.status))
        again = "the same" if second.gateway_reference == first.gateway_reference else "another"
        listed = "the same" if found and found.gateway_reference == first.gateway_reference else "nothing"
        return f"{first.status}, {again} again, {listed} found"

    return _asked(calls, use, requests=3)


@behaviour("declined card_declined generic_decline, then declined card_unavailable", "/declines/codes")
def declined(calls: Calls) -> str:
    """A decline is read as one, and so is a card that is not the customer's any more."""
    card = saved_card(calls, "pm_card_chargeCustomerFail")
    gone = saved_card(calls, "pm_card_visa")
    calls.post(f"/v1/payment_methods/{gone['payment_method']}/detach")

    async def use(gateway: StripeGateway) -> str:
        refused = await gateway.charge(_charge(calls, "declined", card["customer"], card["payment_method"]))
        unknown = await gateway.charge(_charge(calls, "gone", gone["customer"], gone["payment_method"]))
        for each in (refused, unknown):
            if each.gateway_reference:
                _leave(calls, "payment_intent", each.gateway_reference, "requires_payment_method")
        first, second = refused.decline, unknown.decline
        assert first is not None  # noqa: S101  # read as something else it is an unexpected answer
        words = f"{refused.status} {first.code} {first.decline_code}"
        return f"{words}, then {unknown.status} {second.code if second else 'without a reason'}"

    return _asked(calls, use, requests=3)


@behaviour("a page, processing, then canceled", "/api/checkout/sessions/create")
def duly_payment_page(calls: Calls) -> str:
    """Duly's payment page opens for cards only, is found while it is open, and is closed."""
    customer = calls.post("/v1/customers", {"description": "contract test"}).body["id"]
    charge = _charge(calls, "page", customer, "")

    async def use(gateway: StripeGateway) -> str:
        page = await gateway.open_page(charge, return_url=BACK)
        open_ = await gateway.find_page_payment(charge, gateway_reference="")
        closed = await gateway.close_page(charge, gateway_reference=page.gateway_reference)
        status = open_.status if open_ else "not found"
        return f"{'a page' if page.url else 'no page'}, {status}, then {closed.status if closed else 'nothing'}"

    return _asked(calls, use, requests=5)


@behaviour("a page, action_required, closed without a card", "/api/checkout/sessions/create")
def duly_card_page(calls: Calls) -> str:
    """Duly's page for a card does the same."""
    validation = _validation(calls, "card-page")

    async def use(gateway: StripeGateway) -> str:
        page = await gateway.open_card_page(validation, return_url=BACK)
        open_ = await gateway.find_card_page(validation, gateway_reference="")
        await gateway.close_card_page(page.gateway_reference)
        closed = await gateway.find_card_page(validation, gateway_reference=page.gateway_reference)
        status = open_.status if open_ else "not found"
        return f"{'a page' if page.url else 'no page'}, {status}, closed {'with' if closed else 'without'} a card"

    return _asked(calls, use, requests=5)


@behaviour("accepted visa 4242, attached, then detached", "/payments/save-and-reuse")
def validated(calls: Calls) -> str:
    """Duly's validation saves a card, reads it, and takes it away."""
    token = calls.post("/v1/payment_methods", {"type": "card", "card[token]": "tok_visa"}).body["id"]
    validation = _validation(calls, "validated", token)

    async def use(gateway: StripeGateway) -> str:
        answer = await gateway.validate_card(validation, return_url=BACK)
        held = await gateway.read_card(token, customer=validation.customer, mandate="")
        await gateway.detach_card(token)
        left = await gateway.read_card(token, customer=validation.customer, mandate="")
        card = f"{answer.card.brand} {answer.card.last4}" if answer.card else "no card"
        states = ["attached" if each and each.is_attached else "detached" for each in (held, left)]
        return f"{answer.status} {card}, {states[0]}, then {states[1]}"

    return _asked(calls, use, requests=4)


@behaviour("succeeded booked, the same again, the same found", "/api/refunds/create")
def duly_refund(calls: Calls) -> str:
    """Duly's refund of a part is taken, repeated under its key, and found in the list."""
    charge = calls.get(f"/v1/charges/{booked_payment(calls)}").body
    key = f"{calls.run}-refund"
    call = RefundCall(key, key, calls.run, charge["payment_intent"], 500, "USD")

    async def use(gateway: StripeGateway) -> str:
        first, second = await gateway.refund(call), await gateway.refund(call)
        found = await gateway.find_refund(call, gateway_reference="")
        _leave(calls, "refund", first.gateway_reference, str(first.status))
        booked = "booked" if first.is_booked else "not booked"
        again = "the same" if second.gateway_reference == first.gateway_reference else "another"
        listed = "the same" if found and found.gateway_reference == first.gateway_reference else "nothing"
        return f"{first.status} {booked}, {again} again, {listed} found"

    return _asked(calls, use, requests=3)


@behaviour("created, then unchanged", "/api/webhook_endpoints/create")
def duly_endpoint(calls: Calls) -> str:
    """Every type of event that Duly needs is one that an endpoint can be registered for."""

    async def use(gateway: StripeGateway) -> str:
        first = await gateway.register_endpoint(f"{NOWHERE}/{calls.run}")
        _leave(calls, "webhook_endpoint", first.reference, "enabled")
        second = await gateway.register_endpoint(f"{NOWHERE}/{calls.run}")
        return f"{first.change}, then {second.change}"

    return _asked(calls, use, requests=3)
