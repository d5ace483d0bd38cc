"""A collection goes on from its row while its customer's page is open, or while a bank takes days to pay on it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from temporalio.client import WorkflowHandle

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from models.collections.collection import CollectionResult, Stage
from sandbox.stripe.control.client import Answer, CardOutcome, SandboxControl
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from webhook import Webhook, build_app
from workflows.collections.collection import Collection

PAGE = "GET /v1/checkout/sessions/{id}"
Handle = WorkflowHandle[Collection, CollectionResult]


@pytest.fixture
async def visitor(database: Database, duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[httpx.AsyncClient]:
    """A customer's browser on Duly's own address."""
    app = build_app(Webhook(EventInbox(database, "stripe"), duly.client, ("whsec_x",), ReceiverClock(gateway)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://duly") as client:
        yield client


async def resumed_with_page(duly: RunningDuly, merchant: Merchant) -> tuple[Handle, str]:
    """A collection that was terminated while its customer had a page, and goes on as the supervisor lets it."""
    await merchant.account("acc_1", answers=[CardOutcome(answer=Answer.AUTHENTICATE)], owes_minor=2500)
    handle = await duly.start_collection("acc_1")
    await handle.execute_update(Collection.first_outcome)
    page = await handle.execute_update(Collection.open_page)
    await handle.terminate("pressed by maria")
    again = await duly.start_collection("acc_1")
    await again.execute_update(Collection.first_outcome)
    return again, page


async def link(merchant: Merchant) -> str:
    return "/pay/" + str(await merchant.value("select link_token from duly.collections"))


async def test_the_link_leads_to_the_page_that_was_open_when_the_workflow_was_stopped(
    duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient
) -> None:
    _, page = await resumed_with_page(duly, merchant)

    answer = await visitor.get(await link(merchant))

    assert (answer.status_code, answer.headers.get("location")) == (303, page)


async def test_another_card_closes_the_page_that_was_open_when_the_workflow_was_stopped(
    duly: RunningDuly, merchant: Merchant
) -> None:
    handle, page = await resumed_with_page(duly, merchant)
    await merchant.card("acc_1", "pm_card_mastercard")

    await handle.signal(Collection.card_changed)
    result = await handle.result()

    assert result.stage is Stage.SETTLED
    async with httpx.AsyncClient() as browser:
        assert (await browser.post(page, data={"card": "pm_card_visa"})).status_code == 410


@pytest.mark.nightly
async def test_a_bank_that_answers_days_after_the_page_was_sent_off_is_asked_by_the_policys_pauses(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    await merchant.account("acc_1", answers=[CardOutcome(answer=Answer.AUTHENTICATE)], owes_minor=2500)
    handle = await duly.start_collection("acc_1")
    await handle.execute_update(Collection.first_outcome)
    page = await handle.execute_update(Collection.open_page)
    days = timedelta(days=3).total_seconds()
    stripe_sandbox.script_card("pm_card_visa", CardOutcome(answer=Answer.PROCESS, after_seconds=days))
    async with httpx.AsyncClient() as browser:
        await browser.post(page, data={"card": "pm_card_visa"})
    await handle.signal(Collection.gateway_event)
    await until(lambda: _is_processing(handle))

    async with duly.time_passing():
        await duly.environment.sleep(timedelta(days=2))
    asked = stripe_sandbox.request_counts()[PAGE]
    stripe_sandbox.advance(days)

    assert asked < 40
    assert (await handle.result()).stage is Stage.SETTLED
    assert await merchant.balance("acc_1") == 0


async def _is_processing(handle: Handle) -> bool:
    return (await handle.query(Collection.status)).stage is Stage.PROCESSING
