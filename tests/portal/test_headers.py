"""What the portal tells browsers over a real socket, and what becomes of requests that are too large or too slow."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import httpx
import pytest
import uvicorn

from activities.events.bounded_http import Connections, HttpLimits
from activities.request_tokens import PortalLinks
from tests.portal.conftest import OURS
from tests.support.builders import Merchant
from web.assets import own_assets
from web.portal.app import build_portal
from web.portal.context import Portal

_LIMITS = HttpLimits(head_seconds=0.3, body_seconds=0.3)


@asynccontextmanager
async def served(portal: Portal) -> AsyncIterator[tuple[str, int]]:
    """Serve the portal behind a proxy's https address, with limits that a test can wait for."""
    settings = portal.settings.model_copy(update={"portal_url": "https://portal.example"})
    app = build_portal(replace(portal, settings=settings), own_assets(), Counter())
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    options = Connections(_LIMITS).server_options()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, **options))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield listening.getsockname()
    server.should_exit = True
    await serving


async def answered(place: tuple[str, int], sent: bytes) -> bytes:
    """Send bytes and return what comes back until the connection is closed; nothing where it is cut off."""
    reader, writer = await asyncio.open_connection(*place)
    found = b""
    with suppress(ConnectionError):
        writer.write(sent)
        await writer.drain()
        found = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return found


async def test_pages_and_cookies_are_kept_to_themselves(portal: Portal, merchant: Merchant) -> None:
    account = await merchant.account()
    async with served(portal) as place:
        host, port = place
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", trust_env=False) as client:
            page = await client.get("/sign-in")
            head = await client.head("/sign-in")
            missing = await client.get("/nowhere")
            link = await PortalLinks(portal.writing).made(account)
            entered = await client.post(f"/enter/{link}", headers=OURS)
            asset = await client.get(next(part for part in page.text.split('"') if part.startswith("/assets/")))

    for answer in (page, head, missing, entered):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
    assert (head.status_code, head.content, page.status_code) == (200, b"", 200)
    assert "script-src" not in page.headers["content-security-policy"]
    assert "immutable" in asset.headers["cache-control"]
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} >= {"httponly", "secure", "path=/", "samesite=lax"}


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (
            b"POST /sign-in HTTP/1.1\r\nhost: x\r\nsec-fetch-site: same-origin\r\ncontent-length: 9999999\r\n\r\n",
            b"413",
        ),
        (b"GET /sign-in HTTP/1.1\r\nhost: x\r\nlong: " + b"a" * 400_000, b"431"),
        (b"GET /sign-in HTTP/1.1\r\nhost: x\r\nslow: ", b"408"),
    ],
)
async def test_what_is_too_large_or_too_slow_is_sent_away(portal: Portal, sent: bytes, status: bytes) -> None:
    async with served(portal) as place:
        found = await answered(place, sent)

    assert found == b"" or found.split(b" ")[1] == status
