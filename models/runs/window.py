"""How many payments a shard keeps at the gateway: what is under way, and how much of it the latency calls for."""

import math
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from models.runs.process_run import DueMember

# So many are under way at least: enough for a gateway that answers at once, and little to lose when it stops answering.
FLOOR = 40

# Little's law over the answers of the last seconds: their time at the gateway, spread over these seconds, is how many
# were there at once. Twice that lets one shard fill the rate alone while another continues as new.
SAMPLE = timedelta(seconds=5)
FACTOR = 2

# A slower answer says more about itself than about the gateway.
COUNTED_AT_MOST = timedelta(seconds=8)

# An execution has no answers of its own yet: for so long the size of the one before counts.
CARRIED_FOR = timedelta(seconds=2)

# A shard keeps so many under way at most: at 50 payments a second that is a mean latency of six seconds. Each costs
# the gateway's worker a call in flight, and the shard's history a pending activity, of which Temporal allows 2,000.
WINDOW_MOST = 300

# A shard begins so many payments a second without effort: its task takes in the answers of a fifth of a second. More
# shards share the answers, and each is woken for fewer: 64 cost twice the CPU of four for the same payments. Fewer put
# more writes on one history shard of Temporal's, which does them one after another: two and a half for each payment.
PER_SHARD = 50
SHARDS_LEAST, SHARDS_MOST = 2, 64

# A payment that is under way for longer holds no place, as long as no more than a quarter of the window is set aside.
SET_ASIDE_AFTER = timedelta(seconds=8)
SET_ASIDE_PART = 4


def shards_for(calls_per_second: int) -> int:
    """Return how many shards a run has at a rate of gateway calls: while one closes, another goes on."""
    return min(SHARDS_MOST, max(SHARDS_LEAST, math.ceil(calls_per_second / PER_SHARD)))


def first_part_of(shard: int) -> Fraction:
    """Return the part of a history's length after which a shard's first execution closes; later ones are whole.

    1, 1/2, 1/4, 3/4, 1/8, 5/8: however many shards there are, they continue as new one after the other, and while one
    waits for its last payments the others fill the rate.
    """
    part, step = Fraction(0), Fraction(1, 2)
    while shard:
        part += step * (shard % 2)
        shard //= 2
        step /= 2
    return part or Fraction(1)


class PaymentWindow:
    """The size of a shard's window, at most the run definition's."""

    def __init__(self, *, most: int, carried: int, now: datetime) -> None:
        self._most = most
        self._carried = carried
        self._began = now
        self._answers: deque[tuple[datetime, timedelta]] = deque()

    def note_answer(self, took: timedelta, *, at: datetime) -> None:
        """Take note of how long the gateway took; nothing is learned from a result that does not say it."""
        if took > timedelta(0):
            self._answers.append((at, min(took, COUNTED_AT_MOST)))

    def size(self, now: datetime) -> int:
        """Return how many may be under way now. Silence shrinks it to its floor."""
        while self._answers and now - self._answers[0][0] > SAMPLE:
            self._answers.popleft()
        at_once = sum((took for _, took in self._answers), timedelta(0)) / SAMPLE
        wanted = FLOOR + int(FACTOR * at_once)
        if now - self._began < CARRIED_FOR:
            wanted = max(wanted, self._carried)
        return min(self._most, wanted)


@dataclass(frozen=True)
class BegunPayment:
    """A member that was begun, and when."""

    due: DueMember
    at: datetime


class PaymentsUnderWay:
    """The members that were begun and have not settled, the longest first."""

    def __init__(self) -> None:
        self._begun: dict[str, BegunPayment] = {}

    def __len__(self) -> int:
        return len(self._begun)

    @property
    def members(self) -> tuple[DueMember, ...]:
        """Who they are: the next execution begins with them."""
        return tuple(begun.due for begun in self._begun.values())

    def begin(self, due: DueMember, *, at: datetime) -> None:
        """Count one in."""
        self._begun[due.account_id] = BegunPayment(due, at)

    def end(self, due: DueMember) -> None:
        """Count one out."""
        del self._begun[due.account_id]

    def set_aside(self, now: datetime, *, window: int) -> int:
        """Return how many hold no place of the window, because they take long."""
        most = window // SET_ASIDE_PART
        count = 0
        for begun in self._begun.values():
            if count >= most or now - begun.at <= SET_ASIDE_AFTER:
                break
            count += 1
        return count

    def holding(self, now: datetime, *, window: int) -> int:
        """Return how many hold a place of the window."""
        return len(self._begun) - self.set_aside(now, window=window)
