"""Links are public: whoever asks for too many is turned away, and the gateway's events come in all the same."""

from collections import Counter
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.link_limits import BoundedLinks, LinkLimits, client_of
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from tests.events.signed_events import SECRETS, an_event, send
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
