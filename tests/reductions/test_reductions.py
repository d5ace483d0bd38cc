"""Back-end reductions: paid in full, the discount goes back once, and back again when the sale is returned."""

from datetime import timedelta
from typing import Any

import pytest
from aiolimiter import AsyncLimiter

from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.reductions.merchants import Merchants, MerchantsDocument
from activities.reductions.reductions import ReductionActivities, open_reduction
from activities.refunds.refunds import RefundActivities
from models.reductions.reduction import Award, Decision, InvalidAwardError, ReductionDecision, ReductionState
from models.refunds.refund import RefundOutcome
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient, rule_of


@pytest.fixture
async def rewards(refunds: RefundClient, database: Database) -> ReductionClient:
    """A café that takes part."""
    rewards = ReductionClient(refunds, database)
    await rewards.open()
    return rewards


async def refunded(refunds: RefundClient) -> tuple[int, int]:
    totals = refunds.sandbox.movements().totals
    return sum(total.refunds.count for total in totals), sum(total.refunds.amount_minor for total in totals)


async def test_the_discount_goes_back_and_the_merchant_bears_it(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    [payment] = await refunds.paid(2500)
    account = await refunds.account_of(payment)

    await rewards.award(account, 500, name="award_coffee")
    result = await rewards.ended("award_coffee")

    assert (result.state, result.granted_minor) == (ReductionState.GRANTED, 500)
    assert await refunded(refunds) == (1, 500)
    assert await refunds.merchant.balance(account) == 0
    assert (await refunds.merchant.balance("acc_cafe"), await rewards.expense()) == (500, 0)
    assert await refunds.wrong() == []


async def test_the_merchant_bears_its_percent_and_we_the_rest(rewards: ReductionClient, refunds: RefundClient) -> None:
    await rewards.open(contribution_percent="33.5")
    [payment] = await refunds.paid(2500)

    await rewards.award(await refunds.account_of(payment), 501, name="award_shared")
    await rewards.ended("award_shared")

    assert (await refunds.merchant.balance("acc_cafe"), await rewards.expense()) == (168, 333)


async def test_the_same_award_twice_is_one_refund(rewards: ReductionClient, refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    account = await refunds.account_of(payment)

    await rewards.award(account, 500, name="award_once")
    await rewards.award(account, 500, name="award_once")
    await rewards.ended("award_once")
    await rewards.award(account, 500, name="award_once")
    await rewards.ended("award_once")

    assert await refunded(refunds) == (1, 500)
    assert await rule_of(rewards, account, 600, name="award_once") == "id_means_one_award"


@pytest.mark.nightly
async def test_it_is_split_over_several_payments_the_newest_first(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    payments = await refunds.paid(300, 400)

    await rewards.award(await refunds.account_of(payments[0]), 600, name="award_split")
    result = await rewards.ended("award_split")

    assert [(part.payment_id, part.amount_minor) for part in result.parts] == [(payments[1], 400), (payments[0], 200)]
    assert await refunded(refunds) == (2, 600)
    assert await refunds.wrong() == []


async def test_it_waits_until_its_hold_period_is_over(rewards: ReductionClient, refunds: RefundClient) -> None:
    await rewards.open(hold_days=14)
    [payment] = await refunds.paid(2500)
    await rewards.award(await refunds.account_of(payment), 500, name="award_held")

    await refunds.duly.environment.sleep(timedelta(days=13))
    before = await refunded(refunds)
    await refunds.duly.environment.sleep(timedelta(days=2))

    assert (before, await refunded(refunds)) == ((0, 0), (1, 500))


@pytest.mark.nightly
async def test_a_refund_that_comes_back_is_made_from_another_payment(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    account = await refunds.merchant.account(cards=["pm_card_visa"])
    [other] = await refunds.paid(2500, account=account)
    [sale] = await refunds.paid(1000, account=account)
    await rewards.award(account, 500, name="award_back", payment_id=sale)
    await refunds.duly.environment.sleep(60)
    [first] = (await refunds.merchant.stripe.v1.refunds.list_async({})).data

    refunds.sandbox.fail_refund(first.id)
    await refunds.deliver_events()
    result = await rewards.ended("award_back")

    assert [(part.payment_id, part.state) for part in result.parts] == [(sale, "undone"), (other, "posted")]
    assert (result.state, result.granted_minor, await rewards.expense()) == (ReductionState.GRANTED, 500, 0)
    assert (await refunds.merchant.balance(account), await refunds.merchant.balance("acc_cafe")) == (0, 500)
    assert await refunds.wrong() == []


async def test_without_another_payment_it_is_credited_to_the_account(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    [sale] = await refunds.paid(1000)
    account = await refunds.account_of(sale)
    await rewards.award(account, 500, name="award_credit", payment_id=sale)
    await refunds.duly.environment.sleep(60)
    [first] = (await refunds.merchant.stripe.v1.refunds.list_async({})).data

    refunds.sandbox.fail_refund(first.id)
    result = await rewards.ended("award_credit")

    assert [part.state for part in result.parts] == ["undone", "credited"]
    assert (result.state, await refunds.merchant.balance(account)) == (ReductionState.GRANTED, -500)
    assert await refunds.wrong() == []


async def test_a_sale_that_never_went_through_the_gateway_is_credited(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    account = await refunds.merchant.account()
    await refunds.merchant.invoice(account, 1000)
    await refunds.merchant.transfer(account, 1000)
    sale = await refunds.merchant.value("select id from duly.financial_transactions where classification = 'payment'")

    await rewards.award(account, 100, name="award_cash", payment_id=sale)
    result = await rewards.ended("award_cash")

    assert ([part.state for part in result.parts], await refunds.merchant.balance(account)) == (["credited"], -100)
    assert await refunded(refunds) == (0, 0)


async def test_when_no_remedy_is_left_a_person_decides(rewards: ReductionClient, refunds: RefundClient) -> None:
    await rewards.open(remedies=["another_payment"])
    account = await refunds.merchant.account()
    await rewards.award(account, 100, name="award_stuck")
    await refunds.duly.environment.sleep(60)

    decision = ReductionDecision("maria", "goodwill", decision=Decision.CREDIT)
    await rewards.workflow("award_stuck").execute_update("decide", decision)
    result = await rewards.ended("award_stuck")

    assert (result.state, await refunds.merchant.balance(account)) == (ReductionState.GRANTED, -100)


@pytest.mark.nightly
async def test_a_sale_that_is_cancelled_afterwards_claws_it_back(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    [sale] = await refunds.paid(1000)
    account = await refunds.account_of(sale)
    await rewards.award(account, 300, name="award_returned", payment_id=sale)
    await refunds.duly.environment.sleep(60)

    await refunds.cancel(sale)
    result = await rewards.ended("award_returned")

    assert (result.state, result.reason) == (ReductionState.CLAWED_BACK, "sale_returned")
    assert await refunded(refunds) == (2, 1000)
    assert (await refunds.merchant.balance(account), await refunds.merchant.balance("acc_cafe")) == (1000, 0)
    assert await rewards.expense() == 0
    assert await refunds.wrong() == []


@pytest.mark.nightly
async def test_even_after_its_workflow_has_ended(rewards: ReductionClient, refunds: RefundClient) -> None:
    await refunds.merchant.configure("[refund_rules]\nwatch_days = 0")
    [sale] = await refunds.paid(1000)
    account = await refunds.account_of(sale)
    await rewards.award(account, 300, name="award_long_ago", payment_id=sale)
    await rewards.ended("award_long_ago")

    await refunds.cancel(sale, name="rf_after")
    await refunds.ended("rf_after")
    result = await rewards.ended("award_long_ago")

    assert result.state is ReductionState.CLAWED_BACK
    assert await refunds.merchant.balance(account) == 1000
    assert await refunds.wrong() == []


async def test_news_that_overtakes_a_reserved_refund_asks_for_it(
    rewards: ReductionClient, refunds: RefundClient, database: Database, gateway: StripeGateway
) -> None:
    [payment] = await refunds.paid(2500)
    await open_reduction(database, Award("award_overtaken", "cafe", await refunds.account_of(payment), 500, "EUR"))
    await ReductionActivities(database).plan_reduction("award_overtaken", is_remedy=False)

    result = await RefundActivities(
        database, gateway, Clocks(database, gateway), AsyncLimiter(100, 1), "stripe"
    ).check_refund("award_overtaken.1")

    assert (result.outcome, result.amount_minor) == (RefundOutcome.REFUNDED, 500)
    assert await refunds.wrong() == []


async def test_what_is_open_on_the_account_is_not_settled_by_the_reward(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    [payment] = await refunds.paid(2500)
    account = await refunds.account_of(payment)
    invoice = await refunds.merchant.invoice(account, 900)

    await rewards.award(account, 500, name="award_beside")
    await rewards.ended("award_beside")

    assert await refunds.merchant.value("select duly.owed_on(array[:id])", id=invoice) == 900


async def test_a_merchants_own_settings_override_its_groups(
    rewards: ReductionClient, refunds: RefundClient, database: Database
) -> None:
    document = {
        "merchant_groups": [
            {"id": "chain", "name": "Chain", "currency": "EUR", "reduction": {"hold_days": 7, "max_award": "5.00"}}
        ],
        "merchants": [
            {"id": "cafe", "name": "Café", "currency": "EUR", "group": "chain", "reduction": {"hold_days": 0}}
        ],
    }
    await Merchants(database).apply(MerchantsDocument.model_validate(document))

    [merchant] = await Merchants(database).everything()

    assert (merchant.settings["hold_days"], merchant.settings["max_award_minor"]) == (0, 500)


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"award_id": "A"}, "award_id"), ({"amount_minor": 0}, "amount"), ({"currency": "eur"}, "currency")],
)
def test_an_award_that_makes_no_sense_names_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidAwardError, match=f"^{field}: "):
        Award(
            **{
                "award_id": "award_1",
                "merchant_id": "cafe",
                "account_id": "acc",
                "amount_minor": 1,
                "currency": "EUR",
                **fields,
            }
        )
