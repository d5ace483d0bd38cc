"""Back-end reductions: paid in full, the discount goes back once, and back again when the sale is returned."""

from datetime import timedelta
from typing import Any

import pytest
from aiolimiter import AsyncLimiter
from temporalio.client import WorkflowUpdateFailedError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from activities.reductions.merchants import Merchants, MerchantsDocument
from activities.reductions.reductions import ReductionActivities, open_reduction
from activities.refunds.refunds import RefundActivities
from models.reductions.reduction import Award, Decision, InvalidAwardError, ReductionDecision, ReductionState
from models.refunds.refund import RefundOutcome
from tests.fixtures.refunds import Till
from tests.reductions.rewarding import Club


@pytest.fixture
async def club(till: Till, database: Database) -> Club:
    """A café that takes part."""
    club = Club(till, database)
    await club.open()
    return club


async def rule_of(club: Club, account: str, amount_minor: int = 500, **options: Any) -> str:
    """Award what may not be, and return the rule."""
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await club.award(account, amount_minor, **options)
    return str(getattr(refused.value.cause, "type", ""))


async def refunded(till: Till) -> tuple[int, int]:
    totals = till.sandbox.movements().totals
    return sum(total.refunds.count for total in totals), sum(total.refunds.amount_minor for total in totals)


async def test_the_discount_goes_back_and_the_merchant_bears_it(club: Club, till: Till) -> None:
    [payment] = await till.paid(2500)
    account = await till.account_of(payment)

    await club.award(account, 500, name="award_coffee")
    result = await club.ended("award_coffee")

    assert (result.state, result.granted_minor) == (ReductionState.GRANTED, 500)
    assert await refunded(till) == (1, 500)
    assert await till.merchant.balance(account) == 0
    assert (await till.merchant.balance("acc_cafe"), await club.expense()) == (500, 0)
    assert await till.wrong() == []


async def test_the_merchant_bears_its_percent_and_we_the_rest(club: Club, till: Till) -> None:
    await club.open(contribution_percent="33.5")
    [payment] = await till.paid(2500)

    await club.award(await till.account_of(payment), 501, name="award_shared")
    await club.ended("award_shared")

    assert (await till.merchant.balance("acc_cafe"), await club.expense()) == (168, 333)


async def test_the_same_award_twice_is_one_refund(club: Club, till: Till) -> None:
    [payment] = await till.paid(2500)
    account = await till.account_of(payment)

    await club.award(account, 500, name="award_once")
    await club.award(account, 500, name="award_once")
    await club.ended("award_once")
    await club.award(account, 500, name="award_once")
    await club.ended("award_once")

    assert await refunded(till) == (1, 500)
    assert await rule_of(club, account, 600, name="award_once") == "id_means_one_award"


async def test_it_is_split_over_several_payments_the_newest_first(club: Club, till: Till) -> None:
    payments = await till.paid(300, 400)

    await club.award(await till.account_of(payments[0]), 600, name="award_split")
    result = await club.ended("award_split")

    assert [(part.payment_id, part.amount_minor) for part in result.parts] == [(payments[1], 400), (payments[0], 200)]
    assert await refunded(till) == (2, 600)
    assert await till.wrong() == []


async def test_it_waits_until_its_hold_period_is_over(club: Club, till: Till) -> None:
    await club.open(hold_days=14)
    [payment] = await till.paid(2500)
    await club.award(await till.account_of(payment), 500, name="award_held")

    await till.duly.environment.sleep(timedelta(days=13))
    before = await refunded(till)
    await till.duly.environment.sleep(timedelta(days=2))

    assert (before, await refunded(till)) == ((0, 0), (1, 500))


async def test_a_refund_that_comes_back_is_made_from_another_payment(club: Club, till: Till) -> None:
    account = await till.merchant.account(cards=["pm_card_visa"])
    [other] = await till.paid(2500, account=account)
    [sale] = await till.paid(1000, account=account)
    await club.award(account, 500, name="award_back", payment_id=sale)
    await till.duly.environment.sleep(60)
    [first] = (await till.merchant.stripe.v1.refunds.list_async({})).data

    till.sandbox.fail_refund(first.id)
    await till.deliver_events()
    result = await club.ended("award_back")

    assert [(part.payment_id, part.state) for part in result.parts] == [(sale, "undone"), (other, "posted")]
    assert (result.state, result.granted_minor, await club.expense()) == (ReductionState.GRANTED, 500, 0)
    assert (await till.merchant.balance(account), await till.merchant.balance("acc_cafe")) == (0, 500)
    assert await till.wrong() == []


async def test_without_another_payment_it_is_credited_to_the_account(club: Club, till: Till) -> None:
    [sale] = await till.paid(1000)
    account = await till.account_of(sale)
    await club.award(account, 500, name="award_credit", payment_id=sale)
    await till.duly.environment.sleep(60)
    [first] = (await till.merchant.stripe.v1.refunds.list_async({})).data

    till.sandbox.fail_refund(first.id)
    result = await club.ended("award_credit")

    assert [part.state for part in result.parts] == ["undone", "credited"]
    assert (result.state, await till.merchant.balance(account)) == (ReductionState.GRANTED, -500)
    assert await till.wrong() == []


async def test_a_sale_that_never_went_through_the_gateway_is_credited(club: Club, till: Till) -> None:
    account = await till.merchant.account()
    await till.merchant.invoice(account, 1000)
    await till.merchant.transfer(account, 1000)
    sale = await till.merchant.value("select id from duly.financial_transactions where classification = 'payment'")

    await club.award(account, 100, name="award_cash", payment_id=sale)
    result = await club.ended("award_cash")

    assert ([part.state for part in result.parts], await till.merchant.balance(account)) == (["credited"], -100)
    assert await refunded(till) == (0, 0)


async def test_when_no_remedy_is_left_a_person_decides(club: Club, till: Till) -> None:
    await club.open(remedies=["another_payment"])
    account = await till.merchant.account()
    await club.award(account, 100, name="award_stuck")
    await till.duly.environment.sleep(60)

    decision = ReductionDecision("maria", "goodwill", decision=Decision.CREDIT)
    await club.workflow("award_stuck").execute_update("decide", decision)
    result = await club.ended("award_stuck")

    assert (result.state, await till.merchant.balance(account)) == (ReductionState.GRANTED, -100)


async def test_a_sale_that_is_cancelled_afterwards_claws_it_back(club: Club, till: Till) -> None:
    [sale] = await till.paid(1000)
    account = await till.account_of(sale)
    await club.award(account, 300, name="award_returned", payment_id=sale)
    await till.duly.environment.sleep(60)

    await till.cancel(sale)
    result = await club.ended("award_returned")

    assert (result.state, result.reason) == (ReductionState.CLAWED_BACK, "sale_returned")
    assert await refunded(till) == (2, 1000)
    assert (await till.merchant.balance(account), await till.merchant.balance("acc_cafe")) == (1000, 0)
    assert await club.expense() == 0
    assert await till.wrong() == []


async def test_even_after_its_workflow_has_ended(club: Club, till: Till) -> None:
    await till.merchant.run("update duly.refund_rules set watch_days = 0")
    [sale] = await till.paid(1000)
    account = await till.account_of(sale)
    await club.award(account, 300, name="award_long_ago", payment_id=sale)
    await club.ended("award_long_ago")

    await till.cancel(sale, name="rf_after")
    await till.ended("rf_after")
    result = await club.ended("award_long_ago")

    assert result.state is ReductionState.CLAWED_BACK
    assert await till.merchant.balance(account) == 1000
    assert await till.wrong() == []


async def test_news_that_overtakes_a_reserved_refund_asks_for_it(
    club: Club, till: Till, database: Database, gateway: StripeGateway
) -> None:
    [payment] = await till.paid(2500)
    await open_reduction(database, Award("award_overtaken", "cafe", await till.account_of(payment), 500, "EUR"))
    await ReductionActivities(database).plan_reduction("award_overtaken", is_remedy=False)

    result = await RefundActivities(database, gateway, AsyncLimiter(100, 1)).check_refund("award_overtaken.1")

    assert (result.outcome, result.amount_minor) == (RefundOutcome.REFUNDED, 500)
    assert await till.wrong() == []


async def test_what_is_open_on_the_account_is_not_settled_by_the_reward(club: Club, till: Till) -> None:
    [payment] = await till.paid(2500)
    account = await till.account_of(payment)
    invoice = await till.merchant.invoice(account, 900)

    await club.award(account, 500, name="award_beside")
    await club.ended("award_beside")

    assert await till.merchant.value("select duly.owed_on(array[:id])", id=invoice) == 900


@pytest.mark.parametrize(
    ("offered", "amount", "rule"),
    [
        ({"is_effective": False}, 100, "reductions_effective"),
        ({"max_award": "1.00"}, 101, "award_limit"),
        ({"method": "wallet"}, 100, "refund_method_exists"),
    ],
)
async def test_an_award_that_may_not_be_is_refused_with_the_reason(
    club: Club, till: Till, offered: dict[str, Any], amount: int, rule: str
) -> None:
    account = await till.merchant.account()
    await club.open(**offered)

    assert await rule_of(club, account, amount) == rule
    assert await till.merchant.value("select count(*) from duly.reductions") == 0


async def test_a_days_limits_hold_for_merchant_and_customer(club: Club, till: Till) -> None:
    await club.open(max_day="10.00", max_customer_day="6.00")
    one, other = await till.merchant.account(), await till.merchant.account()
    await club.award(one, 500)

    assert await rule_of(club, one, 200) == "customer_limit"
    assert await rule_of(club, other, 600) == "day_limit"


async def test_a_merchants_own_settings_override_its_groups(club: Club, till: Till, database: Database) -> None:
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
