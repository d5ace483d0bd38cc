"""HTTP for a public address: limits on connections, heads and bodies, so that slow or idle clients silence nobody."""

import asyncio
import resource
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from starlette.requests import ClientDisconnect, Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# File descriptors that are left to the database, to Temporal, to the gateway and to connections not yet counted.
SPARE_FILES = 256
BACKLOG = 128

_ADDRESS_TOO_LONG = b"414 URI Too Long"
_HEAD_TOO_LONG = b"431 Request Header Fields Too Large"

# Requests under way get this long to be answered on a deploy; the gateway sends again what was not.
SHUTDOWN_SECONDS = 5


@dataclass(frozen=True)
class HttpLimits:
    """What one server grants its clients: times are from the first byte that is waited for to the last."""

    connections: int = 512
    head_seconds: float = 10.0
    head_bytes: int = 16 * 1024
    address_bytes: int = 8 * 1024
    body_seconds: float = 20.0
    keep_alive_seconds: float = 5.0


class Connections:
    """The connections of one server, as far as they keep it waiting, and how many were closed for it."""

    def __init__(self, limits: HttpLimits | None = None) -> None:
        self.limits = limits or HttpLimits()
        # Those that we wait for, longest first.
        self.waiting: dict[BoundedHttpProtocol, None] = {}
        self.closed: Counter[str] = Counter()

    def server_options(self) -> dict[str, Any]:
        """Return what uvicorn must know to keep the limits."""
        return {
            "http": partial(BoundedHttpProtocol, known=self),
            "ws": "none",
            "backlog": BACKLOG,
            "timeout_keep_alive": self.limits.keep_alive_seconds,
            "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
            # One more than the limit there is only where every connection is being answered: it gets a 503.
            "limit_concurrency": self.limits.connections + 1,
        }


def fitting(limits: HttpLimits) -> HttpLimits:
    """Return the limits with no more connections than this process may have files open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY or files - SPARE_FILES >= limits.connections:
        return limits
    return replace(limits, connections=max(1, files - SPARE_FILES))


async def read_body(request: Request, bytes_max: int) -> bytes | None:
    """Read a body up to a limit; None when it is larger. One that is cut off is no body that anybody has signed."""
    chunks, size = [], 0
    with suppress(ClientDisconnect):
        async for chunk in request.stream():
            size += len(chunk)
            if size > bytes_max:
                return None
            chunks.append(chunk)
    return b"".join(chunks)


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the limits that it lacks.

    Whoever sends nothing, or a byte now and then, is closed after a time. Where all connections are taken, the one that
    has kept us waiting longest makes room: its head or body is not complete, or it has asked for nothing further.
    """

    def __init__(self, *args: Any, known: Connections, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._known = known
        self._limits = known.limits
        self._deadline: asyncio.TimerHandle | None = None
        self._is_in_head = True
        self._head_bytes = 0
        self._completed = 0
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, in place of another one when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections and self._known.waiting:
            next(iter(self._known.waiting)).give_up("evicted")
        self._wait_at_most(self._limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first ones of a request start its clock."""
        if self._deadline is None and not self._is_answering:
            self._wait_at_most(self._limits.head_seconds)
        completed = self._completed
        if self._is_refused:
            return
        super().data_received(data)
        # Bytes that completed a request were its own; what may follow them in the same packet is not worth counting.
        if self._is_in_head and self._completed == completed and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes:
                self._known.closed["head_too_large"] += 1
                self._is_refused = True
                self._refuse(self._too_long() or _HEAD_TOO_LONG)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there, however few packets it came in: the body has its own time."""
        if self._is_refused:
            # What follows a refused request in its packet is parsed to its end, and nobody's to answer.
            return
        self._is_in_head = False
        if refusal := self._too_long():
            self._known.closed["head_too_large"] += 1
            self._is_refused = True
            self._refuse(refusal)
            return
        self._wait_at_most(self._limits.body_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body; what was refused by its head has none."""
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """All of the request is there: what it takes from now on is ours."""
        if self._is_refused:
            return
        self._wait_no_more()
        # Until the next request begins, whatever comes counts as its head.
        self._is_in_head, self._head_bytes = True, 0
        self._completed += 1
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The request is answered: an idle connection may make room for others."""
        super().on_response_complete()
        if not self.transport.is_closing() and self._deadline is None:
            self._known.waiting[self] = None

    def give_up(self, reason: str) -> None:
        """Close the connection, with a word to a client whose request is not complete."""
        self._known.closed[reason] += 1
        if self._is_answering:
            # The application waits for the rest of a body, and learns that it will not come.
            self.transport.close()
        else:
            self._refuse(b"408 Request Timeout")

    @property
    def _is_answering(self) -> bool:
        """Whether a request's head is there and its answer is not."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _too_long(self) -> bytes:
        """Return how a head that is too long so far is refused, before anything looks at it; else nothing."""
        # Empty lines before a request begin none: there is no address yet.
        url = cast("bytes | None", self.url) or b""
        if len(url) > self._limits.address_bytes:
            return _ADDRESS_TOO_LONG
        head = len(url) + sum(len(name) + len(value) for name, value in self.headers or ())
        return _HEAD_TOO_LONG if head > self._limits.head_bytes else b""

    def _refuse(self, status: bytes) -> None:
        self._wait_no_more()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status)
            self.transport.close()

    def _wait_at_most(self, seconds: float) -> None:
        self._wait_no_more()
        self._deadline = self.loop.call_later(seconds, self.give_up, "too_slow")
        self._known.waiting[self] = None

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._known.waiting.pop(self, None)
