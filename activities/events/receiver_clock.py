"""The receiver's idea of the time: the gateway's own, so that a wrong clock here turns no event away."""

import asyncio
import time
from contextlib import suppress

import structlog

from activities.gateway.clocks import GatewayWithClock
from models.gateway.clocks import ClockVerdict
from models.gateway.errors import GatewayError

log = structlog.get_logger(__name__)

# How often the gateway may be asked for its time because a signature looks too old.
RECHECK_SECONDS = 60.0

# Nobody knows what time it is at the gateway: it has not answered yet.
UNKNOWN = "unknown"


class ReceiverClock:
    """Says how old a signature is by the clock of whoever signed it, and whether ours can be trusted."""

    def __init__(self, gateway: GatewayWithClock) -> None:
        self._gateway = gateway
        self._checking = asyncio.Lock()
        self._checked_at = float("-inf")

    def now(self) -> float:
        """Return the gateway's time in Unix seconds; ours, while the gateway's is not known."""
        earliest = self._gateway.clock.earliest_now
        return earliest.timestamp() if earliest else time.time()

    @property
    def verdict(self) -> str:
        """Say whether our clock agrees with the gateway's."""
        offset = self._gateway.clock.offset()
        return offset.verdict if offset else UNKNOWN

    @property
    def ahead_seconds(self) -> int:
        """How far our clock is ahead of the gateway's, as far as that is certain; negative when behind."""
        offset = self._gateway.clock.offset()
        return -offset.seconds if offset else 0

    async def check(self) -> None:
        """Ask the gateway for its time, and say in the log when ours is another. Any answer will do, a refusal too."""
        with suppress(GatewayError):
            await self._gateway.verify()
        self._checked_at = time.monotonic()
        if self.verdict not in {ClockVerdict.AGREE, UNKNOWN}:
            log.warning("receiver_clock_off", verdict=self.verdict, ahead_seconds=self.ahead_seconds)

    async def check_again(self) -> None:
        """Ask again because something looks too old, at most once a minute however many ask."""
        async with self._checking:
            if time.monotonic() - self._checked_at >= RECHECK_SECONDS:
                await self.check()
