"""A head that is too long is refused by its length, in one packet as in many, before any page looks at it."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from activities.events.bounded_http import Connections, HttpLimits
from tests.events.receiver.serving import Address, serving

LIMITS = HttpLimits()
CLOSE = b"host: pay\r\nconnection: close\r\n"


async def answered(address: Address, head: bytes, body: bytes = b"") -> bytes:
    """Send a request in one packet, and return all that comes back."""
    client = await address.connect()
    await client.send(head + b"\r\n" + body)
    found = await client.until_closed()
    await client.close()
    return found


async def path_length(request: Request) -> Response:
    return PlainTextResponse(str(len(request.url.path)))


@pytest.mark.parametrize(
    ("head", "body", "answer"),
    [
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n" + CLOSE, b"", b"HTTP/1.1 414 URI Too Long"),
        (b"GET /pay/x?" + b"a" * 40_000 + b" HTTP/1.1\r\n" + CLOSE, b"", b"HTTP/1.1 414 URI Too Long"),
        (
            b"POST /" + b"a" * 40_000 + b" HTTP/1.1\r\ncontent-length: 4\r\n" + CLOSE,
            b"data",
            b"HTTP/1.1 414 URI Too Long",
        ),
        (b"GET / HTTP/1.1\r\nx-long: " + b"a" * 20_000 + b"\r\n" + CLOSE, b"", b"HTTP/1.1 431 Request Header"),
        (b"GET /" + b"a" * 8_000 + b" HTTP/1.1\r\n" + CLOSE, b"", b"HTTP/1.1 200 OK"),
    ],
)
async def test_a_head_that_is_too_long_is_refused_by_its_length(head: bytes, body: bytes, answer: bytes) -> None:
    connections = Connections(LIMITS)
    app = Starlette(routes=[Route("/{path:path}", path_length, methods=["GET", "POST"])])

    async with serving(app, connections) as address:
        found = await answered(address, head, body)

    assert found.startswith(answer)
    assert found.count(b"HTTP/1.1") == 1
    assert connections.closed["head_too_large"] == (0 if answer.endswith(b"200 OK") else 1)


async def test_a_request_behind_a_refused_one_in_its_packet_is_not_carried_out() -> None:
    asked: list[str] = []

    async def note(request: Request) -> Response:
        asked.append(request.url.path)
        return PlainTextResponse("")

    app = Starlette(routes=[Route("/{path:path}", note, methods=["GET", "POST"])])
    refused = b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nhost: pay\r\n\r\n"

    async with serving(app, Connections(LIMITS)) as address:
        found = await answered(address, refused + b"POST /redeem HTTP/1.1\r\ncontent-length: 0\r\n" + CLOSE)

    assert (found[:12], found.count(b"HTTP/1.1"), asked) == (b"HTTP/1.1 414", 1, [])


@pytest.mark.parametrize(
    ("head", "answer"),
    [(b"GET /", b"HTTP/1.1 414"), (b"GET / HTTP/1.1\r\nx-long: ", b"HTTP/1.1 431")],
)
async def test_a_head_in_many_packets_is_refused_by_what_is_too_long_of_it(head: bytes, answer: bytes) -> None:
    connections = Connections(LIMITS)
    app = Starlette(routes=[Route("/{path:path}", path_length, methods=["GET", "POST"])])

    async with serving(app, connections) as address:
        client = await address.connect()
        await client.send(head)
        # What is allowed, and then more: with what a server has not read when it closes, its answer would be lost.
        await client.send(b"a" * (LIMITS.head_bytes - len(head)))
        await client.send(b"a")
        found = await client.until_closed()
        await client.close()

    assert found.startswith(answer)
