"""Accounts that are assigned to a merchant, or released, while something is open; and what a dry run says of them."""

from datetime import date, timedelta
from typing import Any

import pytest

from activities.collections.stopped_pages import signal_stopped_pages
from activities.console.merchant_scope import MerchantScope
from activities.database import RuleBrokenError
from activities.merchants.transfers import TransferSettlement
from activities.reductions.merchants import Merchants, MerchantsDocument
from sandbox.stripe.control.client import AccountReview
from tests.merchants.onboarding import stands
from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.merchants.providers.destinations.conftest import books, customer_of, reconciled, transfers
from tests.payments.paying_by_link import Requested, make, submit, terms
from tests.payments.test_bank_debits import DEBITS, PAYS, RETURNS
from tests.support.run_control import until
from workflows.payments.payment_request import PaymentRequest

WHO: Any = {"actor": "maria", "reason": "as agreed"}


@pytest.mark.slow
async def test_a_page_that_was_open_before_is_closed_and_the_next_one_goes_to_the_merchant(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    own = platform.own.merchant
    account = await own.account(cards=[])
    handle, _ = await make(platform.duly, f"link-{platform.period}", terms(account), "stripe")
    before: str = await handle.execute_update("open_page", result_type=str)

    await customer_of(platform, shop, account)
    # The connection does so too, when it hears that the merchant may be paid: whichever is first.
    await signal_stopped_pages(platform.database, platform.duly.client)

    pages: list[str] = []

    async def is_another() -> bool:
        # Until the request has read that its page is closed, its link leads there.
        pages.append(await handle.execute_update("open_page", result_type=str))
        return pages[-1] != before

    await until(is_another)
    page = pages[-1]
    answers = (await submit(before), await submit(page))
    await handle.signal("gateway_event")
    await handle.result()
    await reconciled(platform, shop)

    assert answers == (410, 303)
    assert await transfers(platform) == [("settled", 2500, 0, 0)]
    assert await signal_stopped_pages(platform.database, platform.duly.client) == 0


async def test_a_dry_run_says_whose_merchant_cannot_be_paid(platform: Platform, shop: ConnectedMerchant) -> None:
    own = platform.own.merchant
    account = await customer_of(platform, shop, await own.account(owes_minor=2500))
    plain = await own.account(owes_minor=700)
    platform.sandbox.review_account(shop.account, AccountReview(capability="inactive", disabled_reason="listed"))
    await shop.connection.signal("gateway_event")
    await stands(shop.connection, "restricted")

    page = await platform.database.call(
        "dry_run_page", definition_id="monthly", ends_on=date(2030, 1, 1), after="", limit=10
    )

    assert {one["account_id"]: one["reason"] for one in page["members"]} == {
        account: "merchant_not_effective",
        plain: "",
    }


async def test_runs_of_another_provider_leave_who_pays_for_a_merchant_alone(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    own = platform.own.merchant
    account = await customer_of(platform, shop, await own.account(owes_minor=2500))
    await own.run(
        "insert into duly.providers (id, gateway, state, mode) values ('other', 'stripe', 'effective', 'test')"
        " on conflict do nothing"
    )
    await own.run("update duly.payment_preferences set is_default = false where account_id = :id", id=account)
    await own.run("update duly.run_definitions set provider_id = 'other' where id = 'monthly'")

    page = await platform.database.call(
        "dry_run_page", definition_id="monthly", ends_on=date(2030, 1, 1), after="", limit=10
    )

    assert [(one["account_id"], one["reason"]) for one in page["members"]] == [(account, "pays_by_stripe")]


async def test_a_merchants_user_sees_who_pays_for_it_alone(platform: Platform, shop: ConnectedMerchant) -> None:
    own = platform.own.merchant
    theirs, shared, houses = [await own.account() for _ in range(3)]
    await own.invoice(shared, 700)
    handle = await platform.duly.start_collection(shared, platform.period)
    await handle.execute_update("first_outcome")
    scope = MerchantScope(platform.database)

    for account in (theirs, shared):
        await customer_of(platform, shop, account)
    assigned = await scope.among([shop.id], [theirs, shared, houses])
    await platform.database.call("release_payer", merchant_id=shop.id, account_id=theirs, **WHO)

    # What was taken for the house is on the same balance.
    assert assigned == {theirs}
    assert await scope.among([shop.id], [theirs, shared, houses]) == frozenset()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"flow": "direct"}, "merchant_has_payers"),
        ({"currency": "JPY", "account": None}, "merchant_has_payers"),
        ({"account": "payer"}, "account_is_customers"),
    ],
)
async def test_how_a_merchant_is_paid_stays_while_accounts_pay_for_it(
    platform: Platform, change: dict[str, Any], rule: str
) -> None:
    merchants, own = Merchants(platform.database), platform.own.merchant
    names = {"payer": await own.account(cards=[]), "billed": await own.account(cards=[])}
    document = {"id": "shop", "name": "Shop", "currency": "EUR", "flow": "destination", "account": names["billed"]}
    await merchants.apply(MerchantsDocument.model_validate({"merchants": [document]}))
    await platform.database.call("assign_payer", merchant_id="shop", account_id=names["payer"], **WHO)
    changed = document | change | ({"account": names["payer"]} if change.get("account") else {})

    with pytest.raises(RuleBrokenError) as refused:
        await merchants.apply(MerchantsDocument.model_validate({"merchants": [changed]}))
    with pytest.raises(RuleBrokenError) as circular:
        await platform.database.call("assign_payer", merchant_id="shop", account_id=names["billed"], **WHO)

    assert (refused.value.type, circular.value.type) == (rule, "account_is_customers")


@pytest.mark.parametrize(
    ("payee", "account", "rule"),
    [
        ("nobody", "payer", "merchant_exists"),
        ("other", "nobody", "account_exists"),
        ("other", "payer", "account_pays_merchant"),
    ],
)
async def test_nobody_is_released_by_a_wrong_name(platform: Platform, payee: str, account: str, rule: str) -> None:
    payer = await platform.own.merchant.account(cards=[])
    merchants = [{"id": id, "name": "Shop", "currency": "EUR", "flow": "destination"} for id in ("shop", "other")]
    await Merchants(platform.database).apply(MerchantsDocument.model_validate({"merchants": merchants}))
    await platform.database.call("assign_payer", merchant_id="shop", account_id=payer, **WHO)

    with pytest.raises(RuleBrokenError) as refused:
        await platform.database.call(
            "release_payer", merchant_id=payee, account_id=payer if account == "payer" else account, **WHO
        )

    assert refused.value.type == rule


@pytest.mark.nightly
async def test_a_bank_debit_goes_where_it_began_once_the_bank_has_paid_it(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    own = platform.own.merchant
    await own.configure(DEBITS)
    outcomes = []
    for iban in (PAYS, RETURNS):
        account = await customer_of(platform, shop, await own.account(cards=[]))
        handle, _ = await make(platform.duly, f"debit-{iban}-{platform.period}", terms(account), "stripe")
        page: str = await handle.execute_update("open_page", result_type=str)
        assert await submit(page, iban) == 303
        await handle.signal("gateway_event")

        async def is_processing(handle: Requested = handle) -> bool:
            return (await handle.query(PaymentRequest.status)).stage == "processing"

        await until(is_processing)
        await platform.database.call("release_payer", merchant_id=shop.id, account_id=account, **WHO)
        outcomes.append(await transfers(platform))
        platform.sandbox.advance(timedelta(days=7).total_seconds())
        await handle.signal("gateway_event")
        if iban == PAYS:
            await handle.result()
    await TransferSettlement(platform.database, platform.own.gateway).settle("stripe")

    assert outcomes == [[], [("pending", 2500, 0, 0)]]
    assert await transfers(platform) == [("settled", 2500, 0, 0)]
    assert await books(platform, "merchant_payables", "due_from_platform") == {}
