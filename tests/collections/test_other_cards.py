"""A customer's other cards: tokens of one card are one card, and another is tried at once when the policy says so."""

import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection

NO_MONEY = declined("insufficient_funds")
ONE_CARD_THRICE = ("pm_card_visa", "pm_card_visa", "pm_card_visa")


async def test_three_tokens_of_one_stolen_card_are_tried_once(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.account("acc_1", cards=ONE_CARD_THRICE, answers=[declined("stolen_card")], owes_minor=2500)

    result = await (await duly.start_collection("acc_1")).result()

    assert (result.stage, result.reason) == (Stage.GIVEN_UP, "customer_deadline_passed")
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 1
    assert await merchant.value("select count(*) from duly.cards where state = 'blocked'") == 3


@pytest.mark.parametrize(("code", "attempts"), [("stolen_card", 1), ("insufficient_funds", 2)])
async def test_tokens_that_were_imported_are_known_for_one_card_by_its_first_decline(
    duly: RunningDuly, merchant: Merchant, owner_engine: AsyncEngine, code: str, attempts: int
) -> None:
    await tries_other_cards(merchant)
    await merchant.account("acc_1", cards=ONE_CARD_THRICE, answers=[declined(code)], owes_minor=2500)
    async with owner_engine.begin() as owner:
        await owner.execute(text("update duly.cards set fingerprint = ''"))

    await (await duly.start_collection("acc_1")).result()

    assert await merchant.value("select count(*) from duly.gateway_attempts") == attempts
    assert await merchant.value("select count(*) from duly.cards where fingerprint = ''") == 0


async def test_a_decline_counts_also_when_nobody_says_which_cards_are_one(
    duly: RunningDuly, merchant: Merchant, owner_engine: AsyncEngine, stripe_sandbox: SandboxControl
) -> None:
    await merchant.account("acc_1", cards=ONE_CARD_THRICE[:2], answers=[declined("stolen_card")], owes_minor=2500)
    async with owner_engine.begin() as owner:
        await owner.execute(text("update duly.cards set fingerprint = ''"))
    stripe_sandbox.add_fault(Fault(operation="GET /v1/payment_methods/{id}", kind=FaultKind.UNAVAILABLE_503))

    handle = await duly.start_collection("acc_1")
    first = await handle.execute_update(Collection.first_outcome)

    assert (first.outcome, first.decline_code) == (CollectOutcome.DECLINED, "stolen_card")


async def test_another_card_is_tried_when_one_with_several_tokens_is_stolen(
    duly: RunningDuly, merchant: Merchant
) -> None:
    cards = (*ONE_CARD_THRICE, "pm_card_mastercard")
    await merchant.account("acc_1", cards=cards, answers=[declined("stolen_card")], owes_minor=2500)

    result = await (await duly.start_collection("acc_1")).result()

    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)


async def test_a_token_with_a_new_expiry_is_tried_when_the_old_one_has_expired(
    duly: RunningDuly, merchant: Merchant
) -> None:
    await merchant.account("acc_1", cards=ONE_CARD_THRICE[:2], answers=[declined("expired_card")], owes_minor=2500)
    await merchant.run("update duly.cards set exp_year = exp_year + 1 where fallback_order = 2")

    await (await duly.start_collection("acc_1")).result()

    assert await merchant.value("select state from duly.cards where fallback_order = 1") == "blocked"
    assert await merchant.value("select state from duly.cards where fallback_order = 2") == "active"


async def test_tokens_of_one_card_share_what_its_network_allows(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.configure('[[card_networks]]\nbrand = "visa"\ndeclines_max = 2\ndays = 30')
    await merchant.account("acc_1", cards=ONE_CARD_THRICE, answers=[NO_MONEY], answers_for_ever=True, owes_minor=2500)

    await (await duly.start_collection("acc_1")).result()

    assert await merchant.value("select count(*) from duly.gateway_attempts") == 2


async def test_a_second_card_waits_for_the_first_when_the_policy_does_not_say_otherwise(
    duly: RunningDuly, merchant: Merchant
) -> None:
    cards = ("pm_card_visa", "pm_card_mastercard")
    await merchant.account("acc_1", cards=cards, answers=[NO_MONEY], owes_minor=2500)

    await (await duly.start_collection("acc_1")).result()

    assert await cards_asked(merchant) == ["visa", "visa"]


async def test_a_second_card_is_tried_at_once_when_the_policy_says_so(duly: RunningDuly, merchant: Merchant) -> None:
    await tries_other_cards(merchant)
    cards = ("pm_card_visa", "pm_card_mastercard")
    await merchant.account("acc_1", cards=cards, answers=[NO_MONEY], owes_minor=2500)

    result = await (await duly.start_collection("acc_1")).result()

    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)
    assert await cards_asked(merchant) == ["visa", "mastercard"]
    assert await merchant.value("select count(*) from duly.messages where kind = 'declined'") == 0


async def test_each_card_is_tried_once_and_then_the_policy_waits(duly: RunningDuly, merchant: Merchant) -> None:
    await tries_other_cards(merchant)
    cards = ("pm_card_visa", "pm_card_chargeCustomerFail")
    await merchant.account("acc_1", cards=cards, answers=[NO_MONEY], owes_minor=2500)

    result = await (await duly.start_collection("acc_1")).result()

    assert result.stage is Stage.SETTLED
    assert result.attempts == 3
    assert len(await cards_asked(merchant)) == 3
    assert await merchant.value("select count(*) from duly.messages where kind = 'declined'") == 1


async def test_a_card_that_may_work_later_is_not_forgotten_for_one_that_never_will(
    duly: RunningDuly, merchant: Merchant
) -> None:
    await tries_other_cards(merchant)
    await merchant.account("acc_1", cards=("pm_card_visa", "pm_card_mastercard"), answers=[NO_MONEY], owes_minor=2500)
    other = await merchant.value("select token from duly.cards where fallback_order = 2")
    merchant.sandbox.script_card(other, declined("stolen_card"), repeat_last=True)

    result = await (await duly.start_collection("acc_1")).result()

    assert result.stage is Stage.SETTLED
    assert await cards_asked(merchant) == ["visa", "mastercard", "visa"]


async def tries_other_cards(merchant: Merchant) -> None:
    await merchant.run(
        "insert into duly.dunning_policies"
        " select id, version + 1, segment, document || :more from duly.dunning_policies",
        more=Jsonb({"tries_other_cards": True}),
    )


async def cards_asked(merchant: Merchant) -> list[str]:
    """The brands of the cards that were charged, in order."""
    rows = await merchant.run(
        "select c.brand from duly.gateway_attempts a join duly.cards c on c.id = a.card_id order by a.attempt"
    )
    return [row.brand for row in rows]
