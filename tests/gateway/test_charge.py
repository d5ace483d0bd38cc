"""Charging a saved card at the gateway: every way in which it can answer."""

from dataclasses import replace

import pytest
import stripe

from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.charges import ChargeResult, ChargeStatus
from models.gateway.decline import Decline, DeclineClass, classify
from models.gateway.errors import GatewayInvalidRequestError, GatewayUnansweredError
from models.gateway.movements import MovementKind
from sandbox.stripe.cards import TEST_CARDS
from sandbox.stripe.control.client import AT_ONCE, Answer, CardOutcome, Delays, SandboxControl
from tests.gateway.conftest import Cards
from tests.support.builders import declined

CHARGES = "POST /v1/payment_intents"


def charged_minor(sandbox: SandboxControl) -> int:
    return sum(total.charges.amount_minor for total in sandbox.movements().totals)


async def test_a_charge_that_is_booked_at_once_names_the_payment_the_charge_and_the_fee(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    holder = await cards.save()
    stripe_sandbox.set_delays(AT_ONCE)

    result = await gateway.charge(holder.charge())

    (moved,) = stripe_sandbox.movements(metadata={"duly_attempt": "test:req_1:1"}).groups
    movement = result.movement
    assert movement is not None
    assert result == ChargeResult(
        ChargeStatus.SUCCEEDED, moved.payment_intent_ids[0], moved.charge_ids[0], decline=None, movement=movement
    )
    assert (movement.kind, movement.amount_minor, movement.fee_minor) == (MovementKind.CHARGE, 2500, 103)
    assert stripe_sandbox.request_counts()[CHARGES] == 1


async def test_a_charge_carries_our_names_and_nothing_about_a_person(
    gateway: StripeGateway, cards: Cards, stripe_client: stripe.StripeClient
) -> None:
    holder = await cards.save()

    result = await gateway.charge(holder.charge())

    intent = await stripe_client.v1.payment_intents.retrieve_async(result.gateway_reference)
    assert intent.metadata.to_dict() == {
        "duly_request": "req_1",
        "duly_attempt": "test:req_1:1",
        "duly_account": "acc_1",
        "duly_purpose": "payment",
    }
    assert (intent.description, intent.receipt_email) == (None, None)


async def test_a_fee_that_is_booked_later_is_not_known_yet(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    holder = await cards.save()
    stripe_sandbox.set_delays(Delays(balance_transaction=60))

    result = await gateway.charge(holder.charge())

    assert (result.status, result.movement) == (ChargeStatus.SUCCEEDED, None)


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("pm_card_chargeCustomerFail", DeclineClass.SOFT),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", DeclineClass.SOFT),
        ("pm_card_chargeDeclinedProcessingError", DeclineClass.TECHNICAL),
        ("pm_card_authenticationRequired", DeclineClass.ACTION_REQUIRED),
        ("pm_card_chargeDeclinedExpiredCard", DeclineClass.HARD),
        ("pm_card_chargeDeclinedIncorrectCvc", DeclineClass.HARD),
        ("pm_card_visa_chargeDeclinedLostCard", DeclineClass.FRAUD),
        ("pm_card_visa_chargeDeclinedStolenCard", DeclineClass.FRAUD),
    ],
)
async def test_every_kind_of_no_is_a_value_of_its_class(
    gateway: StripeGateway, cards: Cards, card: str, expected: DeclineClass
) -> None:
    holder = await cards.save("pm_card_visa", TEST_CARDS[card].on_charge)

    result = await gateway.charge(holder.charge())

    assert result.status == ChargeStatus.DECLINED
    assert result.decline is not None
    assert classify(result.decline) == expected
    assert result.gateway_reference.startswith("pi_")
    assert result.charge_reference.startswith("ch_")


async def test_a_decline_is_told_with_all_its_codes(gateway: StripeGateway, cards: Cards) -> None:
    answer = declined("do_not_honor", advice_code="try_again_later", network_decline_code="05")
    holder = await cards.save("pm_card_visa", answer)

    result = await gateway.charge(holder.charge())

    assert result.decline == Decline("card_declined", "do_not_honor", "try_again_later", "05")


async def test_a_payment_that_takes_its_time_is_processing(gateway: StripeGateway, cards: Cards) -> None:
    slowly = CardOutcome(answer=Answer.PROCESS, after_seconds=60)
    holder = await cards.save("pm_card_visa", slowly)

    result = await gateway.charge(holder.charge())

    assert result.status == ChargeStatus.PROCESSING
    assert result.gateway_reference.startswith("pi_")


async def test_a_card_that_is_no_longer_there_is_a_decline_of_that_card(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    holder = await cards.save()
    stripe_sandbox.detach(holder.token)

    result = await gateway.charge(holder.charge())

    assert result.status == ChargeStatus.DECLINED
    assert result.decline == Decline("card_unavailable")
    assert charged_minor(stripe_sandbox) == 0


async def test_a_card_of_somebody_else_is_a_decline_of_that_card(gateway: StripeGateway, cards: Cards) -> None:
    holder, other = await cards.save(), await cards.save()

    result = await gateway.charge(replace(holder, token=other.token).charge())

    assert result.decline == Decline("card_unavailable")


async def test_a_card_whose_customer_was_deleted_is_a_decline_of_that_card(
    gateway: StripeGateway, cards: Cards, stripe_sdk: stripe.StripeClient
) -> None:
    holder = await cards.save()
    stripe_sdk.v1.customers.delete(holder.customer)

    result = await gateway.charge(holder.charge())

    assert (result.status, result.decline) == (ChargeStatus.DECLINED, Decline("card_unavailable"))


async def test_a_customer_that_is_not_there_is_refused(gateway: StripeGateway, cards: Cards) -> None:
    holder = replace(await cards.save(), customer="cus_gone")

    with pytest.raises(GatewayInvalidRequestError, match="resource_missing"):
        await gateway.charge(holder.charge())


async def test_the_same_attempt_is_the_same_charge_declines_included(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    approved, refused = await cards.save(), await cards.save("pm_card_visa", declined("insufficient_funds"))

    for holder, attempt in ((approved, 1), (refused, 2)):
        charge = holder.charge(attempt)
        assert await gateway.charge(charge) == await gateway.charge(charge)

    assert charged_minor(stripe_sandbox) == 2500


async def test_the_same_key_for_another_amount_is_unknown_and_stays_so(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    holder = await cards.save()
    await gateway.charge(holder.charge())

    with pytest.raises(GatewayUnansweredError) as unanswered:
        await gateway.charge(holder.charge(amount_minor=9900))

    assert unanswered.value.is_final
    assert charged_minor(stripe_sandbox) == 2500
