"""Which calls to the adapter go wrong, and how: drawn from a seed, for any share of the calls."""

from collections import Counter
from enum import StrEnum
from random import Random

from pydantic import BaseModel, ConfigDict, Field


class CallFault(StrEnum):
    """The ways in which a call goes wrong. In the first two nothing has happened at localstripe, in the rest it has."""

    CONNECTION_RESET = "connection_reset"
    SERVER_ERROR = "server_error_500"
    ANSWER_LOST = "answer_lost"
    ANSWER_CUT = "answer_cut"
    STORED_ERROR = "stored_500_after_effect"
    LATE_EFFECT = "late_effect"


# A read has no effect that an error could be stored for.
_OF_READS = tuple(kind for kind in CallFault if kind is not CallFault.STORED_ERROR)
_OF_WRITES = tuple(CallFault)


class FaultPlan(BaseModel):
    """The share of calls that go wrong, the seed, and how long a late effect is held back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(ge=0, lt=1)
    seed: int = 0
    late_seconds: float = Field(default=3.0, ge=0)


class CallCounts(BaseModel):
    """How many calls there were under a plan, and how many went wrong in which way."""

    calls: int = 0
    faults: dict[CallFault, int] = {}


class CallFaults:
    """Carries out a plan. A draw depends on the seed, on what is asked for, and on how often that was asked before."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self._seen: Counter[str] = Counter()
        self._injected: Counter[CallFault] = Counter()

    def next_fault(self, subject: str, *, is_write: bool) -> CallFault | None:
        """Return what befalls the next call about a subject, if anything does."""
        self._seen[subject] += 1
        drawn = Random(f"{self.plan.seed}:{subject}:{self._seen[subject]}")
        if drawn.random() >= self.plan.share:
            return None
        fault = drawn.choice(_OF_WRITES if is_write else _OF_READS)
        self._injected[fault] += 1
        return fault

    def counts(self) -> CallCounts:
        """Return what has happened so far."""
        return CallCounts(calls=self._seen.total(), faults=dict(sorted(self._injected.items())))
