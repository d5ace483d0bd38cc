"""Decides which requests go wrong, and how; `operation.py` carries it out."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import blake2b

from sandbox.stripe.control.messages import Fault, FaultKind

# What a request can meet, by what it does: only a write has an effect to lose or an answer to store.
_READ_KINDS = (
    FaultKind.REQUEST_LOST,
    FaultKind.RESPONSE_LOST,
    FaultKind.RESET_MID_BODY,
    FaultKind.SERVER_ERROR_500,
    FaultKind.UNAVAILABLE_503,
    FaultKind.RATE_LIMIT,
    FaultKind.LOCK_TIMEOUT,
    FaultKind.SLOW_ANSWER,
)
_WRITE_KINDS = tuple(FaultKind)

Metadata = Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """What befalls this request."""

    kind: FaultKind
    delay_seconds: float


@dataclass
class _Planned:
    fault: Fault
    matched: int = 0
    injected: int = 0
    seen: Counter[str] = field(default_factory=Counter)


class Faults:
    """The plan, and how often each kind of it was injected."""

    def __init__(self) -> None:
        self._plan: list[_Planned] = []
        self.injected: Counter[FaultKind] = Counter()

    def add(self, fault: Fault) -> None:
        self._plan.append(_Planned(fault))

    def clear(self) -> None:
        self._plan.clear()

    def plan(self) -> list[Fault]:
        return [planned.fault for planned in self._plan]

    def next_fault(self, operation: str, subject: str, metadata: Metadata) -> InjectedFault | None:
        """What befalls the request, if anything: the first part of the plan that applies.

        `subject` names what is asked for, so that a draw depends on the seed, the request and how often it was made,
        never on what other requests happened to come between.
        """
        for planned in self._plan:
            if _applies(planned.fault, operation, metadata):
                kind = _drawn(planned, operation, subject)
                if kind is not None:
                    planned.injected += 1
                    self.injected[kind] += 1
                    return InjectedFault(kind, planned.fault.delay_seconds)
        return None


def _applies(fault: Fault, operation: str, metadata: Metadata) -> bool:
    if not fnmatchcase(operation, fault.operation.replace("[", "[[]")):
        return False
    return not fault.metadata or fault.metadata.items() <= metadata().items()


def _drawn(planned: _Planned, operation: str, subject: str) -> FaultKind | None:
    fault = planned.fault
    planned.matched += 1
    if fault.times is not None and planned.injected >= fault.times:
        return None
    kinds = _READ_KINDS if operation.startswith("GET") else _WRITE_KINDS
    if fault.calls:
        return (fault.kind or kinds[planned.matched % len(kinds)]) if planned.matched in fault.calls else None
    if fault.probability == 1 and fault.kind is not None:
        return fault.kind
    planned.seen[subject] += 1
    chance, choice = draw(fault.seed, operation, subject, planned.seen[subject])
    if chance >= fault.probability:
        return None
    return fault.kind or kinds[int(choice * len(kinds))]


def draw(seed: int, *names: object) -> tuple[float, float]:
    """Two numbers in [0, 1) that depend on nothing but the seed and the names."""
    digest = blake2b(repr((seed, *names)).encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8]) / 2**64, int.from_bytes(digest[8:]) / 2**64
