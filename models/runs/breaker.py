"""The circuit breaker of a run: when the gateway answers nobody, further calls only make more unknown outcomes."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

# Twenty payments in a row without an answer, each tried six times, are no accident: at a failure rate of 1 % a try that
# happens once in 10^240. A run with a smaller window opens after one window, but not for fewer than five.
IN_A_ROW = 20
IN_A_ROW_LEAST = 5

# A gateway that answers every other payment is down as well: each of its unknowns becomes a collection of its own.
# Answers older than a minute say nothing about now.
SAMPLE = 40
UNANSWERED_OF_SAMPLE = 20
SAMPLE_AGE = timedelta(minutes=1)

# The pause before each probe is a twentieth of how long the breaker is open: an outage costs its own time and that much
# more at the most. A hiccup costs half a minute, an outage of a day two hundred probes.
PAUSE_LEAST, PAUSE_MOST = timedelta(seconds=30), timedelta(minutes=10)
PAUSE_PART = 20


@dataclass(frozen=True)
class RecordedCall:
    """Whether the gateway answered one payment, and when we knew."""

    at: datetime
    is_answered: bool


@dataclass(frozen=True)
class BreakerState:
    """What of a breaker must survive a continue-as-new. Nothing, as long as the gateway answers."""

    in_a_row: int = 0
    recent: tuple[RecordedCall, ...] = ()
    opened_at: datetime | None = None
    probed_at: datetime | None = None
    probes: int = 0


class Breaker:
    """Records what became of payments, and says whether another may start.

    Closed, all may. Each payment without an answer takes a slot out of the window until somebody gets one. Open, one
    payment probes whether the gateway is back, after pauses that grow; the first answer closes it.
    """

    def __init__(self, state: BreakerState, *, window: int) -> None:
        self._window = window
        self._in_a_row = state.in_a_row
        self._recent = deque(state.recent, maxlen=SAMPLE)
        self._opened_at = state.opened_at
        self._probed_at = state.probed_at
        self._probes = state.probes

    @property
    def opened_at(self) -> datetime | None:
        """Since when it has been open; None while it is closed."""
        return self._opened_at

    @property
    def in_a_row(self) -> int:
        """How many payments in a row got no answer: so many places of the window stay empty."""
        return self._in_a_row

    @property
    def slots(self) -> int:
        """How many payments may be at the gateway at once."""
        return max(1, self._window - self._in_a_row)

    @property
    def probe_at(self) -> datetime:
        """When an open breaker probes next."""
        assert self._opened_at is not None  # noqa: S101
        assert self._probed_at is not None  # noqa: S101
        open_for = self._probed_at - self._opened_at
        return self._probed_at + min(PAUSE_MOST, max(PAUSE_LEAST, open_for / PAUSE_PART))

    @property
    def state(self) -> BreakerState:
        """What the next execution must know."""
        is_well = all(call.is_answered for call in self._recent)
        return BreakerState(
            in_a_row=self._in_a_row,
            recent=() if is_well else tuple(self._recent),
            opened_at=self._opened_at,
            probed_at=self._probed_at,
            probes=self._probes,
        )

    def record_answer(self, *, is_answered: bool, at: datetime) -> bool:
        """Record what became of a payment; True when this opens the breaker. An open one waits for its own probe."""
        if self._opened_at is not None:
            return False
        self._in_a_row = 0 if is_answered else self._in_a_row + 1
        self._recent.append(RecordedCall(at, is_answered))
        if is_answered or not self._is_down(at):
            return False
        self._opened_at = self._probed_at = at
        self._probes = 0
        return True

    def probe_finished(self, *, is_answered: bool, at: datetime) -> None:
        """Record what a probe came to: an answer closes the breaker, silence makes the pause longer."""
        if is_answered:
            self._opened_at = self._probed_at = None
            self._in_a_row = self._probes = 0
            self._recent.clear()
            return
        self._probed_at = at
        self._probes += 1

    def _is_down(self, at: datetime) -> bool:
        if self._in_a_row >= min(IN_A_ROW, max(self._window, IN_A_ROW_LEAST)):
            return True
        fresh = (call for call in self._recent if at - call.at <= SAMPLE_AGE)
        return sum(not call.is_answered for call in fresh) >= UNANSWERED_OF_SAMPLE
