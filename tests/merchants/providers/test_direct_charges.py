"""A merchant's customers are charged on its own account, and whatever is about one account touches no other."""

from typing import Any

import pytest

from activities.database import Database, RuleBrokenError
from activities.events.inbox import EventInbox
from activities.gateway.mode import account_of, why_not_connected
from activities.gateway.stripe_events import event_of
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.operator_command import OperatorCommand
from models.refunds.refund import RefundOutcome
from tests.merchants.onboarding import connect, participating, stands
from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.support.builders import Merchant
from workflows.merchants.merchant_connection import MerchantConnection

WHO = OperatorCommand("maria", "as agreed")


async def first_outcome(platform: Platform, cafe: ConnectedMerchant, account: str) -> CollectResult:
    """Let an account of the merchant's owe something, and be asked for it."""
    await cafe.client.merchant.invoice(account, 2500)
    handle = await platform.duly.start_collection(account, platform.period, provider=cafe.id)
    result: CollectResult = await handle.execute_update("first_outcome", result_type=CollectResult)
    return result


async def test_a_merchants_customer_pays_to_its_account_and_the_platforms_to_its_own(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    await cafe.client.paid(2500)
    before = (platform.charges(), platform.charges(cafe.account))
    await platform.own.paid(1000)

    assert before == (0, 1)
    assert (platform.charges(), platform.charges(cafe.account)) == (1, 1)
    assert await cafe.client.wrong() == []
    assert await platform.own.wrong() == []


@pytest.mark.nightly
async def test_a_refund_leaves_the_merchants_balance(platform: Platform, cafe: ConnectedMerchant) -> None:
    [payment] = await cafe.client.paid(2500)

    refunded = await cafe.client.start(payment, 500)

    assert refunded.outcome is RefundOutcome.REFUNDED
    [total] = platform.sandbox.movements(account=cafe.account).totals
    assert (total.refunds.count, total.refunds.amount_minor) == (1, 500)
    assert platform.sandbox.movements().totals == ()
    assert await cafe.client.wrong() == []


@pytest.mark.nightly
async def test_who_is_disconnected_takes_nothing_new_gives_back_what_it_took_and_goes_on_when_reconnected(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    [payment] = await cafe.client.paid(2500)
    account = await cafe.client.merchant.account()
    await cafe.connection.execute_update(MerchantConnection.disconnect, WHO)
    await cafe.connection.result()

    refused = await first_outcome(platform, cafe, account)
    taken = platform.charges(cafe.account)
    refunded = await cafe.client.start(payment, 500)
    again, _ = await connect(platform.duly, cafe.id, gateway_account=cafe.account)
    await stands(again, "successful")
    await cafe.client.paid(1000)

    assert refused.outcome is CollectOutcome.PROVIDER_NOT_EFFECTIVE
    assert taken == 1
    assert refunded.outcome is RefundOutcome.REFUNDED
    assert platform.charges(cafe.account) == 2
    assert (
        await platform.own.merchant.value(
            "select count(*) from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id"
            " where r.account_id = :account",
            account=account,
        )
        == 0
    )


async def test_a_merchant_that_is_switched_off_or_restricted_takes_nothing_new(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    merchant = platform.own.merchant
    accounts = [await cafe.client.merchant.account() for _ in range(2)]

    await merchant.run("select duly.switch_merchant_payments(:id, false, 'maria', 'a pause')", id=cafe.id)
    off = await first_outcome(platform, cafe, accounts[0])
    await merchant.run("select duly.switch_merchant_payments(:id, true, 'maria', 'it is over')", id=cafe.id)
    await merchant.run("update duly.merchant_connections set state = 'restricted' where merchant_id = :id", id=cafe.id)
    restricted = await first_outcome(platform, cafe, accounts[1])

    assert {off.outcome, restricted.outcome} == {CollectOutcome.PROVIDER_NOT_EFFECTIVE}
    assert platform.charges(cafe.account) == 0


async def test_what_is_asked_by_a_link_names_what_to_do_while_the_merchant_is_not_connected(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    account = await cafe.client.merchant.account(cards=[])
    await cafe.connection.execute_update(MerchantConnection.disconnect, WHO)

    with pytest.raises(RuleBrokenError, match=f"`merchants reconnect {cafe.id}`") as refused:
        await platform.database.call(
            "create_payment_request",
            id=f"link-{platform.period}",
            account_id=account,
            provider_id=cafe.id,
            title="Cake",
            description="",
            asked=1000,
            currency="EUR",
            invoices=[],
            valid_days=14,
            is_mailed=False,
            sender="maria",
            sender_email="",
            reason="",
        )

    assert refused.value.type == "provider_effective"


async def test_an_account_is_of_one_provider_for_good(
    platform: Platform, cafe: ConnectedMerchant, database: Database
) -> None:
    await cafe.client.paid(2500)
    await participating(platform.own.merchant, f"bar-{platform.period}")

    with pytest.raises(RuleBrokenError) as moved:
        await database.call("assign_provider", provider_id=cafe.id, merchant_id=f"bar-{platform.period}")
    with pytest.raises(RuleBrokenError) as platforms:
        await database.call("assign_provider", provider_id="stripe", merchant_id=cafe.id)
    await cafe.connection.execute_update(MerchantConnection.disconnect, WHO)
    await cafe.connection.result()
    await connect(platform.duly, cafe.id, is_new_account=True)

    assert {moved.value.type, platforms.value.type} == {"merchant_is_fixed"}
    assert await account_of(database, cafe.id) == cafe.account
    why = await platform.own.merchant.value("select duly.why_not_effective(:id)", id=cafe.id)
    assert "another account" in why


async def test_a_provider_waits_for_its_merchant_to_be_connected(
    platform: Platform, merchant: Merchant, database: Database
) -> None:
    id = await participating(merchant, f"late-{platform.period}")
    await merchant.run("insert into duly.providers (id, gateway, mode) values (:id, 'stripe', 'test')", id=id)
    await merchant.run("select duly.assign_provider(:id, :id)", id=id)

    before = await why_not_connected(database, id)
    _, link = await connect(platform.duly, id)

    assert "not connected" in before
    assert await why_not_connected(database, id) == ""
    assert await account_of(database, id) == link.gateway_account
    assert await account_of(database, "stripe") == ""


async def test_events_of_an_account_are_of_its_provider_and_the_platform_delivers_them(
    platform: Platform, cafe: ConnectedMerchant, database: Database
) -> None:
    await cafe.client.paid(2500)
    await platform.own.paid(1000)
    rows = await platform.own.merchant.run(
        "select id, provider_id, account_id, gateway_reference as payment from duly.gateway_requests"
    )
    requests = {row.provider_id: row for row in rows}

    def about(number: int, account: str, named: Any) -> dict[str, object]:
        return {
            "id": f"evt_{number}_{platform.period.replace('-', '_')}",
            "type": "payment_intent.succeeded",
            "created": 1,
            **({"account": account} if account else {}),
            "data": {"object": {"id": named.payment, "metadata": {"duly_request": named.id}}},
        }

    await EventInbox(database, "stripe").receive(
        *map(
            event_of,
            [
                about(1, cafe.account, requests[cafe.id]),
                about(2, cafe.account, requests["stripe"]),
                about(3, "", requests[cafe.id]),
                about(4, "acct_unknown", requests["stripe"]),
            ],
        )
    )
    hints = {hint.event_id.split("_")[1]: hint.key for hint in await EventInbox(database, "stripe").to_deliver()}

    assert hints["1"][0] == requests[cafe.id].account_id
    assert hints["2"] == hints["3"] == hints["4"] == ()
