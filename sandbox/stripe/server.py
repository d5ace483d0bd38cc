"""Serves the sandbox: in this process until it is told to stop, or in a thread for tests."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.stripe.app import build_app
from sandbox.stripe.core import SandboxConfig

START_TIMEOUT_SECONDS = 15.0


class FragileProtocol(HttpToolsProtocol):
    """Gives the application its connection, so that faults can cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"sandbox.transport": self.transport}  # type: ignore[dict-item]


class Dated:
    """Says in each answer what time it is. Uvicorn's own `Date` is looked up once a second: a clock that is set is then
    shown too late.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", formatdate(time.time(), usegmt=True).encode())
                message = {**message, "headers": [date, *message.get("headers", ())]}
            await send(message)

        await self._app(scope, receive, send_dated)


def server_for(app: Starlette, host: str, port: int) -> tuple[uvicorn.Server, socket.socket]:
    """A server bound to its address but not yet running; port 0 takes a free one."""
    listening = socket.create_server((host, port), backlog=2048)
    address, bound = listening.getsockname()[:2]
    app.state.sandbox.serve_at(f"http://{address}:{bound}")
    config = uvicorn.Config(
        Dated(app),
        http=FragileProtocol,
        date_header=False,
        loop="uvloop",
        lifespan="on",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config), listening


@contextmanager
def running_sandbox(config: SandboxConfig | None = None) -> Iterator[str]:
    """The sandbox in a thread of its own, for as long as the context lasts; gives its base URL."""
    with running_app(build_app(config)) as base_url:
        yield base_url


@contextmanager
def running_app(app: Starlette, wrap: Callable[[ASGIApp], ASGIApp] | None = None) -> Iterator[str]:
    """The same for an application that was built before; `wrap` puts a layer around it."""
    server, listening = server_for(app, "127.0.0.1", 0)
    if wrap is not None:
        server.config.app = Dated(wrap(app))
    thread = threading.Thread(target=_serve, args=(server, listening), name="stripe-sandbox", daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield app.state.sandbox.base_url
    finally:
        server.should_exit = True
        thread.join(timeout=START_TIMEOUT_SECONDS)


def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listening]))


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    waited = threading.Event()
    for _ in range(int(START_TIMEOUT_SECONDS / 0.01)):
        if server.started:
            return
        if not thread.is_alive():
            raise RuntimeError("the Stripe sandbox stopped while it was starting")
        waited.wait(0.01)
    raise TimeoutError(f"the Stripe sandbox did not start within {START_TIMEOUT_SECONDS} seconds")
