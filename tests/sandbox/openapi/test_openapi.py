"""What is sent and what is left out, by Stripe's published OpenAPI; the check itself finds what is wrong."""

from dataclasses import replace

import orjson
import pytest
import stripe
from stripe import StripeObject

from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.cards import Validation
from models.gateway.charges import Charge
from models.gateway.refunds import RefundCall
from models.merchants.account import Flow, NewAccount
from models.merchants.transfer import MoveKind, MoveOrder, TransfersOfPayment
from sandbox.stripe.api.fields import blank
from sandbox.stripe.api.left_out import LEFT_OUT
from sandbox.stripe.control.client import STRIPES_DELAYS, AccountReview, SandboxControl
from sandbox.stripe.openapi.specification import schemas
from tests.sandbox.openapi.recorder import Exchange, Recorder, answer_differences, request_differences

SCHEMAS: dict[str, type[StripeObject]] = {
    "account": stripe.Account,
    "balance": stripe.Balance,
    "charge": stripe.Charge,
    "charge_outcome": stripe.Charge.Outcome,
    "checkout.session": stripe.checkout.Session,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "mandate": stripe.Mandate,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "payment_method_card": stripe.PaymentMethod.Card,
    "payment_method_details_card": stripe.Charge.PaymentMethodDetails.Card,
    "payout": stripe.Payout,
    "refund": stripe.Refund,
    "setup_attempt": stripe.SetupAttempt,
    "setup_intent": stripe.SetupIntent,
    "transfer": stripe.Transfer,
    "transfer_reversal": stripe.TransferReversal,
    "webhook_endpoint": stripe.WebhookEndpoint,
}


# The sandbox gives these a value in every object that it makes.
_GIVEN_A_VALUE = {
    "Account": {"charges_enabled", "country", "created", "default_currency", "details_submitted", "metadata", "type"}
    | {"payouts_enabled"},
    "Customer": {"balance", "invoice_settings", "metadata", "next_invoice_sequence"},
    "PaymentMethod": {"allow_redisplay"},
}
BACK = "https://duly.example/back"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_field_that_stripe_never_sends_as_null_is_not_null_without_a_value(name: str) -> None:
    schema, resource = schemas()[name], SCHEMAS[name]

    nulls = {field for field, value in blank(resource).items() if value is None} & schema["properties"].keys()

    never_null = {field for field in nulls if not schema["properties"][field].get("nullable")}
    assert never_null - set(schema.get("required", ())) == _GIVEN_A_VALUE.get(resource.__qualname__, set())


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_field_that_stripe_sends_as_null_is_not_left_out(name: str) -> None:
    properties = schemas()[name]["properties"]

    left_out = LEFT_OUT.get(SCHEMAS[name].__qualname__, frozenset())

    assert {field for field in left_out & properties.keys() if properties[field].get("nullable")} == set()


async def test_what_the_gateway_sends_fits_the_document(
    gateway: StripeGateway, stripe_sdk: stripe.StripeClient, stripe_recorder: Recorder
) -> None:
    customer = await gateway.create_customer("acc_1", installation="i_1", idempotency_key="customer")
    token = stripe_sdk.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    validation = Validation("v1", "req_1", "acc_1", "card_1", customer, token)
    charge = Charge("c1", "req_1", "acc_1", "ft_1", 2500, "EUR", customer, token)

    await gateway.validate_card(validation, return_url=BACK)
    await gateway.open_card_page(Validation("v2", "req_1", "acc_1", "card_2", customer), return_url=BACK)
    paid = await gateway.charge(charge)
    await gateway.refund(RefundCall("r1", "req_1", "acc_1", paid.gateway_reference, 500, "EUR"))
    await gateway.open_page(Charge("c2", "req_2", "acc_1", "ft_2", 900, "EUR", customer, token), return_url=BACK)

    exchanges = list(stripe_recorder.exchanges)
    assert {exchange.status for exchange in exchanges} == {200}
    assert len([exchange for exchange in exchanges if exchange.method == "POST"]) == 7
    assert [line for exchange in exchanges for line in request_differences(exchange)] == []


async def test_what_the_gateway_sends_for_a_merchant_fits_the_document(
    gateway: StripeGateway,
    stripe_sdk: stripe.StripeClient,
    stripe_sandbox: SandboxControl,
    stripe_recorder: Recorder,
) -> None:
    new = NewAccount("shop", "owner@shop.example", "DE", "EUR", "i_1", flow=Flow.DESTINATION)
    account = await gateway.create_account(new, idempotency_key="account")
    stripe_sandbox.review_account(account, AccountReview(capability="active", details_submitted=True))
    customer = await gateway.create_customer("acc_1", installation="i_1", idempotency_key="customer")
    token = stripe_sdk.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    charge = Charge(
        *("c1", "req_1", "acc_1", "ft_1", 2500, "EUR", customer, token), destination=account, application_fee_minor=100
    )
    paid = await gateway.charge(charge)
    await gateway.open_page(replace(charge, idempotency_key="c2"), return_url=BACK)
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)
    payment = TransfersOfPayment(1, paid.gateway_reference, account, paid.gateway_reference)
    [transfer] = await gateway.transfers_of(payment)
    terms = (account, paid.gateway_reference, True, "i_1")
    await gateway.move(MoveOrder(1, MoveKind.REVERSAL, 500, "EUR", "m1", transfer.reference, *terms))
    stripe_sandbox.advance(STRIPES_DELAYS.funds)
    await gateway.move(MoveOrder(2, MoveKind.TRANSFER, 50, "EUR", "m2", "", *terms))
    first, again = await gateway.transfers_of(payment)

    exchanges = list(stripe_recorder.exchanges)
    assert {exchange.status for exchange in exchanges} == {200}
    assert [line for exchange in exchanges for line in request_differences(exchange)] == []
    assert (first.is_of_payment, [each.key for each in first.reversals]) == (True, ["m1"])
    assert (again.is_of_payment, again.amount_minor, again.key) == (False, 50, "m2")


async def test_a_page_for_a_card_offers_cards_only(gateway: StripeGateway, stripe_sdk: stripe.StripeClient) -> None:
    customer = await gateway.create_customer("acc_1", installation="i_1", idempotency_key="customer")

    await gateway.open_card_page(Validation("v1", "req_1", "acc_1", "card_1", customer), return_url=BACK)

    (session,) = stripe_sdk.v1.checkout.sessions.list().data
    assert session.payment_method_types == ["card"]


REFUND = {"id": "re_1", "object": "refund", "amount": 5, "created": 1, "currency": "usd", "status": "succeeded"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"amount": "5"}, ["amount is '5', no integer"]),
        ({"failure_reason": None}, ["failure_reason is null"]),
        ({"colour": "red"}, ["colour is unknown"]),
        ({"object": "charge"}, ["object is 'charge', none of its values"]),
        ({"charge": {"id": "ch_1", "object": "charge"}}, ["charge.amount is missing"]),
    ],
)
def test_an_answer_that_differs_is_found(change: dict[str, object], found: list[str]) -> None:
    answer = orjson.dumps(REFUND | change)

    lines = answer_differences(Exchange("GET", "/v1/refunds/re_1", b"", 200, answer))

    assert [line.removeprefix("GET /v1/refunds/re_1 -> 200.") for line in lines][: len(found) or None] == found


def test_a_request_with_an_unknown_parameter_or_without_a_required_one_is_found() -> None:
    request = Exchange("POST", "/v1/webhook_endpoints", b"url=https://example.com&colour=red", 200, b"{}")

    assert request_differences(request) == [
        "POST /v1/webhook_endpoints: colour is unknown",
        "POST /v1/webhook_endpoints: enabled_events is missing",
    ]
