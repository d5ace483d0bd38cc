"""What is refused of merchants that the platform pays, and what is asked for nothing new."""

from typing import Any

import pytest

from activities.database import RuleBrokenError
from activities.reductions.merchants import Merchants, MerchantsDocument
from models.gateway.gateway_request import CollectOutcome, CollectResult
from sandbox.stripe.control.client import AccountReview
from tests.merchants.onboarding import stands
from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.merchants.providers.destinations.conftest import customer_of


def named(id: str, flow: str) -> MerchantsDocument:
    """A document of one merchant."""
    merchant = {"id": id, "name": "Bakery", "currency": "EUR", "flow": flow}
    return MerchantsDocument.model_validate({"merchants": [merchant]})


async def test_how_a_merchant_is_paid_is_fixed_with_its_account(platform: Platform, shop: ConnectedMerchant) -> None:
    merchants = Merchants(platform.database)
    await merchants.apply(named("later", "destination"))
    await merchants.apply(named("later", "direct"))

    with pytest.raises(RuleBrokenError) as refused:
        await merchants.apply(named(shop.id, "direct"))

    assert refused.value.type == "flow_is_fixed"
    made = await platform.own.merchant.stripe.v1.accounts.retrieve_async(shop.account)
    assert (made.controller.losses.payments, made.controller.fees.payer) == ("application", "application")  # type: ignore[union-attr]
    assert made.capabilities is not None
    assert made.capabilities.to_dict() == {"transfers": "active"}


async def test_nothing_is_taken_for_a_merchant_that_takes_no_transfers(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    account = await customer_of(platform, shop, await platform.own.merchant.account(owes_minor=2500))
    platform.sandbox.review_account(shop.account, AccountReview(capability="inactive", disabled_reason="listed"))
    await shop.connection.signal("gateway_event")
    await stands(shop.connection, "restricted")

    handle = await platform.duly.start_collection(account, platform.period)
    result: CollectResult = await handle.execute_update("first_outcome", result_type=CollectResult)

    assert (result.outcome, result.code) == (CollectOutcome.PROVIDER_NOT_EFFECTIVE, "merchant_not_effective")
    assert platform.charges() == 0


@pytest.mark.parametrize(
    ("function", "payee", "account", "rule"),
    [
        ("assign_payer", "cafe", "payer", "flow_is_destination"),
        ("assign_payer", "nobody", "payer", "merchant_exists"),
        ("assign_payer", "shop", "nobody", "account_exists"),
        ("assign_payer", "shop", "yen", "currency_of_merchant"),
        ("assign_payer", "other", "payer", "account_pays_one_merchant"),
    ],
)
async def test_an_account_pays_for_one_merchant_that_the_platform_pays(
    platform: Platform, function: str, payee: str, account: str, rule: str
) -> None:
    theirs = platform.own.merchant
    merchants = Merchants(platform.database)
    for id, flow in (("cafe", "direct"), ("shop", "destination"), ("other", "destination")):
        await merchants.apply(named(id, flow))
    names = {"payer": await theirs.account(cards=[]), "yen": await theirs.account(cards=[], currency="JPY")}
    assigned: Any = {"actor": "maria", "reason": "it buys there"}
    await platform.database.call("assign_payer", merchant_id="shop", account_id=names["payer"], **assigned)

    with pytest.raises(RuleBrokenError) as refused:
        await platform.database.call(function, merchant_id=payee, account_id=names.get(account, account), **assigned)

    assert refused.value.type == rule


async def test_a_merchant_that_the_platform_pays_is_charged_by_nobody(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    why = await platform.own.merchant.value("select duly.why_not_effective(:id)", id=shop.id)

    assert why == (
        f"merchant {shop.id} is paid out of what the platform takes (flow destination): charge its customers through"
        " stripe"
    )


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("is_passed_on", [True, False])
async def test_an_attempt_that_a_restore_forgot_goes_where_the_gateway_says(
    platform: Platform, shop: ConnectedMerchant, is_passed_on: bool
) -> None:
    theirs = platform.own.merchant
    account = await customer_of(platform, shop, await theirs.account(owes_minor=2500))
    customer = await theirs.value(
        "select customer_reference from duly.gateway_customers where account_id = :a", a=account
    )

    row = await platform.database.call(
        "recover_attempt",
        provider_id="stripe",
        account_id=account,
        period=platform.period,
        key=f"forgotten/pay/{account}/1",
        number=1,
        customer=customer,
        token=await theirs.token(account),
        amount_minor=2500,
        currency="EUR",
        invoice_numbers=[],
        application_fee_minor=88,
        destination=shop.account if is_passed_on else "",
    )

    assert row["attempt"]["destination"] == (shop.account if is_passed_on else "")
    assert row["attempt"]["application_fee_minor"] == 88
