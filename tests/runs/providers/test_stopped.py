"""What is stopped, or done at a gateway, at two providers at once in yen and dinars is booked once, where it was."""

from contextlib import suppress

import pytest

from models.collections.collection import RetryCommand
from models.gateway.gateway_request import CollectResult
from tests.runs.providers.conftest import TwoProviders
from tests.runs.providers.stopped_customers import REFUNDS, Customer, moved, quiet_passes, stop, until_owed, wrong
from tests.runs.providers.test_dashboards import paid
from tests.support.attempts import never_answer
from tests.support.builders import declined
from tests.support.run_control import until

pytestmark = pytest.mark.nightly

# In the smallest units: the yen has none smaller, the dinar a thousand of which the gateway takes tens.
OWED = (("JPY", 7000), ("KWD", 12_340))
HOW = pytest.mark.parametrize("how", ["terminate", "cancel"])


async def customers(two: TwoProviders, *, cards: tuple[str, ...] = ("pm_card_visa",)) -> list[Customer]:
    """A customer at each provider, who owes in its currency."""
    return [
        Customer(client, await client.merchant.account(currency=currency, owes_minor=owed, cards=cards))
        for client, (currency, owed) in zip((two.first, two.second), OWED, strict=True)
    ]


@HOW
async def test_what_a_stopped_collection_had_taken_is_booked_at_each(two: TwoProviders, how: str) -> None:
    both = await customers(two)
    handles = []
    for one in both:
        never_answer(one.client.sandbox)
        handles.append(await two.duly.start_collection(one.account, two.period, provider=one.client.provider))
    for one in both:
        await until(one.has_moved)
    for handle in handles:
        await stop(handle, how)
    for one in both:
        one.client.sandbox.clear_faults()
    await quiet_passes(both)

    await until_owed(both, 0, 0)

    assert moved(both) == [(1, 7000, 0, 0), (1, 12_340, 0, 0)]
    assert await wrong(both) == []


@HOW
async def test_a_receivable_whose_collection_was_stopped_is_collected_by_the_next_one(
    two: TwoProviders, how: str
) -> None:
    both = await customers(two)
    for one in both:
        one.client.sandbox.script_card(await one.client.merchant.token(one.account), declined("insufficient_funds"))
        handle = await two.duly.start_collection(one.account, two.period, provider=one.client.provider)
        await handle.execute_update("first_outcome", result_type=CollectResult)
        await stop(handle, how)
        if how == "cancel":
            await handle.result()
        again = await two.duly.start_collection(one.account, two.period, provider=one.client.provider)
        await again.execute_update("first_outcome", result_type=CollectResult)
        with suppress(Exception):
            await again.execute_update("retry_now", RetryCommand("maria", "the card is good by now"))

    await until_owed(both, 0, 0)

    assert moved(both) == [(1, 7000, 0, 0), (1, 12_340, 0, 0)]
    assert await wrong(both) == []


@HOW
async def test_a_refund_that_was_stopped_without_an_answer_is_paid_once_at_each(two: TwoProviders, how: str) -> None:
    both = await customers(two)
    for one in both:
        await paid(two, one.client, one.account)
        never_answer(one.client.sandbox, operation=REFUNDS)
        await one.client.start(await one.payment(), 2000, name=one.refund)
    for one in both:
        await stop(one.client.workflow(one.refund), how)
        one.client.sandbox.clear_faults()
    await quiet_passes(both)

    await until_owed(both, 2000, 2000)

    assert moved(both) == [(1, 7000, 1, 2000), (1, 12_340, 1, 2000)]
    assert await wrong(both) == []


async def test_refunds_of_ours_and_of_a_dashboard_are_told_apart_at_each(two: TwoProviders) -> None:
    both = await customers(two)
    for one in both:
        reference = await paid(two, one.client, one.account)
        await one.client.start(await one.payment(), 1000, name=one.refund)
        await one.client.deliver_events()
        await one.client.merchant.stripe.v1.refunds.create_async({"payment_intent": reference, "amount": 2000})

    await until_owed(both, 3000, 3000)

    assert moved(both) == [(1, 7000, 2, 3000), (1, 12_340, 2, 3000)]
    assert await wrong(both) == []


async def test_a_stolen_card_with_three_tokens_is_asked_once_at_each(two: TwoProviders) -> None:
    for one in await customers(two, cards=("pm_card_visa",) * 3):
        for row in await one.client.merchant.run("select token from duly.cards where account_id = :a", a=one.account):
            one.client.sandbox.script_card(row.token, declined("stolen_card"), repeat_last=True)
        handle = await two.duly.start_collection(one.account, two.period, provider=one.client.provider)
        first = await handle.execute_update("first_outcome", result_type=CollectResult)
        assert first.decline_code == "stolen_card"

    attempts = await two.first.merchant.run(
        "select r.provider_id, count(*) from duly.gateway_attempts a join duly.gateway_requests r"
        " on r.id = a.request_id where r.kind = 'payment' group by 1 order by 1"
    )
    assert [tuple(row) for row in attempts] == [("other", 1), ("stripe", 1)]
