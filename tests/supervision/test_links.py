"""A customer follows the link they were sent, whatever somebody pressed meanwhile: what they read is true."""

from collections.abc import AsyncIterator

import httpx
import pytest

from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from models.gateway.gateway_request import CollectResult
from models.workflow_ids import collection_id
from tests.supervision.pressing import Button, press
from tests.supervision.scenario import Company
from tests.support.builders import declined
from tests.support.run_control import until
from webhook import Webhook, build_app

GONE = (404, "There is nothing to pay with this link any more.")
LATER = (503, "This is being looked into. Please come back in two hours.")


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[httpx.AsyncClient]:
    """A customer's browser on Duly's own address."""
    inbox = EventInbox(company.database, "stripe")
    app = build_app(Webhook(inbox, company.duly.client, ("whsec_x",), ReceiverClock(company.gateway)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://duly") as client:
        yield client


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    ("button", "answer"),
    [(Button.TERMINATE, LATER), (Button.DELETE, LATER), (Button.FAIL, LATER), (Button.CANCEL, GONE)],
)
async def test_until_a_stopped_collection_goes_on_the_link_says_when_to_come_back(
    company: Company, visitor: httpx.AsyncClient, button: Button, answer: tuple[int, str]
) -> None:
    account = await company.merchant.account(
        f"acc-{company.period}", answers=[declined("insufficient_funds")], owes_minor=2500
    )
    handle = await company.duly.start_collection(account, company.period)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    link = "/pay/" + str(await company.merchant.value("select link_token from duly.collections"))

    await press(company.duly.client, button, handle.id)

    async def is_over() -> bool:
        return not await company.is_running(handle.id)

    await until(is_over)
    stopped = await visitor.get(link)
    await company.supervise()
    if button is Button.CANCEL:
        await company.duly.start_collection(account, company.period)

    async def is_waiting() -> bool:
        return (await visitor.get(link)).status_code == httpx.codes.SEE_OTHER

    assert (stopped.status_code, stopped.text) == answer
    assert await company.is_running(collection_id(account, company.period))
    if button is not Button.CANCEL:
        await until(is_waiting)
