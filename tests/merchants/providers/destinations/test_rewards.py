"""A reward that is refunded of a merchant's own money: it bears it whole, and the platform's part is credited, once."""

from typing import Any

import pytest

from activities.reductions.merchants import Merchants, MerchantsDocument
from tests.merchants.providers.conftest import Platform, connected
from tests.merchants.providers.destinations.conftest import customer_of, paid_by_the_platform, reconciled, transfers
from tests.merchants.providers.test_application_fees import assert_both_add_up
from tests.reductions.reduction_client import ReductionClient
from tests.support.run_control import until


async def takes_part(platform: Platform, **merchant: Any) -> None:
    """Let the merchant `cafe` bear 33.5 % of its rewards, on its account `acc_cafe` at the platform."""
    await platform.own.merchant.account("acc_cafe", cards=[])
    cafe = {
        "id": "cafe",
        "name": "Bakery",
        "currency": "EUR",
        "account": "acc_cafe",
        "reduction": {"contribution_percent": "33.5", "hold_days": 0},
    }
    await Merchants(platform.database).apply(MerchantsDocument.model_validate({"merchants": [cafe | merchant]}))


@pytest.mark.slow
async def test_a_merchant_bears_its_part_of_a_reward_once(platform: Platform) -> None:
    own = platform.own
    rewards = ReductionClient(own, platform.database)
    async with paid_by_the_platform(platform, "cafe") as cafe:
        await takes_part(platform, flow="destination")
        account = await customer_of(platform, cafe)
        await own.paid(2500, account=account)

        await rewards.award(account, 501, name=f"award-{platform.period}")

        async def is_credited() -> bool:
            return await own.merchant.balance("acc_cafe") != 0

        await until(is_credited)
        certificates = await reconciled(platform, cafe)

    assert await transfers(platform) == [("settled", 2500, 501, 0)]
    # It has borne 501 by then: 168 are its own, and what the platform bears of them is its credit.
    assert await own.merchant.balance("acc_cafe") == -333
    await own.merchant.run("select duly.claw_back_reduction(:id)", id=f"award-{platform.period}")
    assert (await own.merchant.balance("acc_cafe"), await own.merchant.balance(account)) == (0, 501)
    assert_both_add_up(certificates)


@pytest.mark.slow
async def test_a_merchant_that_is_paid_itself_bears_its_part_once_too(platform: Platform) -> None:
    own = platform.own
    async with connected(platform, "cafe") as cafe:
        await takes_part(platform)
        account = await cafe.client.merchant.account()
        await cafe.client.paid(2500, account=account)
        rewards = ReductionClient(cafe.client, platform.database)

        await rewards.award(account, 501, name=f"award-{platform.period}")

        async def is_credited() -> bool:
            return await own.merchant.balance("acc_cafe") != 0

        await until(is_credited)

    assert await own.merchant.balance("acc_cafe") == -333
    await own.merchant.run("select duly.claw_back_reduction(:id)", id=f"award-{platform.period}")
    assert await own.merchant.balance("acc_cafe") == 0
