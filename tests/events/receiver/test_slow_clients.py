"""Clients that send nothing, too slowly or too much keep nobody else from being answered."""

import asyncio
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from activities.events.bounded_http import Connections, HttpLimits, fitting
from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from settings import Settings
from tests.events.receiver.receiving import receiving
from tests.events.receiver.serving import Address, Client, serving
from tests.events.signed_events import SECRETS, an_event, signed
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from webhook import BODY_BYTES_MAX, Webhook, build_app

LIMITS = HttpLimits(connections=20, head_seconds=0.5, body_seconds=0.5, keep_alive_seconds=0.5, head_bytes=4096)
HEALTH = b"GET /saved HTTP/1.1\r\nhost: duly\r\n\r\n"


@pytest.fixture
def connections() -> Connections:
    """The connections of a receiver with small limits."""
    return Connections(LIMITS)


@pytest.fixture
async def receiver(
    inbox: EventInbox, duly: RunningDuly, gateway: StripeGateway, connections: Connections
) -> AsyncIterator[Address]:
    """A receiver with small limits, on a real socket."""
    webhook = Webhook(inbox, duly.client, SECRETS, ReceiverClock(gateway), connections=connections)
    async with serving(build_app(webhook), connections) as address:
        yield address


def event_request(event_id: str = "evt_1", *, length: int | None = None) -> tuple[bytes, bytes]:
    """Head and body of a signed event; `length` is what the head says of the body."""
    body = an_event(event_id).encode()
    signature = signed(body.decode())["stripe-signature"]
    length = len(body) if length is None else length
    head = f"POST /webhooks/stripe HTTP/1.1\r\nhost: duly\r\nstripe-signature: {signature}\r\n"
    return f"{head}content-length: {length}\r\n\r\n".encode(), body


async def is_answered(receiver: Address) -> bool:
    """Whether an event is taken in now."""
    client = await receiver.connect()
    await client.send(b"".join(event_request()))
    async with asyncio.timeout(30):
        status = await client.status()
    await client.close()
    return status == 200


async def stops_by_itself(client: Client) -> bytes:
    """Wait until the receiver closes a connection; its limits are half a second."""
    async with asyncio.timeout(30):
        result = await client.until_closed()
    await client.close()
    return result


async def test_ten_times_more_half_open_connections_than_the_limit_silence_nobody(
    receiver: Address, connections: Connections
) -> None:
    half_open = [await receiver.connect() for _ in range(10 * LIMITS.connections)]
    for client in half_open[::2]:
        await client.send(b"POST /webhooks/stripe HTTP/1.1\r\nhost:")

    answered = await is_answered(receiver)

    for client in half_open:
        await client.close()
    assert answered
    # On a busy machine some have already been too slow.
    assert connections.closed["evicted"] + connections.closed["too_slow"] >= 9 * LIMITS.connections


async def test_idle_connections_that_have_been_answered_make_room_too(receiver: Address) -> None:
    idle = [await receiver.connect() for _ in range(LIMITS.connections)]
    for client in idle:
        await client.send(HEALTH)
        assert await client.status() == 200

    answered = await is_answered(receiver)

    for client in idle:
        await client.close()
    assert answered


@pytest.mark.parametrize("sent", [b"", b"GET", b"GET /health HTTP/1.1\r\nhost: duly\r\nx-more: "])
async def test_a_head_that_does_not_come_ends_the_connection(receiver: Address, sent: bytes) -> None:
    client = await receiver.connect()
    await client.send(sent)

    assert (await stops_by_itself(client)).startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_comes_byte_by_byte_ends_the_connection_as_well(
    receiver: Address, connections: Connections
) -> None:
    client = await receiver.connect()

    async def drip() -> None:
        while True:
            await client.send(b"x")
            await asyncio.sleep(0.05)

    await client.send(b"GET /health HTTP/1.1\r\nx-more: ")
    dripping = asyncio.create_task(drip())
    await stops_by_itself(client)
    dripping.cancel()
    await asyncio.wait([dripping])

    # A byte that arrives after the answer resets the connection, and the client may lose what it was told.
    assert connections.closed["too_slow"] == 1


async def test_a_second_request_that_never_gets_complete_ends_a_connection_that_was_good(receiver: Address) -> None:
    client = await receiver.connect()
    await client.send(HEALTH)
    first = await client.status()
    await client.send(b"\r\nGET")

    assert first == 200
    assert (await stops_by_itself(client)).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_does_not_come_ends_the_connection_and_stores_nothing(
    receiver: Address, inbox: EventInbox, connections: Connections
) -> None:
    head, body = event_request(length=10_000)
    client = await receiver.connect()
    await client.send(head + body[:-10])

    await stops_by_itself(client)

    assert connections.closed["too_slow"] == 1
    assert await inbox.to_deliver() == []


async def test_a_request_without_an_end_that_was_answered_long_ago_ends_too(receiver: Address) -> None:
    client = await receiver.connect()
    await client.send(b"GET /saved HTTP/1.1\r\nhost: duly\r\ncontent-length: 1000000\r\n\r\n")
    answered = await client.status()

    await stops_by_itself(client)

    assert answered == 200


async def test_a_head_beyond_the_limit_is_refused(receiver: Address) -> None:
    client = await receiver.connect()
    await client.send(b"GET /health HTTP/1.1\r\nx-filler: " + b"x" * 3 * LIMITS.head_bytes)

    assert (await stops_by_itself(client)).startswith(b"HTTP/1.1 431 ")


async def test_a_body_beyond_the_limit_is_refused_before_all_of_it_is_there(receiver: Address) -> None:
    head, body = event_request(length=1_000_000_000)
    client = await receiver.connect()
    await client.send(head + body + b"x" * BODY_BYTES_MAX)

    assert await client.status() == 413
    await client.close()


async def test_a_client_that_takes_its_time_within_the_limits_is_served(receiver: Address) -> None:
    head, body = event_request()
    client = await receiver.connect()
    for part in (head[:20], head[20:], body[:30], body[30:]):
        await client.send(part)
        await asyncio.sleep(0.1)

    assert await client.status() == 200
    await client.close()


async def test_a_process_that_may_open_few_files_takes_fewer_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, hard))
    try:
        limits = fitting(HttpLimits(connections=512))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert limits.connections == 600 - 256


@pytest.mark.nightly
async def test_a_process_with_1024_files_is_not_silenced_by_1100_half_open_connections(
    merchant: Merchant, settings: Settings, temporal_server: TemporalClient, tmp_path: Path
) -> None:
    async with receiving(settings, temporal_server, tmp_path / "webhook.log", files=1024) as receiver:
        address = Address("127.0.0.1", receiver.port)
        half_open = [await address.connect() for _ in range(1100)]

        answered = await is_answered(address)
        stopped = receiver.stop()

        async with asyncio.timeout(60):
            await stopped
        for client in half_open:
            await client.close()

    assert answered
