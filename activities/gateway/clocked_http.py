"""The SDK's HTTP client, which also reads what time it is at the gateway: every answer says so."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import stripe

from activities.gateway.clocks import ObservedClock, elapsed


class ClockedHttp(stripe.AIOHTTPClient):
    """Takes the `Date` of every answer, whatever else it says."""

    def __init__(self, clock: ObservedClock, timeout: aiohttp.ClientTimeout) -> None:
        super().__init__(timeout=timeout)
        self._clock = clock

    async def request_stream_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[Any, int, Mapping[str, str]]:
        """Send a request and return body, status and headers of the answer; the body is not read yet."""
        sent = elapsed()
        content, status, answered = await super().request_stream_async(method, url, headers, post_data)
        self._clock.note_date(answered, sent=sent, received=elapsed())
        return content, status, answered
