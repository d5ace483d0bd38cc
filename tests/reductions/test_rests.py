"""Rewards in a currency that the gateway takes in steps: what is awarded is in steps, and shares are rounded down."""

from activities.database import Database
from models.reductions.reduction import ReductionState
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient, rule_of
from tests.reductions.test_reductions import refunded


async def test_a_reward_between_two_steps_is_refused_before_anything_is_written(
    refunds: RefundClient, database: Database
) -> None:
    rewards = ReductionClient(refunds, database)
    await rewards.open(currency="KWD")
    [payment] = await refunds.paid(12_345, currency="KWD")

    rule = await rule_of(rewards, await refunds.account_of(payment), 1234, currency="KWD")

    assert rule == "amount_in_steps"
    assert await refunds.merchant.value("select count(*) from duly.reductions") == 0


async def test_a_reward_goes_back_from_a_payment_that_left_a_rest_open(
    refunds: RefundClient, database: Database
) -> None:
    rewards = ReductionClient(refunds, database)
    await rewards.open(currency="KWD", contribution_percent="33.5")
    [payment] = await refunds.paid(12_345, currency="KWD")
    account = await refunds.account_of(payment)

    await rewards.award(account, 1230, name="award_coffee", currency="KWD")
    result = await rewards.ended("award_coffee")

    assert (result.state, result.granted_minor) == (ReductionState.GRANTED, 1230)
    assert await refunded(refunds) == (1, 1230)
    # 33.5 % are 0.412 dinars, of which the gateway takes 0.410.
    assert (await refunds.merchant.balance("acc_cafe"), await refunds.merchant.balance(account)) == (410, 5)
    assert await refunds.wrong() == []
