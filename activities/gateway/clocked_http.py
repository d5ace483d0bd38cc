"""The SDK's HTTP client: it reads what time it is at the gateway, and while sending is held it only reads."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import stripe

from activities.gateway.clocks import ObservedClock, elapsed

# What takes a possibility away may always be sent: it moves no money, and a recovery needs it.
_ALWAYS = ("/expire", "/cancel")


class ClockedHttp(stripe.AIOHTTPClient):
    """Takes the `Date` of every answer, whatever else it says. `require_open` refuses what must not be sent now."""

    def __init__(self, clock: ObservedClock, timeout: aiohttp.ClientTimeout) -> None:
        super().__init__(timeout=timeout)
        self._clock = clock
        self.require_open: Callable[[], Awaitable[None]] | None = None

    async def request_stream_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[Any, int, Mapping[str, str]]:
        """Send a request and return body, status and headers of the answer; the body is not read yet."""
        if self.require_open and method.lower() != "get" and not url.endswith(_ALWAYS):
            await self.require_open()
        sent = elapsed()
        content, status, answered = await super().request_stream_async(method, url, headers, post_data)
        self._clock.note_date(answered, sent=sent, received=elapsed())
        return content, status, answered
