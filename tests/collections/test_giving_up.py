"""When collection gives up, the policy says what becomes of the account and its debt."""

import json

import pytest

from models.collections.collection import RetryCommand, Stage
from models.collections.dunning import DunningPolicy
from models.gateway.gateway_request import CollectResult
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly


async def a_policy(merchant: Merchant, *, segment: str = "", version: int = 2, **document: object) -> None:
    await merchant.run(
        "insert into duly.dunning_policies (id, version, segment, document)"
        " values ('standard', :version, :segment, cast(:document as jsonb))",
        version=version,
        segment=segment,
        document=json.dumps({"declined_after": ["P1D"]} | document),
    )


async def given_up(duly: RunningDuly, merchant: Merchant, account_id: str = "acc_1") -> None:
    account = await merchant.account(
        account_id, answers=[declined("do_not_honor")], answers_for_ever=True, owes_minor=2500
    )
    handle = await duly.start_collection(account)
    assert (await handle.result()).stage == Stage.GIVEN_UP


@pytest.mark.parametrize(
    ("action", "state", "balance_minor"),
    [
        ("nothing", "active", 2500),
        ("suspend", "suspended", 2500),
        ("write_off", "active", 0),
        ("hand_over", "active", 2500),
    ],
)
async def test_the_policy_says_what_then(
    duly: RunningDuly, merchant: Merchant, action: str, state: str, balance_minor: int
) -> None:
    await a_policy(merchant, on_giving_up=action)

    await given_up(duly, merchant)

    assert await merchant.value("select state from duly.accounts where id = 'acc_1'") == state
    assert await merchant.balance("acc_1") == balance_minor
    assert await merchant.value("select action from duly.collections") == action


@pytest.mark.parametrize(
    ("currency", "owes_minor", "paid_minor", "reason"),
    [("EUR", 2500, 2470, "below_minimum"), ("KWD", 7320, 7315, "amount_not_in_steps")],
)
async def test_a_rest_that_no_gateway_takes_is_no_reason_to_suspend_who_has_paid(
    duly: RunningDuly, merchant: Merchant, currency: str, owes_minor: int, paid_minor: int, reason: str
) -> None:
    await a_policy(merchant, on_giving_up="suspend")
    account = await merchant.account(currency=currency, answers=[declined("do_not_honor")], owes_minor=owes_minor)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome")

    await merchant.transfer(account, paid_minor, currency=currency)
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.GIVEN_UP, reason)
    assert await merchant.value("select state from duly.accounts") == "active"
    assert await merchant.balance(account) == owes_minor - paid_minor


async def test_a_segment_has_its_own_policy(duly: RunningDuly, merchant: Merchant) -> None:
    await a_policy(merchant, on_giving_up="suspend", segment="business")
    await given_up(duly, merchant, "acc_private")
    await merchant.account("acc_business", answers=[declined("do_not_honor")], answers_for_ever=True, owes_minor=2500)
    await merchant.run("update duly.accounts set segment = 'business' where id = 'acc_business'")

    await (await duly.start_collection("acc_business")).result()

    attempts = "select count(*) from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id"
    assert await merchant.value(f"{attempts} where r.account_id = 'acc_business'") == 2
    assert await merchant.value(f"{attempts} where r.account_id = 'acc_private'") == 5


async def test_a_collection_ends_under_the_policy_it_began_with(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(answers=[declined("do_not_honor")], answers_for_ever=True, owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome")

    await a_policy(merchant, on_giving_up="suspend")
    result = await handle.result()

    assert result.attempts == 5
    assert await merchant.value("select state from duly.accounts") == "active"


async def test_a_code_that_nobody_knows_is_tried_again_once(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(
        answers=[declined("brand_new_code", code="brand_new")], answers_for_ever=True, owes_minor=2500
    )

    result = await (await duly.start_collection(account)).result()

    assert (result.reason, result.attempts) == ("unknown_decline_code", 2)


@pytest.mark.parametrize("cause", ["manual", "card_changed"])
async def test_an_attempt_that_a_person_or_a_new_card_caused_uses_nothing_up(
    duly: RunningDuly, merchant: Merchant, cause: str
) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")], answers_for_ever=True, owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome", result_type=CollectResult)

    if cause == "manual":
        await handle.execute_update("retry_now", RetryCommand("maria", "the customer called"))
    else:
        await handle.signal("card_changed")
    result = await handle.result()

    made = await merchant.run("select cause from duly.gateway_attempts order by attempt")
    assert result.stage == Stage.GIVEN_UP
    assert [row.cause for row in made] == ["scheduled", cause, *["scheduled"] * len(DunningPolicy().declined_after)]
