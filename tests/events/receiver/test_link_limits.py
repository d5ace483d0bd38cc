"""Links are public: whoever asks for too many is turned away, and the gateway's events come in all the same."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from temporalio.client import Client

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.link_limits import BoundedLinks, LinkLimits, client_of
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from settings import Settings
from tests.events.receiver.receiving import receiving
from tests.events.signed_events import SECRETS, an_event, send
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from webhook import Webhook, build_app


def asked_by(host: str) -> Request:
    return Request({"type": "http", "client": (host, 1), "headers": []})


def gate_at(clock: list[float], **limits: Any) -> BoundedLinks:
    return BoundedLinks(Counter(), LinkLimits(**limits), lambda: clock[0])


def test_a_client_gets_a_burst_and_then_so_many_a_second_and_another_client_its_own() -> None:
    clock = [0.0]
    gate = gate_at(clock, client_burst=2, client_per_second=1)

    first = [gate.may_ask(asked_by("192.0.2.1")) for _ in range(3)]
    other = gate.may_ask(asked_by("192.0.2.2"))
    clock[0] = 1.0
    later = [gate.may_ask(asked_by("192.0.2.1")) for _ in range(2)]

    assert (first, other, later) == ([True, True, False], True, [True, False])


def test_many_clients_are_held_to_one_limit_in_all_and_few_of_them_are_remembered() -> None:
    gate = gate_at([0.0], all_burst=5, all_per_second=1, clients=3)

    answers = [gate.may_ask(asked_by(f"192.0.2.{host}")) for host in range(1, 9)]

    assert answers == [True] * 5 + [False] * 3
    assert gate.remembered == 3


@pytest.mark.parametrize(
    ("host", "client"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::/64"), ("testclient", "testclient")],
)
def test_a_client_is_an_address_and_of_ipv6_its_network(host: str, client: str) -> None:
    assert client_of(asked_by(host)) == client


@pytest.mark.nightly
async def test_behind_a_proxy_that_is_believed_each_customer_has_a_limit_of_their_own(
    settings: Settings, merchant: Merchant, temporal_server: Client, tmp_path: Path
) -> None:
    link, burst = f"/pay/{'f' * 64}", int(LinkLimits().client_burst)
    async with receiving(settings, temporal_server, tmp_path / "webhook.log") as receiver:
        # The proxy stands before it on this machine, and adds whom it saw to what a customer may have made up.
        through = {"x-forwarded-for": "198.51.100.7, 203.0.113.1"}
        flood = await asyncio.gather(*(receiver.visitor.get(link, headers=through) for _ in range(2 * burst)))
        other = await receiver.visitor.get(link, headers={"x-forwarded-for": "198.51.100.7, 203.0.113.2"})

    assert Counter(answer.status_code for answer in flood).keys() == {404, 429}
    assert other.status_code == 404


async def test_a_flood_of_links_is_turned_away_and_events_come_in(
    database: Database, standing_duly: RunningDuly, gateway: StripeGateway
) -> None:
    webhook = Webhook(EventInbox(database, "stripe"), standing_duly.client, SECRETS, ReceiverClock(gateway))
    webhook.gate = BoundedLinks(webhook.counts, LinkLimits(client_burst=3, client_per_second=0.0))
    origin = httpx.ASGITransport(app=build_app(webhook))

    async with httpx.AsyncClient(transport=origin, base_url="http://duly") as client:
        visits = [(await client.get(f"/pay/{'f' * 64}")).status_code for _ in range(5)]
        event = await send(client, an_event("evt_flood"))

    assert visits == [404, 404, 404, 429, 429]
    assert event == 200
    assert webhook.counts["link_refused"] == 2
