"""Looking for evidence at the gateway: by reference, by listing, and by its balance."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.charges import ChargeStatus
from models.gateway.errors import GatewayInvalidRequestError, GatewayUnansweredError
from models.gateway.movements import MovementKind
from sandbox.stripe.control.client import STRIPES_DELAYS, Answer, CardOutcome, Fault, FaultKind, SandboxControl
from tests.gateway.conftest import Cards
from tests.support.builders import declined

CHARGES = "POST /v1/payment_intents"
LISTS = "GET /v1/payment_intents"
PAGE = 100


def a_while_ago(sandbox: SandboxControl) -> datetime:
    return datetime.fromtimestamp(sandbox.now(), UTC) - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (CardOutcome(), ChargeStatus.SUCCEEDED),
        (declined("insufficient_funds"), ChargeStatus.DECLINED),
        (CardOutcome(answer=Answer.PROCESS, after_seconds=60), ChargeStatus.PROCESSING),
    ],
)
@pytest.mark.parametrize("by_reference", [True, False])
async def test_what_is_found_is_what_the_charge_answered(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl,
    answer: CardOutcome, status: ChargeStatus, by_reference: bool,
) -> None:  # fmt: skip
    charge = (await cards.save("pm_card_visa", answer)).charge()
    answered = await gateway.charge(charge)

    reference = answered.gateway_reference if by_reference else ""
    found = await gateway.find_charge(charge, gateway_reference=reference)

    assert answered.status == status
    assert found == answered


async def test_a_canceled_payment_is_found_as_one_that_did_not_happen(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    charge = (await cards.save("pm_card_visa", declined("do_not_honor"))).charge()
    answered = await gateway.charge(charge)
    await stripe_client.v1.payment_intents.cancel_async(answered.gateway_reference)

    found = await gateway.find_charge(charge, gateway_reference="")

    assert found is not None
    assert found.status == ChargeStatus.CANCELED


async def test_another_attempt_of_the_same_customer_is_no_evidence(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    holder = await cards.save()
    await gateway.charge(holder.charge(attempt=1))

    assert await gateway.find_charge(holder.charge(attempt=2), gateway_reference="") is None


async def test_another_customers_payment_is_no_evidence(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    paid, other = await cards.save(), await cards.save()
    await gateway.charge(paid.charge())

    assert await gateway.find_charge(other.charge(), gateway_reference="") is None


async def test_the_empty_list_of_another_account_is_no_evidence(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    charge = (await cards.save()).charge()
    stripe_sandbox.reset()  # as if the key had become another account's, which knows no such customer

    with pytest.raises(GatewayInvalidRequestError, match="resource_missing"):
        await gateway.find_charge(charge, gateway_reference="")


async def test_a_reference_to_another_payment_is_refused(gateway: StripeGateway, cards: Cards) -> None:
    holder = await cards.save()
    other = await gateway.charge(holder.charge(attempt=1))

    with pytest.raises(GatewayInvalidRequestError, match="another_payment"):
        await gateway.find_charge(holder.charge(attempt=2), gateway_reference=other.gateway_reference)


async def test_evidence_is_found_behind_the_first_page(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    holder = await cards.save()
    answered = await gateway.charge(holder.charge())
    newer = [
        stripe_client.v1.payment_intents.create_async({"amount": 100, "currency": "eur", "customer": holder.customer})
        for _ in range(2 * PAGE)
    ]
    await asyncio.gather(*newer)

    found = await gateway.find_charge(holder.charge(), gateway_reference="")

    assert found is not None
    # What the gateway books meanwhile is not the question.
    assert replace(found, movement=None) == replace(answered, movement=None)
    assert stripe_sandbox.request_counts()[LISTS] == 3


async def test_evidence_is_found_however_old_it_is(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    holder = await cards.save()
    answered = await gateway.charge(holder.charge())

    stripe_sandbox.advance(timedelta(days=400).total_seconds())

    found = await gateway.find_charge(holder.charge(), gateway_reference="")
    assert found is not None
    assert found.movement is not None
    assert replace(found, movement=None) == answered


async def test_money_of_another_amount_is_no_answer_to_our_question(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    charge = (await cards.save()).charge()
    answered = await gateway.charge(charge)

    for wrong in (replace(charge, amount_minor=2400), replace(charge, currency="JPY")):
        with pytest.raises(GatewayUnansweredError, match="amount_mismatch"):
            await gateway.find_charge(wrong, gateway_reference=answered.gateway_reference)


@pytest.mark.parametrize("kind", [FaultKind.REQUEST_LOST, FaultKind.RESET_MID_BODY, FaultKind.SERVER_ERROR_500])
async def test_a_look_that_fails_is_not_absence(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    charge = (await cards.save()).charge()
    stripe_sandbox.add_fault(Fault(operation=LISTS, kind=kind))

    with pytest.raises(GatewayUnansweredError):
        await gateway.find_charge(charge, gateway_reference="")


async def test_the_movements_add_up_to_the_gateways_balance(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    since = a_while_ago(stripe_sandbox)
    holder = await cards.save()
    results = [await gateway.charge(holder.charge(n, amount_minor=1000 * n)) for n in range(1, 4)]
    await gateway.charge(holder.charge(4, amount_minor=5000, currency="JPY"))
    await gateway.charge(holder.charge(5, amount_minor=12_340, currency="KWD"))
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)
    await stripe_client.v1.refunds.create_async({"payment_intent": results[0].gateway_reference, "amount": 400})
    stripe_sandbox.create_dispute(results[1].charge_reference)
    stripe_sandbox.advance(STRIPES_DELAYS.withdrawal)

    movements = [movement async for movement in gateway.movements(since)]

    held = {total.currency.upper(): total.balance_minor for total in stripe_sandbox.movements().totals}
    moved = dict.fromkeys(held, 0)
    for movement in movements:
        moved[movement.currency] += movement.amount_minor - movement.fee_minor
    assert moved == held
    assert [movement.kind for movement in movements] == [MovementKind.DISPUTE, MovementKind.REFUND] + 5 * [
        MovementKind.CHARGE
    ]
    assert results[0].charge_reference in {movement.source_reference for movement in movements}


async def test_movements_are_read_page_by_page_and_only_the_new_ones(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    since = a_while_ago(stripe_sandbox)
    holder = await cards.save()
    await asyncio.gather(*(gateway.charge(holder.charge(n)) for n in range(1, PAGE + 2)))
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)

    found = [movement.reference async for movement in gateway.movements(since)]
    none = [movement async for movement in gateway.movements(since + timedelta(days=1))]

    assert len(set(found)) == len(found) == PAGE + 1
    assert none == []


async def test_the_api_takes_every_request_that_the_gateway_sends(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    """The sandbox refuses a parameter that the SDK's types do not have, as the API does."""
    charge = (await cards.save()).charge()
    since = a_while_ago(stripe_sandbox)

    await gateway.verify()
    answered = await gateway.charge(charge)
    await gateway.find_charge(charge, gateway_reference="")
    await gateway.find_charge(charge, gateway_reference=answered.gateway_reference)
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)
    assert [movement async for movement in gateway.movements(since)]

    assert set(stripe_sandbox.status_counts()) == {200}
    assert {CHARGES, LISTS, f"{LISTS}/{{id}}", "GET /v1/balance_transactions", "GET /v1/balance"} <= set(
        stripe_sandbox.request_counts()
    )
