"""How far a run has come, from its totals: members, money by currency, rate, and how long the rest takes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from models.runs.run_control import Pace

# A shorter stretch says more about pages of members than about the run.
_MEASURED_FOR = timedelta(seconds=15)
_MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class RunMoney:
    """Money of a run in one currency, in minor units: what its members come to, and what has been settled of it."""

    currency: str
    amount_minor: int
    settled_minor: int


@dataclass(frozen=True)
class RunFigures:
    """What a run has come to at a moment. `rate` is members a minute, since its start until it is measured lately.

    Members in dunning are done: the run has asked for them, and their collections go on without it.
    """

    members: int
    done: int
    money: tuple[RunMoney, ...]
    rate: int

    @property
    def to_do(self) -> int:
        """Members that nothing has been asked for yet."""
        return self.members - self.done

    @property
    def percent(self) -> int:
        """The part of the members that is done, rounded down: 100 is all of them."""
        return self.done * 100 // self.members if self.members else 0

    @property
    def minutes_left(self) -> int | None:
        """Whole minutes, rounded up, until all are done at this rate; None where nothing moves."""
        return -(-self.to_do // self.rate) if self.rate > 0 else None

    @property
    def remaining(self) -> str:
        """How long it takes still, in words."""
        minutes = self.minutes_left
        if minutes is None:
            return "not known"
        if minutes <= 1:
            return "about a minute" if minutes else "nothing"
        if minutes > _MINUTES_A_DAY:
            return "more than a day"
        hours, rest = divmod(minutes, 60)
        return f"about {hours} h {rest} min" if hours else f"about {rest} minutes"


@dataclass
class RunMeasure:
    """The totals of a run, read again and again, and how fast it has been between them."""

    started_at: datetime
    pace: Pace = field(default_factory=Pace)

    def take(self, totals: Iterable[Any], at: datetime) -> RunFigures:
        """Return the figures of rows of `duly.run_totals` that were read at a moment.

        After a stretch in which nobody has read them the rate is measured anew.
        """
        members, amount, settled = Counter[str](), Counter[str](), Counter[str]()
        for row in totals:
            members[row.outcome] += row.members
            amount[row.currency] += row.amount_minor
            settled[row.currency] += row.settled_minor
        done = members.total() - members["to_do"]
        if self.pace.samples and at - self.pace.samples[-1].at > self.pace.kept * _MEASURED_FOR:
            self.pace = Pace()
        self.pace.take(at, done)
        money = tuple(RunMoney(one, amount[one], settled[one]) for one in sorted(amount))
        return RunFigures(members.total(), done, money, self._rate(at, done))

    def _rate(self, at: datetime, done: int) -> int:
        if at - self.pace.samples[0].at >= _MEASURED_FOR:
            return self.pace.per_minute()
        elapsed = (at - self.started_at) // timedelta(milliseconds=1)
        return done * 60_000 // elapsed if elapsed > 0 else 0
