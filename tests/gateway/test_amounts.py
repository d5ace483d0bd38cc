"""Amounts on their way to the gateway and back: its scale is not always ISO 4217's."""

import pytest
import stripe

from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.charges import ChargeStatus
from models.gateway.errors import GatewayInvalidRequestError
from models.gateway.movements import MovementKind
from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl
from tests.gateway.conftest import Cards

CHARGES = "POST /v1/payment_intents"


@pytest.mark.parametrize(
    ("currency", "amount_minor", "sent", "fee_minor"),
    [
        ("EUR", 2500, 2500, 103),
        ("USD", 50, 50, 31),
        ("JPY", 5000, 5000, 175),
        ("KWD", 12_340, 12_340, 658),
        ("ISK", 3500, 350_000, 102),
        ("UGX", 40_000, 4_000_000, 1161),
        ("MGA", 100_000, 1000, 5900),  # two decimals in ISO 4217, none at the gateway
    ],
)
async def test_an_amount_is_sent_in_the_gateways_scale_and_its_fee_comes_back_in_ours(
    gateway: StripeGateway, cards: Cards, stripe_client: stripe.StripeClient, stripe_sandbox: SandboxControl,
    currency: str, amount_minor: int, sent: int, fee_minor: int,
) -> None:  # fmt: skip
    holder = await cards.save()

    result = await gateway.charge(holder.charge(amount_minor=amount_minor, currency=currency))

    intent = await stripe_client.v1.payment_intents.retrieve_async(result.gateway_reference)
    assert result.status == ChargeStatus.SUCCEEDED
    assert (intent.amount, intent.currency) == (sent, currency.lower())
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)
    movement = await gateway.find_movement(result.charge_reference, MovementKind.CHARGE)
    assert movement is not None
    assert (movement.amount_minor, movement.fee_minor) == (amount_minor, fee_minor)


@pytest.mark.parametrize(
    ("currency", "amount_minor"),
    [
        ("KWD", 12_345),  # the networks carry two of the dinar's three decimals
        ("MGA", 100_001),
        ("CUP", 1000),  # no such currency at the gateway
        ("ABC", 1000),  # no such currency at all
    ],
)
async def test_an_amount_that_the_gateway_would_misread_is_refused_and_never_sent(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl, currency: str, amount_minor: int
) -> None:
    holder = await cards.save()

    with pytest.raises(GatewayInvalidRequestError, match="amount_not_chargeable"):
        await gateway.charge(holder.charge(amount_minor=amount_minor, currency=currency))

    assert CHARGES not in stripe_sandbox.request_counts()


async def test_an_amount_below_the_gateways_minimum_is_refused_by_the_gateway(
    gateway: StripeGateway, cards: Cards, stripe_sandbox: SandboxControl
) -> None:
    holder = await cards.save()

    with pytest.raises(GatewayInvalidRequestError, match="amount_too_small"):
        await gateway.charge(holder.charge(amount_minor=49))

    assert stripe_sandbox.movements().totals == ()
