"""A card's years: warnings, expiry, what the network and its holder change, what stops it and what lifts that."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox
from activities.gateway.stripe_events import event_of
from models.cards.card import CardState, RecurringCommand
from models.operator_command import OperatorCommand
from sandbox.stripe.control.client import SandboxControl
from tests.cards.test_registration import until_state
from tests.fixtures.cards import CardClient
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly
from workflows.events.targets import target_of

WHO = OperatorCommand("maria", "the customer called")


@pytest.fixture
async def card(merchant: Merchant, card_client: CardClient) -> str:
    """An active card."""
    account = await merchant.account(cards=[])
    card, _ = await card_client.save(account)
    return card


async def token_of(merchant: Merchant, card: str) -> str:
    return str(await merchant.value("select token from duly.cards where id = :id", id=card))


async def hint(card_client: CardClient, card: str) -> None:
    await card_client.workflow(card).signal("gateway_event")


async def reminders(merchant: Merchant) -> list[str]:
    return [row.id for row in await merchant.run("select id from duly.messages order by created_at")]


async def test_its_holder_is_warned_twice_before_it_expires_and_then_it_is_not_charged(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient, card: str
) -> None:
    await merchant.configure("[card_rules]\nstale_days = 3650")
    await hint(card_client, card)
    expires = await merchant.run("select exp_year, exp_month from duly.cards")
    month = f"{expires[0].exp_year}-{expires[0].exp_month:02d}"

    await duly.environment.sleep(timedelta(days=366 * 4 + 40))

    assert await card_client.stored(card) == (CardState.EXPIRED, "expired")
    assert await reminders(merchant) == [f"card_expiring/{card}/{month}-30", f"card_expiring/{card}/{month}-7"]


async def test_new_data_from_the_network_are_taken_over(
    merchant: Merchant, card_client: CardClient, card: str, stripe_sandbox: SandboxControl
) -> None:
    before = await merchant.value("select exp_year from duly.cards")
    stripe_sandbox.automatically_update_card(await token_of(merchant, card))

    await hint(card_client, card)
    await card_client.duly.environment.sleep(1)

    assert await merchant.value("select exp_year from duly.cards") > before


async def test_a_card_that_was_detached_is_removed_and_its_workflow_ends(
    merchant: Merchant, card_client: CardClient, card: str, stripe_sandbox: SandboxControl
) -> None:
    await merchant.stripe.v1.payment_methods.detach_async(await token_of(merchant, card))

    await hint(card_client, card)
    result = await card_client.ended(card)

    assert (result.state, result.reason) == (CardState.REMOVED, "detached")


async def test_a_mandate_that_was_taken_back_blocks_the_card(
    merchant: Merchant, card_client: CardClient, card: str, stripe_sandbox: SandboxControl
) -> None:
    stripe_sandbox.revoke_mandate(await merchant.value("select mandate_reference from duly.cards"))

    await hint(card_client, card)

    assert await until_state(card_client, card, CardState.BLOCKED) == (CardState.BLOCKED, "mandate_revoked")


async def test_a_blocked_card_is_lifted_when_the_gateway_accepts_it_again(
    merchant: Merchant, card_client: CardClient, card: str
) -> None:
    await card_client.workflow(card).execute_update("block", WHO)
    blocked = await card_client.stored(card)

    await card_client.workflow(card).execute_update("revalidate", WHO)

    assert blocked == (CardState.BLOCKED, "the customer called")
    assert await until_state(card_client, card, CardState.ACTIVE) == (CardState.ACTIVE, "")
    decisions = await merchant.value("select decisions from duly.cards")
    assert [text.partition("Z ")[2] for text in decisions] == ["blocked, says maria: the customer called"]


async def test_a_card_that_is_refused_when_it_is_asked_about_again_is_blocked(
    merchant: Merchant, card_client: CardClient, card: str, stripe_sandbox: SandboxControl
) -> None:
    stripe_sandbox.script_card(await token_of(merchant, card), declined("lost_card"))

    await card_client.workflow(card).execute_update("revalidate", WHO)

    assert await until_state(card_client, card, CardState.BLOCKED) == (CardState.BLOCKED, "lost_card")


async def test_a_card_that_nobody_used_for_long_is_asked_about_before_the_next_run(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient
) -> None:
    await merchant.configure("[card_rules]\nstale_days = 90")
    account = await merchant.account(cards=[])
    await card_client.save(account)

    await duly.environment.sleep(timedelta(days=100))

    intents = (await merchant.stripe.v1.setup_intents.list_async({"limit": 100})).data
    assert [intent.status for intent in intents] == ["succeeded", "succeeded"]


async def test_a_removed_card_is_detached_and_nobody_can_charge_it(
    merchant: Merchant, card_client: CardClient, card: str
) -> None:
    token = await token_of(merchant, card)

    await card_client.workflow(card).execute_update("remove", WHO)
    result = await card_client.ended(card)

    assert result.state is CardState.REMOVED
    assert (await merchant.stripe.v1.payment_methods.retrieve_async(token)).customer is None


async def test_a_replacement_takes_the_place_of_the_card_it_replaces(
    merchant: Merchant, card_client: CardClient, card: str
) -> None:
    account = await merchant.value("select account_id from duly.cards")

    new, _ = await card_client.save(str(account), replaces=card)
    old = await card_client.ended(card)

    assert (old.state, old.reason) == (CardState.REPLACED, new)
    assert await card_client.stored(new) == (CardState.ACTIVE, "")


async def test_only_a_flagged_card_is_charged_by_a_run_and_the_default_comes_first(
    merchant: Merchant, card_client: CardClient, card: str
) -> None:
    account = str(await merchant.value("select account_id from duly.cards"))
    second, _ = await card_client.save(account, fallback_order=2)

    await card_client.workflow(second).execute_update("set_default", WHO)
    first = await merchant.value("select (duly.chargeable_card(:id, 'stripe')).id", id=account)
    await card_client.workflow(second).execute_update(
        "set_recurring", RecurringCommand("maria", "as agreed", is_recurring=False)
    )
    then = await merchant.value("select (duly.chargeable_card(:id, 'stripe')).id", id=account)

    assert (first, then) == (second, card)


async def test_what_makes_no_sense_is_refused_with_the_reason(card_client: CardClient, card: str) -> None:
    await card_client.workflow(card).execute_update("block", WHO)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await card_client.workflow(card).execute_update("block", WHO)

    assert "the card is blocked, it must be active" in str(refused.value.cause)


async def test_an_event_about_an_imported_card_starts_its_workflow(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient, inbox: EventInbox, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    card = str(await merchant.value("select id from duly.cards where account_id = :id", id=account))
    await merchant.stripe.v1.payment_methods.detach_async(await token_of(merchant, card))
    for event in (await merchant.stripe.v1.events.list_async({"types": ["payment_method.detached"]})).data:
        await inbox.receive(event_of(event.to_dict()))

    delivered = await EventDelivery(inbox, duly.client, target_of).deliver_waiting()
    result = await card_client.ended(card)

    assert delivered.taken == 1
    assert (result.state, result.reason) == (CardState.REMOVED, "detached")


async def test_a_decline_that_blocks_a_card_is_heard_by_its_workflow_at_once(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient, card: str, stripe_sandbox: SandboxControl
) -> None:
    stripe_sandbox.script_card(await token_of(merchant, card), declined("stolen_card"))
    account = str(await merchant.value("select account_id from duly.cards"))
    await merchant.invoice(account, 2500)

    await (await duly.start_collection(account)).execute_update("first_outcome")
    await until_noted(card_client, card, "blocked stolen_card")

    assert await card_client.stored(card) == (CardState.BLOCKED, "stolen_card")


@pytest.mark.nightly
async def test_a_card_lives_for_years_in_small_histories_and_forgets_nothing(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient, card: str, stripe_sandbox: SandboxControl
) -> None:
    # Asked about every day, it goes through as much in two years as others in a life.
    await merchant.configure("[card_rules]\nstale_days = 1")
    stripe_sandbox.automatically_update_card(await token_of(merchant, card))
    first_run = (await card_client.workflow(card).describe()).run_id
    await hint(card_client, card)
    described = await card_client.workflow(card).describe()
    while described.run_id == first_run:
        assert described.history_length < 12_000
        await duly.environment.sleep(timedelta(days=30))
        described = await card_client.workflow(card).describe()
    status = await card_client.status(card)

    assert described.history_length < 1000
    assert (await card_client.stored(card), status.card is not None) == ((CardState.ACTIVE, ""), True)
    assert await card_client.workflow(card).execute_update("block", WHO)
    assert await card_client.stored(card) == (CardState.BLOCKED, "the customer called")


async def until_noted(card_client: CardClient, card: str, what: str) -> None:
    """Wait until a card's workflow has noted something."""
    for _ in range(400):
        if any(note.endswith(what) for note in (await card_client.status(card)).history):
            return
        await card_client.duly.environment.sleep(0.1)
    pytest.fail(f"{card} has not noted {what}")


async def test_the_other_tokens_of_a_card_that_a_payment_has_blocked_are_read_again_at_once(
    card_client: CardClient, merchant: Merchant
) -> None:
    account = await merchant.account(cards=[], owes_minor=2500)
    one, _ = await card_client.save(account)
    other, _ = await card_client.save(account, fallback_order=2)
    merchant.sandbox.script_card(await merchant.token(account), declined("stolen_card"))

    collection = await card_client.duly.start_collection(account)
    await collection.execute_update("first_outcome")

    assert await read_as(card_client, one, CardState.BLOCKED)
    assert await read_as(card_client, other, CardState.BLOCKED)


async def read_as(card_client: CardClient, card: str, state: CardState) -> bool:
    """Say whether a card's workflow comes to read it in a state within a minute of its clock."""
    for _ in range(60):
        status = await card_client.status(card)
        if status.card is not None and status.card.state is state:
            return True
        await card_client.duly.environment.sleep(1)
    return False
