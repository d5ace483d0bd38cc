"""Answers that are not Stripe's, or lack fields: nobody knows, and never a crash, a decline, or proof of absence."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from activities.gateway.stripe_gateway import StripeGateway
from models.disputes.dispute import DisputeState
from models.gateway.cards import Validation, ValidationStatus
from models.gateway.charges import Charge, ChargeStatus
from models.gateway.errors import (
    GatewayAccessError,
    GatewayBusyError,
    GatewayError,
    GatewayInvalidRequestError,
    GatewayUnansweredError,
)
from models.gateway.refunds import GatewayRefundStatus, RefundCall
from tests.support.builders import API_KEY

CHARGE = Charge("t:req_1:1", "req_1", "acc_1", "ft_1", 2500, "EUR", "cus_1", "pm_1")
REFUND = RefundCall("t:rf_1:1", "rf_1", "acc_1", "pi_1", 2500, "EUR")
VALIDATION = Validation("t:v_1:1", "v_1", "acc_1", "card_1", "cus_1", "pm_1")
HTML = "<html><body>Please log in</body></html>"
# Statuses and bodies of proxies, firewalls, and of what was cut on its way.
FOREIGN: dict[str, tuple[int, str]] = {
    "a page with success": (200, HTML),
    "a page with 502": (502, HTML),
    "a page with 429": (429, HTML),
    "nothing": (200, ""),
    "null": (200, "null"),
    "a list": (200, "[]"),
    "a text": (200, '"ok"'),
    "an empty object": (200, "{}"),
    "another's object": (200, '{"object": "maintenance", "id": "x"}'),
    "half an object": (200, '{"id": "pi_1", "object": "payment_int'),
    "an object without its fields": (200, '{"id": "pi_1", "object": "payment_intent"}'),
    "an error with success": (200, '{"error": {"type": "api_error"}}'),
    "another's error": (403, '{"error": "forbidden"}'),
    "another's refusal": (400, '{"error": "blocked"}'),
    "another's demand to be paid": (402, '{"error": {"message": "quota exceeded"}}'),
    "another's page that is not there": (404, '{"error": {"code": 404}}'),
    "another's conflict": (409, "{}"),
    "an error that is null": (500, '{"error": null}'),
    "an error that is a list": (500, '{"error": []}'),
}
Calls = dict[str, Callable[[], Awaitable[object]]]


class Elsewhere:
    """Whatever answers in the place of the gateway."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, "{}", {"content-type": "application/json"}
        self.received: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.received.append(f"{request.method} {request.path}")
        return web.Response(status=self.status, body=self.body.encode(), headers=self.headers)


@pytest.fixture
async def elsewhere() -> AsyncIterator[tuple[StripeGateway, Elsewhere]]:
    """A gateway on an address at which something else answers."""
    there, app = Elsewhere(), web.Application()
    app.router.add_route("*", "/{path:.*}", there.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    gateway = StripeGateway(API_KEY, api_base=f"http://{host}:{port}", timeout_seconds=5)
    yield gateway, there
    await gateway.close()
    await runner.cleanup()


def calls_of(gateway: StripeGateway) -> Calls:
    return {
        "charge": lambda: gateway.charge(CHARGE),
        "find a charge": lambda: gateway.find_charge(CHARGE, gateway_reference="pi_1"),
        "look for a charge": lambda: gateway.find_charge(CHARGE, gateway_reference=""),
        "refund": lambda: gateway.refund(REFUND),
        "look for a refund": lambda: gateway.find_refund(REFUND, gateway_reference=""),
        "validate": lambda: gateway.validate_card(VALIDATION, return_url="https://example.com"),
        "find a page": lambda: gateway.find_page_payment(CHARGE, gateway_reference="cs_1"),
        "read a dispute": lambda: gateway.read_dispute("dp_1"),
        "read a customer": lambda: gateway.has_customer("cus_1"),
        "read a card": lambda: gateway.read_card("pm_1", customer="cus_1", mandate=""),
        "read an object": lambda: gateway.read_object("ch_1"),
        "read the balance": gateway.balances,
        "read a payout": lambda: gateway.payout_page("po_1", after=""),
        "read an account": lambda: gateway.read_account("acct_1"),
        "verify": gateway.verify,
    }


# What has an id says all there is to read of a customer or an account, and of a payment that nobody has paid.
WHOLE_WITH_AN_ID = {"read a customer", "read an account", "read an object"}


@pytest.mark.parametrize("kind", list(FOREIGN))
async def test_what_answers_in_the_gateways_place_answers_nothing(
    elsewhere: tuple[StripeGateway, Elsewhere], kind: str
) -> None:
    gateway, there = elsewhere
    there.status, there.body = FOREIGN[kind]
    has_id = '"id"' in there.body

    for name, call in calls_of(gateway).items():
        if has_id and name in WHOLE_WITH_AN_ID:
            continue
        with pytest.raises(GatewayError) as error:
            await call()
        # What says nothing of its attempt is another's: evidence of nothing, as no answer is.
        is_other = error.value.code == "another_payment" and name.startswith("find")
        is_read = isinstance(error.value, GatewayAccessError) and name.startswith("look")
        assert is_other or is_read or isinstance(error.value, GatewayUnansweredError), name


async def test_only_a_cards_error_is_a_decline_of_a_charge_or_a_validation(
    elsewhere: tuple[StripeGateway, Elsewhere],
) -> None:
    gateway, there = elsewhere
    refusal = {"type": "invalid_request_error", "code": "quota_exceeded"}
    there.status, there.body = 402, json.dumps({"error": refusal})

    for asked in ("charge", "validate"):
        with pytest.raises(GatewayInvalidRequestError, match="quota_exceeded"):
            await calls_of(gateway)[asked]()

    there.body = json.dumps({"error": {"type": "card_error", "code": "card_declined"}})
    charged = await gateway.charge(CHARGE)
    checked = await gateway.validate_card(VALIDATION, return_url="https://example.com")
    assert (charged.status, checked.status) == (ChargeStatus.DECLINED, ValidationStatus.REJECTED)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_nothing_is_sent_to_where_an_answer_leads(
    elsewhere: tuple[StripeGateway, Elsewhere], status: int
) -> None:
    gateway, there = elsewhere
    there.status, there.headers = status, {"location": "/v1/elsewhere"}

    with pytest.raises(GatewayUnansweredError):
        await gateway.charge(CHARGE)

    assert there.received == ["POST /v1/payment_intents"]


@pytest.mark.parametrize(("written", "seconds"), [("7", 7.0), ("inf", 3600.0), ("99999999999999", 3600.0), ("-1", 0.1)])
async def test_a_wait_that_no_clock_has_is_cut(
    elsewhere: tuple[StripeGateway, Elsewhere], written: str, seconds: float
) -> None:
    gateway, there = elsewhere
    there.status, there.body = 429, '{"error": {"type": "invalid_request_error", "code": "rate_limit"}}'
    there.headers = {"retry-after": written}

    with pytest.raises(GatewayBusyError) as busy:
        await gateway.charge(CHARGE)

    assert busy.value.retry_after_seconds == seconds


def payment(**more: object) -> dict[str, Any]:
    """A payment intent with what is required of one, and what is to be checked of every answer."""
    found = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 2500, "currency": "eur"}
    return {**found, "metadata": CHARGE.identity.metadata(), **more}


async def test_what_the_contract_lets_the_gateway_leave_out_is_not_missed(
    elsewhere: tuple[StripeGateway, Elsewhere],
) -> None:
    gateway, there = elsewhere
    there.body = json.dumps(payment())
    assert (await gateway.charge(CHARGE)).status == ChargeStatus.SUCCEEDED
    there.body = json.dumps(payment(latest_charge="ch_1"))
    assert (await gateway.charge(CHARGE)).charge_reference == "ch_1"
    there.body = json.dumps(payment(status="requires_payment_method"))
    assert (await gateway.charge(CHARGE)).status == ChargeStatus.DECLINED
    refund = {"id": "re_1", "object": "refund", "amount": 2500, "currency": "eur"}
    there.body = json.dumps(refund)
    assert (await gateway.refund(REFUND)).status == GatewayRefundStatus.PENDING
    dispute = {"id": "dp_1", "object": "dispute", "amount": 2500, "currency": "eur", "status": "prevented"}
    details = {"has_evidence": False, "past_due": False, "submission_count": 0}
    there.body = json.dumps(
        {**dispute, "reason": "fraudulent", "balance_transactions": [], "evidence_details": details}
    )
    assert (await gateway.read_dispute("dp_1")).state == DisputeState.CLOSED
    setup = {"id": "seti_1", "object": "setup_intent", "status": "requires_action"}
    there.body = json.dumps({**setup, "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}}})
    answer = await gateway.validate_card(VALIDATION, return_url="https://example.com")
    assert (answer.status, answer.url) == (ValidationStatus.ACTION_REQUIRED, "")
