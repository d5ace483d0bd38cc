"""A provider that is not effective is asked nothing new about cards: no validation, no page, no customer."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from models.cards.card import CardRegistration, CardState, ValidationOutcome
from sandbox.stripe.control.client import SandboxControl
from tests.cards.test_lifecycle import WHO, hint, token_of
from tests.cards.test_registration import until_state
from tests.fixtures.cards import CardClient
from tests.gateway.test_mode import start_provider, stop_provider
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly


def asked(sandbox: SandboxControl) -> int:
    """How many validations, pages and customers the gateway was asked for."""
    counts = sandbox.request_counts()
    return sum(counts.get(f"POST /v1/{name}", 0) for name in ("setup_intents", "checkout/sessions", "customers"))


async def rule_of(card_client: CardClient, card: str, update: str, *arguments: object) -> str:
    """Ask a card's workflow for what may not be, and return the rule."""
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await card_client.workflow(card).execute_update(update, *arguments)
    return str(getattr(refused.value.cause, "type", ""))


async def test_a_person_who_wants_to_know_is_refused(
    merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl
) -> None:
    card, _ = await card_client.save(await merchant.account(cards=[]))
    before = asked(stripe_sandbox)
    await stop_provider(merchant)

    rule = await rule_of(card_client, card, "revalidate", WHO)

    assert (rule, asked(stripe_sandbox)) == ("provider_effective", before)
    assert await card_client.stored(card) == (CardState.ACTIVE, "")


async def test_the_yearly_check_is_put_off_until_the_provider_is_effective_and_the_card_is_looked_after(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl
) -> None:
    await merchant.configure("[card_rules]\nstale_days = 90")
    card, _ = await card_client.save(await merchant.account(cards=[]))
    before = asked(stripe_sandbox)
    await stop_provider(merchant)

    await duly.environment.sleep(timedelta(days=100))
    stopped = await card_client.status(card)
    still_asked = asked(stripe_sandbox)
    await start_provider(merchant)
    await duly.environment.sleep(timedelta(days=2))

    assert still_asked == before
    assert any("is stripe effective again?" in line for line in stopped.history)
    assert stopped.next_action_at is not None
    assert asked(stripe_sandbox) == before + 1
    assert await card_client.stored(card) == (CardState.ACTIVE, "")


async def test_a_check_of_who_is_on_the_block_list_says_so_and_not_that_its_provider_is_stopped(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(cards=[])
    card, _ = await card_client.save(account)
    before = asked(stripe_sandbox)
    await merchant.run(
        "insert into duly.charge_blocks (kind, value, blocked_by, blocked_because)"
        " values ('account', :id, 'maria', 'takes back every payment')",
        id=account,
    )

    await card_client.workflow(card).execute_update("revalidate", WHO)
    await duly.environment.sleep(timedelta(hours=1))
    status = await card_client.status(card)

    assert asked(stripe_sandbox) == before
    assert any("put off for a day: is it off the block list? account_blocked" in line for line in status.history)
    assert not any("provider_not_effective" in line or "effective again" in line for line in status.history)


async def test_new_data_of_a_blocked_card_are_read_and_checked_once_the_provider_is_effective(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl
) -> None:
    card, _ = await card_client.save(await merchant.account(cards=[]))
    await card_client.workflow(card).execute_update("block", WHO)
    await stop_provider(merchant)
    stripe_sandbox.automatically_update_card(await token_of(merchant, card))
    await hint(card_client, card)

    await duly.environment.sleep(timedelta(hours=2))
    blocked = await card_client.stored(card)
    await start_provider(merchant)
    await duly.environment.sleep(timedelta(days=2))

    assert blocked[0] == CardState.BLOCKED
    assert await until_state(card_client, card, CardState.ACTIVE) == (CardState.ACTIVE, "")


async def test_a_replacement_is_refused(
    merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(cards=[])
    card, _ = await card_client.save(account)
    before = asked(stripe_sandbox)
    await stop_provider(merchant)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await card_client.register(CardRegistration(card_client.name(), account, "stripe", replaces=card))

    assert getattr(refused.value.cause, "type", "") == "provider_effective"
    assert (asked(stripe_sandbox), await card_client.stored(card)) == (before, (CardState.ACTIVE, ""))


async def test_a_page_that_has_ended_is_not_opened_anew(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl
) -> None:
    card, first = await card_client.page(await merchant.account(cards=[]))
    await stop_provider(merchant)
    stripe_sandbox.advance(2 * 86_400)
    before = asked(stripe_sandbox)

    rule = await rule_of(card_client, card, "open_page")

    assert first.outcome is ValidationOutcome.ACTION_REQUIRED
    assert (rule, asked(stripe_sandbox)) == ("provider_effective", before)
    await start_provider(merchant)
    assert (await card_client.workflow(card).execute_update("open_page", result_type=str)).startswith("http")


async def test_a_card_that_is_registered_before_the_stop_is_validated_after_it(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(cards=[])
    registration = CardRegistration(
        card_client.name(), account, "stripe", token=await merchant.fresh_token("pm_card_visa")
    )
    await merchant.run(
        "select duly.register_card(:card, :account, 'stripe', 'card', :token, true, 1, false, '')",
        card=registration.card_id,
        account=account,
        token=registration.token,
    )
    await stop_provider(merchant)

    first = await card_client.register(registration)
    waiting = await card_client.status(registration.card_id)
    await start_provider(merchant)
    await duly.environment.sleep(timedelta(hours=2))

    assert first.outcome is ValidationOutcome.PROVIDER_NOT_EFFECTIVE
    assert waiting.next_action == "is stripe effective again?"
    assert await card_client.stored(registration.card_id) == (CardState.ACTIVE, "")
