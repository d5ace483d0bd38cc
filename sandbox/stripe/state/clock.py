"""The sandbox's time: real time plus an offset that tests push forward, and the work that is due at a time."""

import heapq
import time
from collections.abc import Callable


class Clock:
    """Unix seconds. It only goes forward, as Stripe's test clocks do, so every list by `created` stays in order."""

    def __init__(self) -> None:
        self._offset_seconds = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._ordered = 0

    def now(self) -> int:
        return int(self.exactly())

    def exactly(self) -> float:
        return time.time() + self._offset_seconds

    def advance(self, seconds: float) -> None:
        """Moves the time and does what became due meanwhile."""
        if seconds < 0:
            raise ValueError("the clock only goes forward: seconds must not be negative")
        self._offset_seconds += seconds
        self.run_due()

    def set(self, at: float) -> None:
        self.advance(at - self.exactly())

    def begin_again(self) -> None:
        """Goes back to the real time, for a sandbox without anything in it."""
        self._offset_seconds = 0.0
        self.forget_due()

    def after(self, seconds: float, work: Callable[[], object]) -> None:
        """Does the work `seconds` from now by this clock; with 0 it is done before the next request is answered."""
        self._ordered += 1
        heapq.heappush(self._due, (self.exactly() + seconds, self._ordered, work))

    def run_due(self) -> None:
        while self._due and self._due[0][0] <= self.exactly():
            heapq.heappop(self._due)[2]()

    def forget_due(self) -> None:
        self._due.clear()
