"""The clocks of gateway, database and process, compared before anything is sent.

What is sent to a gateway is safe to repeat for a day, and what it does not list is absent after minutes. Both are
measured by clocks.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.database import Database
from models.gateway.clocks import CLOCKS_DIFFER, ClockComparison, ClockOffset, ClockReading, ClockVerdict
from models.gateway.errors import NOT_SENT_IN_TIME, GatewayBusyError, GatewayError
from models.moment import YEARS

log = structlog.get_logger(__name__)

# The `Date` of HTTP has whole seconds.
DATE_STEP = timedelta(seconds=1)

# A reading older than this gives way to any newer one; the database, which says so only when asked, is asked again.
LIFETIME = timedelta(minutes=1)

# Somebody has to set a clock right: there is no hurry to ask again.
RETRY_AFTER = timedelta(minutes=1)

# One line a minute says that clocks are apart, however many payments are refused for it.
LOG_EVERY = timedelta(minutes=1)

GATEWAY, DATABASE, THIS_MACHINE = "the gateway", "the database", "this machine"

_LONG_AGO = timedelta(days=-1)


def elapsed() -> timedelta:
    """Return the time since some moment, by a clock that nobody sets."""
    return timedelta(seconds=time.monotonic())


class ObservedClock:
    """A clock elsewhere, by what it last said and the time that has passed since: nobody's setting moves that."""

    def __init__(self) -> None:
        self._reading: ClockReading | None = None

    def note(self, least: datetime, most: datetime, *, sent: timedelta, received: timedelta) -> None:
        """Take what the clock said to a question between two moments of `elapsed`."""
        reading = ClockReading(least, most, sent, received)
        if self._reading is None or self._reading.is_superseded_by(reading, lifetime=LIFETIME):
            self._reading = reading

    def note_date(self, headers: Mapping[str, str], *, sent: timedelta, received: timedelta) -> None:
        """Take the `Date` of an answer, if it has one that can be reckoned with; whatever it is, nothing is raised."""
        try:
            read_at = parsedate_to_datetime(headers.get("Date", ""))
        except (TypeError, ValueError, OverflowError, IndexError):
            return
        if read_at.tzinfo is not None and read_at.year in YEARS:
            self.note(read_at, read_at + DATE_STEP, sent=sent, received=received)

    @property
    def is_known(self) -> bool:
        """Whether it has ever been read."""
        return self._reading is not None

    @property
    def is_fresh(self) -> bool:
        """Whether it was read lately."""
        return self._reading is not None and elapsed() - self._reading.received <= LIFETIME

    @property
    def earliest_now(self) -> datetime | None:
        """The earliest moment that it may show now; None before the first reading."""
        return self._reading.at(elapsed())[0] if self._reading else None

    @property
    def latest_now(self) -> datetime | None:
        """The latest moment that it may show now; None before the first reading."""
        return self._reading.at(elapsed())[1] if self._reading else None

    def offset(self) -> ClockOffset | None:
        """Return how far it is ahead of this machine's clock; None before the first reading."""
        return self._reading.offset(moment=elapsed(), ours=datetime.now(UTC)) if self._reading else None


@dataclass(frozen=True)
class SendingLimit:
    """How long from now something may be sent, by the clock that goes further: one stands still while a machine does.

    A process that stood still (frozen, a paused machine) would else send what another worker has looked for meanwhile,
    or under a key that the gateway has forgotten.
    """

    within: timedelta
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    since_elapsed: timedelta = field(default_factory=elapsed)

    @property
    def is_over(self) -> bool:
        """Whether it is too late."""
        return max(datetime.now(UTC) - self.since, elapsed() - self.since_elapsed) > self.within


_LIMITS: ContextVar[tuple[SendingLimit, ...]] = ContextVar("sending_limits", default=())


@contextmanager
def sent_within(limit: SendingLimit) -> Iterator[None]:
    """Let nothing be sent within this block once a limit is over: the last look at it is that before the writing."""
    token = _LIMITS.set((*_LIMITS.get(), limit))
    try:
        yield
    finally:
        _LIMITS.reset(token)


def require_in_time() -> None:
    """Raise GatewayBusyError (not_sent_in_time) when what is about to be sent was begun too long ago."""
    if any(limit.is_over for limit in _LIMITS.get()):
        raise GatewayBusyError(NOT_SENT_IN_TIME, retry_after_seconds=1.0)


class GatewayWithClock(Protocol):
    """A gateway whose answers say what time it is there."""

    clock: ObservedClock

    async def verify(self) -> None:
        """Make sure that the gateway is there and takes our key."""
        ...


class GatewayClocksDifferError(ApplicationError):
    """Nothing was written and nothing was sent, because clocks are too far apart; the same call may be repeated."""

    def __init__(self, comparison: ClockComparison) -> None:
        super().__init__(
            str(comparison),
            type=CLOCKS_DIFFER,
            next_retry_delay=RETRY_AFTER,
        )


class Clocks:
    """The clocks of one gateway, of the database and of this machine. Whatever is sent is opened through them."""

    def __init__(self, database: Database, gateway: GatewayWithClock) -> None:
        self._database = database
        self._gateway = gateway
        self._database_clock = ObservedClock()
        self._measuring = asyncio.Lock()
        self._measured_at = self._logged_at = _LONG_AGO

    @property
    def gateway(self) -> ObservedClock:
        """The gateway's own clock."""
        return self._gateway.clock

    async def open(self, function: str, **arguments: Any) -> Any:
        """Write an attempt down by a function of the database, or read it as an earlier call left it.

        While clocks are too far apart nothing new is written, and what is there is read to be looked for and not to be
        sent. Raises GatewayClocksDifferError when there is nothing: then nothing was written and nothing sent.
        """
        comparison = await self.compare()
        may_send = comparison.verdict is not ClockVerdict.TOO_FAR
        opened = await self._database.call(function, **arguments, may_send=may_send)
        if opened is None:
            raise GatewayClocksDifferError(comparison)
        return opened

    async def are_close(self) -> bool:
        """Say whether the clocks are close enough for something new to be sent, and for absence to be proof."""
        return (await self.compare()).verdict is not ClockVerdict.TOO_FAR

    async def compare(self) -> ClockComparison:
        """Compare the clocks before something is sent. Raises DatabaseUnavailableError.

        Every answer of the gateway is a reading, and so is a question to the database once a minute; only clocks that
        seem to be wrong are asked again at once.
        """
        if not self._gateway.clock.is_known:
            await self._measure()
        if not self._database_clock.is_fresh:
            await self._refresh()
        comparison = self.comparison()
        if comparison.verdict is ClockVerdict.TOO_FAR:
            await self._measure()
            comparison = self.comparison()
        self._log(comparison)
        return comparison

    async def measure(self) -> ClockComparison:
        """Ask gateway and database for their time, and compare. Raises GatewayError and DatabaseUnavailableError."""
        await self._gateway.verify()
        await self._read_database()
        comparison = self.comparison()
        self._log(comparison)
        return comparison

    def comparison(self) -> ClockComparison:
        """Compare the clocks as they were last read."""
        gateway, database = self._gateway.clock.offset(), self._database_clock.offset()
        offsets = {}
        if gateway is not None:
            offsets[GATEWAY, THIS_MACHINE] = gateway
        if database is not None:
            offsets[DATABASE, THIS_MACHINE] = database
        if gateway is not None and database is not None:
            offsets[DATABASE, GATEWAY] = database.minus(gateway)
        return ClockComparison(offsets)

    async def _refresh(self) -> None:
        """Read the database's clock, once for everybody who waits for it."""
        async with self._measuring:
            if not self._database_clock.is_fresh:
                await self._read_database()

    async def _measure(self) -> None:
        """Read both clocks, once for everybody who waits for it."""
        asked_at = elapsed()
        async with self._measuring:
            if self._measured_at >= asked_at:
                return
            await self._read_database()
            with suppress(GatewayError):
                # One that is away sends no reading, and takes no payment either.
                await self._gateway.verify()
            self._measured_at = elapsed()

    async def _read_database(self) -> None:
        sent = elapsed()
        rows = await self._database.rows("select clock_timestamp() as now")
        self._database_clock.note(rows[0].now, rows[0].now, sent=sent, received=elapsed())

    def _log(self, comparison: ClockComparison) -> None:
        if comparison.verdict is ClockVerdict.AGREE or elapsed() < self._logged_at + LOG_EVERY:
            return
        self._logged_at = elapsed()
        report = log.error if comparison.verdict is ClockVerdict.TOO_FAR else log.warning
        report("clocks_differ", verdict=comparison.verdict, reason=str(comparison), culprit=comparison.culprit)


class SendingLimits(Interceptor):
    """Lets nothing be sent for an activity after its time-out: another try may be under way since then.

    Temporal's time-outs end no code. What stood still (a frozen process, a paused machine) goes on where it was.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap a worker's activities."""
        return _InTime(next)


class _InTime(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        timeout = activity.info().start_to_close_timeout
        if timeout is None:
            return await super().execute_activity(input)
        with sent_within(SendingLimit(timeout)):
            return await super().execute_activity(input)
