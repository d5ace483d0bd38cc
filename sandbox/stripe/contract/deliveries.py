"""Receives webhooks on this machine for as long as a run lasts, and keeps them as they came."""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST_BODY = 1_000_000


@dataclass(frozen=True)
class Delivery:
    """A webhook as it arrived: its bytes and its signature."""

    body: bytes
    signature: str


@dataclass
class Deliveries:
    """What has arrived; `url` is the address under which the gateway reaches it."""

    url: str
    _arrived: "queue.Queue[Delivery]" = field(default_factory=queue.Queue)

    def take(self, delivery: Delivery) -> None:
        """Keep one."""
        self._arrived.put(delivery)

    def naming(self, text: str, seconds: float) -> Delivery | None:
        """The first that names this, or None when none has come by then."""
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0:
            try:
                found = self._arrived.get(timeout=left)
            except queue.Empty:
                return None
            if text.encode() in found.body:
                return found
        return None


@contextmanager
def receiving(port: int, url: str = "") -> Iterator[Deliveries]:
    """A receiver on a loopback port, 0 for a free one. Where `url` is given, somebody forwards it to that port."""
    kept = Deliveries(url)

    class Handler(BaseHTTPRequestHandler):
        """Answers every webhook with 200."""

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), LONGEST_BODY)
            kept.take(Delivery(self.rfile.read(length), self.headers.get("Stripe-Signature", "")))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Says nothing: the report says what came."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    kept.url = url or f"http://127.0.0.1:{server.server_port}/webhook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
