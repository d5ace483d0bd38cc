"""How much the public links may ask of the receiver: bounded for each client and in all, so that no flood silences it.

The gateway's events come in at the same process. What links ask for is refused before the database sees it once a
client, or all of them, ask for more than any payer does; and never more than a few of its connections are theirs.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_BUSY = PlainTextResponse("Please come back in a minute.", status_code=429, headers={"retry-after": "60"})
# Whoever has one IPv6 address has all of its network.
_NETWORK_BITS = 64


@dataclass(frozen=True)
class LinkLimits:
    """What is granted: so many requests at once, and then so many a second; `clients` are remembered at most.

    `at_once`: as many are answered at a time. `lookups`: as many of them have a connection of the database.
    """

    client_burst: float = 60.0
    client_per_second: float = 5.0
    all_burst: float = 400.0
    all_per_second: float = 100.0
    clients: int = 4096
    at_once: int = 64
    lookups: int = 4


class TokenBucket:
    """A budget of requests that fills up by the second."""

    def __init__(self, burst: float, per_second: float, now: float) -> None:
        self._burst, self._per_second = burst, per_second
        self._left, self._at = burst, now

    def takes(self, now: float) -> bool:
        """Take one request, unless the budget is used up."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class BoundedLinks:
    """The gate before all links of one receiver. Counts what it turns away as `link_refused`."""

    def __init__(
        self, counts: Counter[str], limits: LinkLimits | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._limits = limits or LinkLimits()
        self._counts = counts
        self._clock = clock
        self._all = TokenBucket(self._limits.all_burst, self._limits.all_per_second, clock())
        self._clients: OrderedDict[str, TokenBucket] = OrderedDict()
        self._under_way = 0
        self.lookups = asyncio.Semaphore(self._limits.lookups)

    def gated(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Return an endpoint that answers 429 instead once too much is asked for."""

        async def endpoint(request: Request) -> Response:
            if self._under_way >= self._limits.at_once or not self.may_ask(request):
                self._counts["link_refused"] += 1
                return _BUSY
            self._under_way += 1
            try:
                return await answer(request)
            finally:
                self._under_way -= 1

        return endpoint

    @property
    def remembered(self) -> int:
        """Return how many clients have a budget of their own."""
        return len(self._clients)

    def may_ask(self, request: Request) -> bool:
        """Take one request from the budgets of a client and of all, or say no."""
        now, client = self._clock(), client_of(request)
        bucket = self._clients.pop(client, None)
        if bucket is None:
            bucket = TokenBucket(self._limits.client_burst, self._limits.client_per_second, now)
        self._clients[client] = bucket
        if len(self._clients) > self._limits.clients:
            # Of those who are forgotten, all together are held to their limit still.
            self._clients.popitem(last=False)
        # Who asks too much alone does not use up what is everybody's.
        return bucket.takes(now) and self._all.takes(now)


def client_of(request: Request) -> str:
    """Return who asks: the address, of IPv6 its network; behind a proxy that is trusted, what that says it is."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    is_network = isinstance(address, IPv6Address)
    return str(ip_network((address, _NETWORK_BITS), strict=False)) if is_network else host
