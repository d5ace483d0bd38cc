"""What the parts of a running stack cost: CPU seconds and memory of their processes, ended children included."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from sandbox.servers.processes import ServiceError

POSTGRESQL, TEMPORAL, STRIPE = "PostgreSQL", "Temporal", "Stripe sandbox"
WORKFLOW_WORKER, GATEWAY_WORKER, BENCH = "Worker, workflows", "Worker, gateway", "This bench"
WORKERS = (WORKFLOW_WORKER, GATEWAY_WORKER)
TEMPORAL_AND_DULY = (TEMPORAL, *WORKERS)

# What tells the stack's processes apart: a piece of their command lines.
_MARKERS = {
    "postgres -D": POSTGRESQL,
    "server start-dev": TEMPORAL,
    "-m sandbox.stripe": STRIPE,
    "--role=workflow": WORKFLOW_WORKER,
    "--role=gateway": GATEWAY_WORKER,
    "-m bench.instant_worker": GATEWAY_WORKER,
}
_MIB = 2**20


@dataclass(frozen=True)
class Reading:
    """CPU seconds used so far, by part and by the whole machine, and when that was (monotonic seconds)."""

    at: float
    cpu_seconds: Mapping[str, float]
    machine_seconds: float


@dataclass(frozen=True)
class Cost:
    """What was used between two readings. `foreign_cores` is how many cores other programs kept busy meanwhile."""

    cpu_seconds: Mapping[str, float]
    foreign_cores: float

    def per_payment_ms(self, payments: int) -> dict[str, float]:
        """Return CPU milliseconds for each of so many payments, by part. Raises ServiceError when there were none."""
        if not payments:
            raise ServiceError(
                "The payment run", "nobody was charged: the workers' logs say why", what="was not measured"
            )
        return {part: round(seconds * 1000 / payments, 2) for part, seconds in self.cpu_seconds.items()}


def read() -> Reading:
    """Read the CPU clocks of the stack that this process runs."""
    used = dict.fromkeys((*_MARKERS.values(), BENCH), 0.0)
    own = psutil.Process().cpu_times()
    used[BENCH] = own.user + own.system
    for process in psutil.Process().children():
        if part := _part_of(process):
            used[part] += _cpu_seconds(process)
    machine = psutil.cpu_times()
    busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0)
    return Reading(time.monotonic(), used, busy)


def cost(before: Reading, after: Reading) -> Cost:
    """Return what was used between two readings."""
    used = {part: after.cpu_seconds[part] - before.cpu_seconds[part] for part in after.cpu_seconds}
    foreign = after.machine_seconds - before.machine_seconds - sum(used.values())
    return Cost(used, round(max(0.0, foreign) / (after.at - before.at), 2))


def resident_mib() -> dict[str, float]:
    """Return the memory that each part of the stack holds now."""
    held = dict.fromkeys(_MARKERS.values(), 0.0)
    for process in psutil.Process().children():
        if part := _part_of(process):
            held[part] += process.memory_info().rss / _MIB
    return held


def _part_of(process: psutil.Process) -> str | None:
    try:
        line = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        # It ended between being listed and being asked.
        return None
    return next((part for sign, part in _MARKERS.items() if sign in line), None)


def _cpu_seconds(process: psutil.Process) -> float:
    """Sum up a process, its living descendants, and the children that each of them has outlived."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            # It ended between the two calls: its parent's clock has it by the next reading.
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
