"""A customer who has to be there pays on a page of the gateway's, and nothing else is charged meanwhile."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import stripe
from temporalio.client import WorkflowHandle

from activities.collections.payment_pages import PaymentPageActivities
from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.gateway.stripe_pages import expire_page
from models.collections.collection import CollectionResult, PaidOutsideCommand, Stage
from models.gateway.gateway_request import CollectOutcome
from models.operator_command import OperatorCommand
from sandbox.stripe.control.client import Answer, CardOutcome, Fault, FaultKind, SandboxControl
from tests.support.attempts import request_for
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly
from webhook import Webhook, build_app
from workflows.collections.collection import Collection

PAGE = "GET /v1/checkout/sessions/{id}"
OPEN = "POST /v1/checkout/sessions"
TRIES_OF_AN_OUTAGE = 9

Handle = WorkflowHandle[Collection, CollectionResult]
WHO = {"actor": "maria", "reason": "the customer called"}


@pytest.fixture
async def visitor(database: Database, duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[httpx.AsyncClient]:
    """A customer's browser on Duly's own address."""
    app = build_app(Webhook(EventInbox(database, "stripe"), duly.client, ("whsec_x",), ReceiverClock(gateway)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://duly") as client:
        yield client


async def needs_customer(duly: RunningDuly, merchant: Merchant) -> Handle:
    """A collection whose issuer wants to see the customer."""
    authenticate = CardOutcome(answer=Answer.AUTHENTICATE)
    await merchant.account("acc_1", answers=[authenticate], owes_minor=2500)
    handle = await duly.start_collection("acc_1")
    await handle.execute_update(Collection.first_outcome)
    return handle


async def link(merchant: Merchant) -> str:
    return "/pay/" + str(await merchant.value("select link_token from duly.collections"))


async def pay_on(page: str, card: str = "pm_card_visa") -> None:
    async with httpx.AsyncClient() as browser:
        answer = await browser.post(page, data={"card": card})
        assert answer.status_code == 303


async def open_page(visitor: httpx.AsyncClient, merchant: Merchant) -> str:
    answer = await visitor.get(await link(merchant))
    assert answer.status_code == 303
    return answer.headers["location"]


async def test_the_customer_follows_the_link_and_pays(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, stripe_sandbox: SandboxControl
) -> None:
    handle = await needs_customer(duly, merchant)

    await pay_on(await open_page(visitor, merchant))
    await handle.signal(Collection.gateway_event)
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.SETTLED, "settled")
    assert await merchant.balance("acc_1") == 0
    assert stripe_sandbox.movements().totals[0].charges.count == 1


async def test_the_page_names_the_invoices_that_are_paid(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient
) -> None:
    await needs_customer(duly, merchant)
    [number] = await merchant.run("select number from duly.transaction_numbers where number like 'INV%'")

    async with httpx.AsyncClient() as browser:
        page = (await browser.get(await open_page(visitor, merchant))).text

    assert number.number in page
    assert "req_" not in page


async def test_a_card_that_is_paid_with_on_the_page_is_not_saved(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, gateway: StripeGateway
) -> None:
    handle = await needs_customer(duly, merchant)
    [customer] = await merchant.run("select customer_reference as id from duly.gateway_customers")
    before = await saved_at(gateway, customer.id)

    await pay_on(await open_page(visitor, merchant), "pm_card_mastercard")
    await handle.signal(Collection.gateway_event)
    await handle.result()

    assert await saved_at(gateway, customer.id) == before
    assert await merchant.value("select count(*) from duly.cards") == 1


async def saved_at(gateway: StripeGateway, customer: str) -> set[str]:
    saved = await gateway._client.v1.payment_methods.list_async({"customer": customer})
    return {card.id for card in saved.data}


async def test_the_link_leads_to_the_same_page_as_long_as_it_is_open(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient
) -> None:
    await needs_customer(duly, merchant)

    assert await open_page(visitor, merchant) == await open_page(visitor, merchant)
    assert await merchant.value("select count(*) from duly.gateway_attempts where channel = 'hosted_page'") == 1


async def test_a_page_that_nobody_pays_on_ends_and_the_deadline_stands(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, stripe_sandbox: SandboxControl
) -> None:
    handle = await needs_customer(duly, merchant)
    await open_page(visitor, merchant)

    stripe_sandbox.advance(timedelta(days=2).total_seconds())
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.GIVEN_UP, "customer_deadline_passed")
    assert await merchant.value("select outcome from duly.gateway_attempts where attempt = 2") == "did_not_happen"


async def test_a_retry_that_was_planned_is_still_made_when_the_page_ends_unpaid(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, stripe_sandbox: SandboxControl
) -> None:
    await merchant.account("acc_1", answers=[declined("insufficient_funds")], owes_minor=2500)
    handle = await duly.start_collection("acc_1")
    await handle.execute_update(Collection.first_outcome)
    await open_page(visitor, merchant)

    stripe_sandbox.advance(timedelta(days=2).total_seconds())
    result = await handle.result()

    assert (result.stage, result.attempts) == (Stage.SETTLED, 3)
    assert await merchant.value("select cause from duly.gateway_attempts where attempt = 3") == "scheduled"


async def test_the_page_is_closed_before_anything_else_is_done(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient
) -> None:
    handle = await needs_customer(duly, merchant)
    page = await open_page(visitor, merchant)

    await handle.execute_update(Collection.mark_paid_outside, PaidOutsideCommand(**WHO, reference="B-17"))
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.SETTLED, "nothing_owed")
    async with httpx.AsyncClient() as browser:
        assert (await browser.post(page, data={"card": "pm_card_visa"})).status_code >= 400


async def test_giving_up_closes_the_page(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, stripe_sandbox: SandboxControl
) -> None:
    handle = await needs_customer(duly, merchant)
    await open_page(visitor, merchant)

    await handle.execute_update(Collection.give_up, OperatorCommand(**WHO))
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.GIVEN_UP, "operator_gave_up")
    assert stripe_sandbox.movements().totals == ()


async def test_a_page_is_closed_however_long_the_gateway_is_away(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, stripe_sandbox: SandboxControl
) -> None:
    handle = await needs_customer(duly, merchant)
    await open_page(visitor, merchant)
    outage = tuple(range(1, TRIES_OF_AN_OUTAGE + 1))
    stripe_sandbox.add_fault(Fault(operation=PAGE, kind=FaultKind.UNAVAILABLE_503, calls=outage))

    await handle.execute_update(Collection.give_up, OperatorCommand(**WHO))
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.GIVEN_UP, "operator_gave_up")
    assert stripe_sandbox.request_counts()[PAGE] > TRIES_OF_AN_OUTAGE


@pytest.mark.parametrize("ends_by", ["give_up", "cancel"])
async def test_who_has_paid_in_the_moment_in_which_a_person_lets_go_has_paid(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, ends_by: str
) -> None:
    handle = await needs_customer(duly, merchant)
    await pay_on(await open_page(visitor, merchant))

    if ends_by == "cancel":
        await handle.cancel()
    else:
        await handle.execute_update(Collection.give_up, OperatorCommand(**WHO))
    result = await handle.result()

    assert (result.stage, await merchant.balance("acc_1")) == (Stage.SETTLED, 0)


async def test_a_page_that_is_paid_between_its_reading_and_its_end_is_over(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, gateway: StripeGateway
) -> None:
    await needs_customer(duly, merchant)
    page = await open_page(visitor, merchant)
    read = str(await merchant.value("select page_reference from duly.gateway_attempts where channel = 'hosted_page'"))

    await pay_on(page)
    await expire_page(gateway._client, read)

    assert (await gateway._client.v1.checkout.sessions.retrieve_async(read)).status == "complete"


async def test_a_page_that_was_closed_by_a_worker_that_died_is_closed(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, database: Database, gateway: StripeGateway
) -> None:
    await needs_customer(duly, merchant)
    await open_page(visitor, merchant)
    pages = PaymentPageActivities(database, gateway, Clocks(database, gateway), "https://duly.example/paid")

    first, again = [await pages.close_page(request_for("acc_1", 2)) for _ in range(2)]

    assert first.outcome == again.outcome == CollectOutcome.DID_NOT_HAPPEN


async def test_a_customer_whose_page_takes_too_long_is_asked_to_come_back(
    duly: RunningDuly,
    merchant: Merchant,
    visitor: httpx.AsyncClient,
    stripe_sandbox: SandboxControl,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await needs_customer(duly, merchant)
    monkeypatch.setattr("activities.events.customer_links.PAGE_TIMEOUT", timedelta(seconds=0.2))
    stripe_sandbox.add_fault(Fault(operation=OPEN, kind=FaultKind.SLOW_ANSWER, calls=(1,), delay_seconds=1))

    answer = await visitor.get(await link(merchant))

    assert (answer.status_code, answer.text) == (503, "Please come back in a minute.")


async def test_the_link_of_a_customer_who_was_deleted_at_the_gateway_says_so_and_holds_nothing_up(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, stripe_client: stripe.StripeClient
) -> None:
    handle = await needs_customer(duly, merchant)
    await stripe_client.v1.customers.delete_async(
        await merchant.value("select customer_reference from duly.gateway_customers")
    )

    answers = [await visitor.get(await link(merchant)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [410, 410]
    assert "ask whoever sent you the link" in answers[0].text
    assert await merchant.value("select count(*) from duly.gateway_attempts where outcome is null") == 0
    result = await handle.result()
    assert (result.stage, result.reason) == (Stage.GIVEN_UP, "customer_deadline_passed")


async def test_the_link_of_a_provider_that_is_stopped_says_so_and_leads_to_the_page_once_it_is_not(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient, stripe_sandbox: SandboxControl
) -> None:
    handle = await needs_customer(duly, merchant)
    await merchant.run("update duly.providers set state = 'not_effective'")

    stopped = await visitor.get(await link(merchant))

    assert (stopped.status_code, "come back later" in stopped.text) == (503, True)
    assert stripe_sandbox.request_counts().get("POST /v1/checkout/sessions", 0) == 0
    await merchant.run("update duly.providers set state = 'effective'")
    await pay_on(await open_page(visitor, merchant))
    await handle.signal(Collection.gateway_event)
    assert (await handle.result()).stage is Stage.SETTLED


async def test_a_link_of_nobody_leads_nowhere(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/pay/guessed")).status_code == 404
