"""The SDK's HTTP client: it reads what time it is at the gateway, and while sending is held it only reads."""

import json
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
import stripe
from opentelemetry.trace import SpanKind, get_tracer

from activities.gateway.clocks import ObservedClock, elapsed, require_in_time
from models.gateway.errors import UNREADABLE

# What takes a possibility away may always be sent: it moves no money, and a recovery needs it.
_ALWAYS = ("/expire", "/cancel")
# Opening a connection takes this long at most. Waiting for a free one is no part of it: there is no limit, for whoever
# calls is limited already, by the rate and the worker's slots.
CONNECT_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 60.0
# What Stripe refuses so did not happen, so it must be Stripe that refuses: a firewall has the same numbers.
_REFUSED = frozenset({400, 402, 404, 409})

# Where nobody traces, its spans are nothing.
_TRACER = get_tracer("duly.gateway")
_ID = re.compile(r"/[a-z]+_(?=\w*[A-Z0-9])\w+")


@cache
def _trusting_stripe() -> ssl.SSLContext:
    """Read the SDK's certificate authorities once a process."""
    return ssl.create_default_context(cafile=stripe.ca_bundle_path)


class ClockedHttp(stripe.AIOHTTPClient):
    """Takes the `Date` of every answer, whatever else it says. `require_open` refuses what must not be sent now.

    What was begun too long ago (`sent_within`) is not sent either.
    """

    def __init__(self, clock: ObservedClock, *, timeout_seconds: float) -> None:
        super().__init__(
            timeout=aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(CONNECT_SECONDS, timeout_seconds))
        )
        self._clock = clock
        self.require_open: Callable[[], Awaitable[None]] | None = None

    @property
    def _session(self) -> aiohttp.ClientSession:
        """The session of the SDK, on a connector of ours; made with the first call, for it belongs to a loop."""
        if self._user_connector is None or self._user_connector.closed:
            self._user_connector = aiohttp.TCPConnector(
                limit=0,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
                ssl=_trusting_stripe(),
            )
        return cast("aiohttp.ClientSession", super()._session)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send a request and return its answer. Raises stripe.APIConnectionError where that is nothing of Stripe's."""
        content, status, answered = await super().request_async(method, url, headers, post_data)
        # Whatever Stripe says is an object. A proxy may say `null`, which reads as if nothing were there.
        is_stripes = _has_error_type(content) if status in _REFUSED else content.lstrip().startswith(b"{")
        if not is_stripes:
            error = f"an answer with status {status} is nothing of Stripe's"
            raise stripe.APIConnectionError(error, code=UNREADABLE)  # type: ignore[no-untyped-call]
        return content, status, answered

    def _get_request_args_kwargs(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any
    ) -> tuple[Any, dict[str, Any]]:
        # Stripe leads nowhere else. Who does would be sent what is for Stripe alone, up to ten times.
        args, kwargs = super()._get_request_args_kwargs(method, url, headers, post_data)
        return args, {**kwargs, "allow_redirects": False}

    async def request_stream_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[Any, int, Mapping[str, str]]:
        """Send a request and return body, status and headers of the answer; the body is not read yet."""
        changes = method.lower() != "get" and not url.endswith(_ALWAYS)
        if changes and self.require_open:
            await self.require_open()
        with _TRACER.start_as_current_span(span_name(method, url), kind=SpanKind.CLIENT) as span:
            if changes:
                # The last thing before the connection's own time-outs, which go by a clock that nobody sets.
                require_in_time()
            sent = elapsed()
            content, status, answered = await super().request_stream_async(method, url, headers, post_data)
            self._clock.note_date(answered, sent=sent, received=elapsed())
            span.set_attribute("http.response.status_code", status)
            span.set_attribute("stripe.request_id", answered.get("Request-Id", ""))
            return content, status, answered


def _has_error_type(content: bytes) -> bool:
    """Say whether an answer has an error of Stripe's form: every one names its type."""
    try:
        answer = json.loads(content)
    except ValueError:
        return False
    error = answer.get("error") if isinstance(answer, dict) else None
    return isinstance(error, dict) and isinstance(error.get("type"), str)


def span_name(method: str, url: str) -> str:
    """Return what is asked of the gateway, without the ids that it is asked about."""
    return f"Stripe {method.upper()} {_ID.sub('/{id}', urlsplit(url).path)}"
