"""Awards that may not be: refused with the rule, before anything is written."""

from typing import Any

import pytest

from activities.database import Database
from activities.reductions.merchants import Merchants, MerchantsDocument
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient, rule_of


@pytest.fixture
async def rewards(refunds: RefundClient, database: Database) -> ReductionClient:
    """A café that takes part."""
    rewards = ReductionClient(refunds, database)
    await rewards.open()
    return rewards


@pytest.mark.parametrize(
    ("offered", "amount", "rule"),
    [
        ({"is_effective": False}, 100, "reductions_effective"),
        ({"max_award": "1.00"}, 101, "award_limit"),
        ({"method": "wallet"}, 100, "refund_method_exists"),
    ],
)
async def test_an_award_that_may_not_be_is_refused_with_the_reason(
    rewards: ReductionClient, refunds: RefundClient, offered: dict[str, Any], amount: int, rule: str
) -> None:
    account = await refunds.merchant.account()
    await rewards.open(**offered)

    assert await rule_of(rewards, account, amount) == rule
    assert await refunds.merchant.value("select count(*) from duly.reductions") == 0


@pytest.mark.parametrize(
    ("left", "rule"),
    [
        ({}, "merchant_has_settings"),
        ({"reduction": {"hold_days": 0}, "is_effective": False}, "merchant_effective"),
    ],
)
async def test_a_merchant_without_settings_or_out_of_use_awards_nothing(
    rewards: ReductionClient, refunds: RefundClient, database: Database, left: dict[str, Any], rule: str
) -> None:
    account = await refunds.merchant.account()
    document = {"merchants": [{"id": "cafe", "name": "Café", "currency": "EUR", **left}]}
    await Merchants(database).apply(MerchantsDocument.model_validate(document))

    assert await rule_of(rewards, account, 100) == rule
    assert await refunds.merchant.value("select count(*) from duly.reductions") == 0


async def test_a_days_limits_hold_for_merchant_and_customer(rewards: ReductionClient, refunds: RefundClient) -> None:
    await rewards.open(max_day="10.00", max_customer_day="6.00")
    one, other = await refunds.merchant.account(), await refunds.merchant.account()
    await rewards.award(one, 500)

    assert await rule_of(rewards, one, 200) == "customer_limit"
    assert await rule_of(rewards, other, 600) == "day_limit"
