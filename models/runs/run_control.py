"""Where a run is paused, resumed, aborted or slowed down: the commands, what its shards get of them, and its status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from models.operator_command import CommandError, OperatorCommand

# Stripe allows a hundred calls a second by default; a thousand leaves room for whoever has been given more.
CALLS_PER_SECOND_MAX = 1000


class RunStage(StrEnum):
    """Where a run stands; the search attribute `Stage` carries it."""

    FREEZING = "freezing"
    COLLECTING = "collecting"
    PAUSED = "paused"
    HELD = "held"
    ABORTING = "aborting"
    CERTIFYING = "certifying"
    CLOSED = "closed"

    @property
    def word(self) -> str:
        """What it is called everywhere (docs/states.md): a closed run is completed."""
        return "completed" if self is RunStage.CLOSED else self.value


class ListedRun(StrEnum):
    """The words of runs that a list is filtered by; all but the second and the last one a workflow alone knows."""

    FREEZING = "freezing"
    RUNNING = "running"
    COLLECTING = "collecting"
    PAUSED = "paused"
    HELD = "held"
    ABORTING = "aborting"
    CERTIFYING = "certifying"
    COMPLETED = "completed"


# From here on nothing can be steered any more.
ENDING = frozenset({RunStage.CERTIFYING, RunStage.CLOSED})


@dataclass(frozen=True)
class Steering:
    """What a run sends to its shards. A higher revision replaces a lower one, in whatever order they arrive."""

    revision: int = 0
    is_paused: bool = False
    is_aborted: bool = False

    @property
    def word(self) -> str:
        """What the run's row says: `paused`, `aborted`, or nothing while it goes on."""
        return "aborted" if self.is_aborted else "paused" if self.is_paused else ""

    def check_running(self, stage: RunStage) -> None:
        """Raise CommandError when the run is at its end or on its way there."""
        if stage in ENDING:
            raise CommandError(f"stage: {stage}; the run is at its end and can no longer be steered")
        if self.is_aborted:
            raise CommandError("stage: aborting; the run has been aborted and only lets its payments settle")

    def check_pause(self, stage: RunStage) -> None:
        """Raise CommandError unless there is something to pause."""
        self.check_running(stage)
        if self.is_paused:
            raise CommandError("stage: paused; the run is paused already")

    def check_resume(self, stage: RunStage) -> None:
        """Raise CommandError unless something stands still: a paused run, or one that waits for the gateway."""
        self.check_running(stage)
        if not self.is_paused and stage is not RunStage.HELD:
            raise CommandError(f"stage: {stage}; the run is not paused")


RATE_NOT_GIVEN = -1


@dataclass(frozen=True)
class RateCommand(OperatorCommand):
    """How many calls a second the provider's queue lets through; None gives the queue back to its workers' setting.

    Which of the two is meant has to be given: a form that was sent without its number must lift no limit.
    """

    calls_per_second: int | None = RATE_NOT_GIVEN

    @property
    def rate(self) -> int | None:
        """The rate, or None to give it back, which a command without one meant in 0.1.0."""
        return None if self.calls_per_second == RATE_NOT_GIVEN else self.calls_per_second

    def check(self) -> None:
        """Raise CommandError unless it is a rate that a gateway could stand, or None is given."""
        super().check()
        if self.calls_per_second == RATE_NOT_GIVEN:
            raise CommandError("calls_per_second: give a number, or null to give the queue back to its workers")
        if self.calls_per_second is not None and not 0 < self.calls_per_second <= CALLS_PER_SECOND_MAX:
            raise CommandError(
                f"calls_per_second: {self.calls_per_second} must be at least 1 and at most {CALLS_PER_SECOND_MAX};"
                " to stop, pause the run"
            )


@dataclass(frozen=True)
class QueueRate:
    """Limit a task queue on the server; None gives it back to its workers' setting."""

    queue: str
    calls_per_second: int | None
    reason: str


@dataclass(frozen=True)
class RunDecisions:
    """What operators decided about a run, to be kept with it."""

    run_id: str
    decisions: tuple[str, ...]
    is_aborted: bool


@dataclass(frozen=True)
class RunSteering:
    """How a run is steered, for its row: the database begins no attempt of one that is `paused` or `aborted`."""

    run_id: str
    steering: str


@dataclass(frozen=True)
class RunStatus:
    """The answer to the query `status`: members by outcome, and money in minor units by currency."""

    stage: RunStage
    members: int
    skipped: int
    totals: dict[str, int]
    due: dict[str, int]
    charged: dict[str, int]
    payments_per_minute: int
    calls_per_second: int | None
    waits_for: str
    held_since: datetime | None = None
    decisions: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """Members that a shard is done with."""
        return sum(self.totals.values())

    @property
    def to_do(self) -> int:
        """Members that are still to be collected from."""
        return max(0, self.members - self.skipped - self.done)


@dataclass(frozen=True)
class Sample:
    """How many members were done at a moment."""

    at: datetime
    done: int


@dataclass
class Pace:
    """How fast a run has been lately: between the oldest sample that is kept and the newest."""

    samples: list[Sample] = field(default_factory=list)
    kept: int = 12

    def take(self, at: datetime, done: int) -> None:
        """Take note of how many members are done."""
        self.samples = [*self.samples, Sample(at, done)][-self.kept :]

    def per_minute(self) -> int:
        """Return members per minute; 0 while there is no measure."""
        if len(self.samples) < 2:
            return 0
        first, last = self.samples[0], self.samples[-1]
        elapsed = (last.at - first.at) // timedelta(milliseconds=1)
        return (last.done - first.done) * 60_000 // elapsed if elapsed > 0 else 0


def sum_of(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Add up counts or amounts by their keys, in order of the keys."""
    keys = sorted({key for part in parts for key in part})
    return {key: sum(part.get(key, 0) for part in parts) for key in keys}
