"""Events come in signed, are kept once, and wake who waits for them; everything else leaves no trace."""

import time

import httpx
import pytest

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from models.collections.collection import Stage
from sandbox.stripe.control.client import SandboxControl
from tests.events.signed_events import SECRETS, an_event, send, signed
from tests.support.attempts import never_answer
from tests.support.builders import PERIOD, Merchant
from tests.support.running_duly import RunningDuly
from webhook import BODY_BYTES_MAX, Webhook, build_app


async def stored(merchant: Merchant) -> int:
    return int(await merchant.value("select count(*) from duly.gateway_events"))


async def test_a_signed_event_is_stored_once_however_often_it_comes(
    visitor: httpx.AsyncClient, merchant: Merchant
) -> None:
    body = an_event()

    answers = [await send(visitor, body, signed(body)) for _ in range(3)]

    assert answers == [200, 200, 200]
    assert await stored(merchant) == 1


async def test_both_secrets_are_good_during_a_rotation(visitor: httpx.AsyncClient, merchant: Merchant) -> None:
    for number, secret in enumerate(SECRETS):
        body = an_event(f"evt_{number}")
        assert await send(visitor, body, signed(body, secret=secret)) == 200

    assert await stored(merchant) == 2


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (an_event(), {}),
        (an_event(), {"stripe-signature": "nonsense"}),
        (an_event(), signed(an_event(), secret="whsec_wrong")),
        (an_event(), signed(an_event(), at=int(time.time()) - 400)),
        (an_event(), signed(an_event("evt_2"))),
        ("not an event", signed("not an event")),
        ("[]", signed("[]")),
        (an_event(live=True), signed(an_event(live=True))),
    ],
)
async def test_what_is_unsigned_or_stale_or_no_event_gets_400_and_leaves_only_a_count(
    visitor: httpx.AsyncClient, merchant: Merchant, webhook: Webhook, body: str, headers: dict[str, str]
) -> None:
    assert await send(visitor, body, headers) == 400
    assert await stored(merchant) == 0
    assert webhook.counts.total() == 1


async def test_a_body_beyond_the_limit_is_refused(visitor: httpx.AsyncClient, merchant: Merchant) -> None:
    body = an_event(filler="x" * BODY_BYTES_MAX)

    assert await send(visitor, body, signed(body)) == 413
    assert await stored(merchant) == 0


async def test_an_event_wakes_the_collection_that_waits_for_evidence(
    visitor: httpx.AsyncClient, duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    never_answer(stripe_sandbox)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome")
    stripe_sandbox.clear_faults()

    request = await merchant.value("select id from duly.gateway_requests where account_id = :id", id=account)
    body = an_event(metadata={"duly_request": request, "duly_account": account})
    with duly.environment.auto_time_skipping_disabled():
        assert await send(visitor, body, signed(body)) == 200
        result = await duly.collection(account, PERIOD).result()

    assert result.stage == Stage.SETTLED


async def test_readiness_needs_the_database(visitor: httpx.AsyncClient, database: Database) -> None:
    assert (await visitor.get("/ready")).json() == {"status": "ready"}
    assert (await visitor.get("/health")).json()["status"] == "alive"


@pytest.mark.parametrize(("portal_url", "links"), [("", 0), ("https://pay.example.com", 1)])
async def test_whoever_comes_back_from_the_gateways_page_is_led_on_to_the_portal_where_there_is_one(
    inbox: EventInbox, duly: RunningDuly, gateway: StripeGateway, portal_url: str, links: int
) -> None:
    webhook = Webhook(inbox, duly.client, SECRETS, ReceiverClock(gateway))
    webhook.links.lead_back_to(portal_url)
    transport = httpx.ASGITransport(app=build_app(webhook))
    async with httpx.AsyncClient(transport=transport, base_url="http://duly") as client:
        pages = [(await client.get(path)).text for path in ("/paid", "/saved")]

    wanted = [f'href="{portal_url}/"', f'href="{portal_url}/cards"']
    assert [page.count("href") for page in pages] == [links] * 2
    assert [link in page for link, page in zip(wanted, pages, strict=True)] == [bool(links)] * 2
