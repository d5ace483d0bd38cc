"""Registering a card: under the provider's rules, with a token or on a page, and the gateway has the last word."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models.cards.card import CardRegistration, CardState, InvalidCardError, ValidationOutcome
from models.collections.collection import Stage
from models.operator_command import UnknownResolution
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.fixtures.cards import CardClient
from tests.support.attempts import never_answer
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly

SETUPS = "POST /v1/setup_intents"


async def test_a_card_that_the_gateway_accepts_may_be_charged_by_the_next_run(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient
) -> None:
    account = await merchant.account(cards=[], owes_minor=2500)

    card, first = await card_client.save(account)
    await duly.run()

    assert first.outcome is ValidationOutcome.ACCEPTED
    assert await card_client.stored(card) == (CardState.ACTIVE, "")
    assert await merchant.balance(account) == 0
    shown = await merchant.run("select brand, last4, exp_month is not null as expires from duly.cards")
    assert [(row.brand, row.last4, row.expires) for row in shown] == [("visa", "4242", True)]


async def test_a_rejected_card_keeps_the_reason_and_is_never_charged(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient
) -> None:
    account = await merchant.account(cards=[])

    card, first = await card_client.save(account, "pm_card_visa_chargeDeclinedStolenCard")
    result = await card_client.ended(card)

    assert (first.outcome, first.reason) == (ValidationOutcome.REJECTED, "stolen_card")
    assert (result.state, result.reason) == (CardState.REJECTED, "stolen_card")
    assert await merchant.value("select (duly.chargeable_card(:id, 'stripe')).id", id=account) is None


async def test_a_customer_is_made_once_for_an_account_even_when_the_answer_is_lost(
    merchant: Merchant, card_client: CardClient, owner_engine: AsyncEngine, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(cards=[])
    async with owner_engine.begin() as connection:
        await connection.execute(text("delete from duly.gateway_customers"))
    before = await customers_of(merchant, account)
    stripe_sandbox.add_fault(Fault(operation="POST /v1/customers", kind=FaultKind.RESPONSE_LOST, calls=(1,)))

    await card_client.save(account)
    await card_client.save(account)

    (made,) = await customers_of(merchant, account) - before
    assert await merchant.value("select customer_reference from duly.gateway_customers") == made


async def customers_of(merchant: Merchant, account: str) -> set[str]:
    """The gateway's customers that carry an account's id."""
    page = await merchant.stripe.v1.customers.list_async({"limit": 100})
    return {each.id for each in page.data if each.metadata and each.metadata.to_dict().get("duly_account") == account}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("update duly.providers set state = 'not_effective'", "provider_effective"),
        ("update duly.providers set mode = 'live'", "provider_effective"),
        ("delete from duly.provider_methods", "method_on_provider"),
        ("delete from duly.provider_currencies where currency = 'EUR'", "currency_taken"),
        ("update duly.payment_methods set is_active = false where id = 'card'", "method_exists"),
    ],
)
async def test_what_is_not_configured_is_named_and_nothing_is_stored(
    merchant: Merchant, card_client: CardClient, owner_engine: AsyncEngine, change: str, rule: str
) -> None:
    account = await merchant.account(cards=[])
    async with owner_engine.begin() as connection:
        await connection.execute(text(change))

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await card_client.save(account)
    with pytest.raises(WorkflowFailureError):
        await card_client.ended("card_1")

    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == rule
    assert await merchant.value("select count(*) from duly.cards") == 0


@pytest.mark.parametrize("field", ["card_id", "account_id", "provider", "method", "token", "replaces"])
def test_what_looks_like_a_card_number_never_leaves_the_caller(field: str) -> None:
    given: dict[str, Any] = {"card_id": "card_1", "account_id": "acc_1", "provider": "stripe"} | {
        field: "4242 4242 4242 4242"
    }

    with pytest.raises(InvalidCardError) as refused:
        CardRegistration(**given)

    assert str(refused.value).startswith(f"{field}: ")
    assert "4242" not in str(refused.value)


async def test_a_customer_saves_a_card_on_the_hosted_page(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient
) -> None:
    account = await merchant.account(cards=[])
    card, first = await card_client.page(account)

    await fill_in(first.url, card="pm_card_visa")
    await card_client.workflow(card).signal("gateway_event")
    status = await until_state(card_client, card, CardState.ACTIVE)

    assert first.outcome is ValidationOutcome.ACTION_REQUIRED
    assert status == (CardState.ACTIVE, "")


async def test_a_bank_that_wants_its_customer_is_waited_for_with_a_link(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient
) -> None:
    account = await merchant.account(cards=[])
    card, first = await card_client.save(account, "pm_card_authenticationRequiredOnSetup")

    await fill_in(first.url, result="pass")
    await card_client.workflow(card).signal("gateway_event")

    assert first.outcome is ValidationOutcome.ACTION_REQUIRED
    assert await until_state(card_client, card, CardState.ACTIVE) == (CardState.ACTIVE, "")


async def test_an_account_whose_customer_was_deleted_at_the_gateway_can_have_a_card_again(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient
) -> None:
    account = await merchant.account()
    [deleted] = await merchant.run("select customer_reference as id from duly.gateway_customers")
    await merchant.stripe.v1.customers.delete_async(deleted.id)

    card, first = await card_client.save(account, "pm_card_mastercard")

    [customer] = await merchant.run("select customer_reference as id from duly.gateway_customers")
    assert first.outcome is ValidationOutcome.ACCEPTED
    assert customer.id != deleted.id
    assert await until_state(card_client, card, CardState.ACTIVE) == (CardState.ACTIVE, "")


async def test_whose_bank_wants_a_confirmation_is_asked_for_it_and_not_for_another_card(
    merchant: Merchant, card_client: CardClient
) -> None:
    account = await merchant.account(cards=[])

    card, _ = await card_client.save(account, "pm_card_authenticationRequiredOnSetup")

    [label] = await merchant.run("select brand, last4 from duly.cards where id = :id", id=card)
    assert (label.brand, label.last4) == ("visa", "3155")


async def test_a_page_that_nobody_comes_to_is_abandoned_after_a_reminder(
    merchant: Merchant, card_client: CardClient
) -> None:
    account = await merchant.account(cards=[])
    card, _ = await card_client.page(account)

    result = await card_client.ended(card)

    messages = await merchant.run("select id from duly.messages order by id")
    assert (result.state, result.reason) == (CardState.REJECTED, "abandoned")
    assert [row.id.rpartition("-")[2] for row in messages if "reminder" in row.id] == ["reminder"]
    assert len(messages) == 2


@pytest.mark.parametrize("kind", [FaultKind.RESPONSE_LOST, FaultKind.STORED_500_AFTER_EFFECT, FaultKind.REQUEST_LOST])
async def test_an_outcome_that_got_lost_is_found_and_the_card_is_checked_once(
    merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    account = await merchant.account(cards=[])
    stripe_sandbox.add_fault(Fault(operation=SETUPS, kind=kind, calls=(1,)))

    card, _ = await card_client.save(account)

    assert await until_state(card_client, card, CardState.ACTIVE) == (CardState.ACTIVE, "")
    intents = (await merchant.stripe.v1.setup_intents.list_async({"limit": 100})).data
    assert [intent.status for intent in intents] == ["succeeded"]


@pytest.mark.parametrize("is_found", [True, False])
async def test_a_person_settles_what_nobody_knows(
    merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl, is_found: bool
) -> None:
    account = await merchant.account(cards=[])
    lost = FaultKind.RESPONSE_LOST if is_found else FaultKind.REQUEST_LOST
    never_answer(stripe_sandbox, lost, operation=SETUPS)
    card, first = await card_client.save(account)
    stripe_sandbox.clear_faults()
    intents = (await merchant.stripe.v1.setup_intents.list_async({"limit": 1})).data

    resolution = UnknownResolution("maria", "seen there", *((intents[0].id,) if is_found else ("", True)))
    await card_client.workflow(card).execute_update("resolve_unknown", resolution)

    assert first.outcome is ValidationOutcome.UNKNOWN
    assert await until_state(card_client, card, CardState.ACTIVE) == (CardState.ACTIVE, "")
    outcomes = await merchant.run("select outcome, resolved_by from duly.gateway_attempts order by attempt")
    expected = [("succeeded", "maria")] if is_found else [("did_not_happen", "maria"), ("succeeded", "")]
    assert [tuple(row) for row in outcomes] == expected


@pytest.mark.nightly
async def test_a_person_is_asked_after_six_hours_in_which_nobody_knows(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(cards=[])
    never_answer(stripe_sandbox, operation=SETUPS)
    card, _ = await card_client.save(account)
    asked = "a person is asked: unknown_validation"

    await duly.environment.sleep(timedelta(hours=4))
    before = (await card_client.status(card)).history
    await duly.environment.sleep(timedelta(hours=4))

    assert not [note for note in before if note.endswith(asked)]
    assert [note for note in (await card_client.status(card)).history if note.endswith(asked)]
    stripe_sandbox.clear_faults()


async def test_the_id_of_another_validation_is_no_evidence(
    merchant: Merchant, card_client: CardClient, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(cards=[])
    await card_client.save(account)
    [other] = (await merchant.stripe.v1.setup_intents.list_async({"limit": 1})).data
    never_answer(stripe_sandbox, operation=SETUPS)
    card, _ = await card_client.save(account)
    stripe_sandbox.clear_faults()

    resolution = UnknownResolution("maria", "a guess", gateway_reference=other.id)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await card_client.workflow(card).execute_update("resolve_unknown", resolution)

    assert getattr(refused.value.cause, "type", "") == "evidence_is_of_this_attempt"


async def test_a_collection_that_waits_for_a_card_goes_on_at_once_with_a_new_one(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient
) -> None:
    account = await merchant.account(cards=[], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome")

    await card_client.save(account)
    with duly.environment.auto_time_skipping_disabled():
        result = await handle.result()

    assert result.stage is Stage.SETTLED


async def until_state(card_client: CardClient, card: str, state: CardState) -> tuple[str, str]:
    """Wait until a card is in a state, letting the clock of the server jump to what it waits for."""
    for _ in range(400):
        if (await card_client.stored(card))[0] == state:
            break
        await card_client.duly.environment.sleep(1)
    return await card_client.stored(card)


async def fill_in(url: str, **fields: str) -> None:
    """Send a page's form, as a browser does."""
    async with httpx.AsyncClient(follow_redirects=False) as browser:
        answer = await browser.post(url, data=fields)
        assert answer.status_code < 400, answer.text
