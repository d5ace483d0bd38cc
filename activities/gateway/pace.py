"""The pace of one process's calls that change something: evenly, and slower while the gateway refuses them (AIMD)."""

import asyncio
import time
from collections import deque
from contextlib import AbstractAsyncContextManager
from types import TracebackType

import structlog

from models.gateway.errors import NOT_SENT_IN_TIME, GatewayBusyError, GatewayHeldError

log = structlog.get_logger(__name__)

# Whoever waits for a turn gets it on entering; what the call came to is seen on leaving.
Pace = AbstractAsyncContextManager[None]

# A loop that was busy makes up for so much lost time, and no more: that is how many calls may leave at once.
BURST_SECONDS = 0.1

# After a refusal it sends nine tenths of what the gateway took lately, and half of what it sent at the least: what was
# taken says how much is left when another system uses the same account.
FALL = 0.9
HALF = 0.5

# Refusals within a second are one, and what was taken is counted over two seconds.
FALL_SECONDS = 1.0
SAMPLE_SECONDS = 2.0
SAMPLE_SECONDS_LEAST = 0.5

# It recovers by so much of the full rate a second, from half of it in 25 s, and never falls below as much.
GROWTH = 0.02
LEAST = 0.02


class SendingRate:
    """A rate in calls a second, at most what is set. Moments are seconds of one clock that never goes back."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._rate = most
        self._fell_at = 0.0
        self._is_full = True
        self._sent: deque[float] = deque()
        self._refused: deque[float] = deque()

    def rate(self, now: float) -> float:
        """Return the rate now; it grows by itself, back to what is set."""
        if self._is_full:
            return self._most
        grown = self._rate + self._most * GROWTH * (now - self._fell_at)
        self._is_full = grown >= self._most
        return min(self._most, grown)

    def send(self, now: float) -> None:
        """Take note of a call that is made."""
        self._sent.append(now)
        _forget(self._sent, now)

    def take_back(self) -> None:
        """Take note that the call that was noted last was not made: the gateway has not taken it."""
        if self._sent:
            self._sent.pop()

    def refuse(self, now: float) -> bool:
        """Take note that a call was refused; True when the rate has fallen for it."""
        self._refused.append(now)
        rate = self.rate(now)
        if not self._is_full and now - self._fell_at < FALL_SECONDS:
            return False
        self._rate = max(LEAST * self._most, HALF * rate, min(rate, FALL * self._taken(now)))
        self._fell_at = now
        self._is_full = False
        return True

    def _taken(self, now: float) -> float:
        """Return how many calls a second were not refused: a refusal comes at once, whatever an answer takes."""
        _forget(self._sent, now)
        _forget(self._refused, now)
        if not self._sent:
            return 0.0
        return max(0, len(self._sent) - len(self._refused)) / max(SAMPLE_SECONDS_LEAST, now - self._sent[0])


class GatewayPace(Pace):
    """Gives turns one after another at a rate that falls with every 429 and recovers by itself."""

    def __init__(self, calls_per_second: float) -> None:
        self._rate = SendingRate(calls_per_second)
        self._turn = asyncio.Lock()
        self._next_at = 0.0

    @property
    def calls_per_second(self) -> float:
        """The rate now."""
        return self._rate.rate(time.monotonic())

    async def __aenter__(self) -> None:
        async with self._turn:
            if (wait := self._next_at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            now = time.monotonic()
            self._rate.send(now)
            self._next_at = max(self._next_at, now - BURST_SECONDS) + 1 / self._rate.rate(now)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, trace
        now = time.monotonic()
        if _was_not_sent(error):
            # While sending is held, calls come back again and again: what is released must not stand behind them. Nor
            # may those that are too late to be sent slow down the others, who would be too late for it as well.
            self._rate.take_back()
            self._next_at -= 1 / self._rate.rate(now)
        elif isinstance(error, GatewayBusyError) and error.is_too_fast and self._rate.refuse(now):
            log.warning("gateway_too_fast", code=error.code, calls_per_second=round(self._rate.rate(now), 1))


def _was_not_sent(error: BaseException | None) -> bool:
    is_too_late = isinstance(error, GatewayBusyError) and error.code == NOT_SENT_IN_TIME
    return is_too_late or isinstance(error, GatewayHeldError)


def _forget(moments: deque[float], now: float) -> None:
    while moments and now - moments[0] > SAMPLE_SECONDS:
        moments.popleft()
