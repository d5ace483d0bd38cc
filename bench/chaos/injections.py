"""The ways to harm a company, each until what was harmed could serve again; and the order in which they come."""

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import psutil
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from bench.chaos.company import BrittleCompany
from bench.chaos.fleet import DEBITS, ROLES, ProcessSlot
from sandbox.servers.shown_clock import ShownClock, library

HOUR = 3600.0
TERMINATED_AT_ONCE = 3
LISTED = 200

Harm = Callable[["Harmer"], Awaitable[None]]


@dataclass(frozen=True)
class Harmer:
    """Whom to harm, by which draws, and how long what is frozen stays so."""

    company: BrittleCompany
    rng: Random
    freeze_seconds: float

    def worker(self, role: str) -> ProcessSlot:
        """Draw one of the workers of a role."""
        return self.rng.choice([slot for slot in self.company.fleet.workers if slot.role == role])


@dataclass(frozen=True)
class Injection:
    """A kind of fault, how often it comes in each round of all, and what does it."""

    name: str
    times: int
    harm: Harm
    is_kill: bool = False


async def _kill_database(harmer: Harmer) -> None:
    """Kill every process of PostgreSQL at once."""
    harmer.company.postgres.signal_all(signal.SIGKILL)
    await harmer.company.postgres.restart()


async def _kill_temporal(harmer: Harmer) -> None:
    harmer.company.temporal.process().kill()
    await harmer.company.temporal.restart()


async def _kill_receiver(harmer: Harmer) -> None:
    await harmer.company.fleet.receiver.kill()
    await harmer.company.fleet.receiver.start()


async def _freeze_database(harmer: Harmer) -> None:
    harmer.company.postgres.signal_all(signal.SIGSTOP)
    await asyncio.sleep(harmer.freeze_seconds)
    harmer.company.postgres.signal_all(signal.SIGCONT)


async def _freeze_temporal(harmer: Harmer) -> None:
    await _freeze(harmer.company.temporal.process(), harmer.freeze_seconds)


async def _freeze_worker(harmer: Harmer) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        await _freeze(harmer.worker(harmer.rng.choice(ROLES)).process, harmer.freeze_seconds)


async def _terminate_sessions(harmer: Harmer) -> None:
    """End some sessions of the database, as an administrator may."""
    for backend in harmer.company.postgres.backends():
        if harmer.rng.random() < 0.5:
            with contextlib.suppress(psutil.NoSuchProcess):
                backend.terminate()


async def _fill_log(harmer: Harmer) -> None:
    """Start a worker anew whose log is on a disk that is full."""
    slot = harmer.worker(harmer.rng.choice(ROLES))
    await slot.kill()
    await slot.start({"DULY_LOG_LEVEL": "INFO"}, log_is_full=True)


async def _wrong_clock(harmer: Harmer) -> None:
    """Start a worker anew whose clock is an hour off, ahead or behind, and end it a little later."""
    slot = harmer.worker(harmer.rng.choice(ROLES))
    with tempfile.TemporaryDirectory(prefix="duly-clock-") as folder:
        clock = ShownClock(Path(folder) / "offset")
        clock.set(harmer.rng.choice((HOUR, -HOUR)))
        await slot.kill()
        await slot.start(clock.environment())
        await asyncio.sleep(harmer.freeze_seconds)
        await slot.kill()
    await slot.start()


async def _purge(harmer: Harmer) -> None:
    """Let Temporal forget what is over, as it does when the retention has passed: ids are free again."""
    client = harmer.company.client
    with contextlib.suppress(RPCError):
        async for one in client.list_workflows("ExecutionStatus = 'Completed'", limit=LISTED):
            await client.workflow_service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(
                    namespace=client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=one.id, run_id=one.run_id),
                )
            )


async def _terminate_workflows(harmer: Harmer) -> None:
    for handle in await _some_workflows(harmer):
        with contextlib.suppress(RPCError):
            await handle.terminate(reason="pressed by maria")


async def _cancel_workflows(harmer: Harmer) -> None:
    for handle in await _some_workflows(harmer):
        with contextlib.suppress(RPCError):
            await handle.cancel(reason="pressed by maria")


INJECTIONS = (
    *(
        Injection(
            f"{role} worker killed",
            1 if role == DEBITS else 3,
            # The role is bound now: a loop's variable would be the last one in all of them.
            lambda harmer, role=role: _kill_and_start(harmer.worker(role)),  # type: ignore[misc]
            is_kill=True,
        )
        for role in ROLES
    ),
    Injection("receiver of events killed", 2, _kill_receiver, is_kill=True),
    Injection("PostgreSQL killed", 1, _kill_database, is_kill=True),
    Injection("Temporal killed", 1, _kill_temporal, is_kill=True),
    Injection("PostgreSQL frozen", 1, _freeze_database),
    Injection("Temporal frozen", 1, _freeze_temporal),
    Injection("worker frozen", 1, _freeze_worker),
    Injection("sessions of PostgreSQL ended", 1, _terminate_sessions),
    *(
        Injection(
            f"connections to {label} cut",
            1,
            lambda harmer, name=name: _cut(harmer, name),  # type: ignore[misc]
        )
        for name, label in {"database": "PostgreSQL", "temporal": "Temporal", "gateway": "the gateway"}.items()
    ),
    Injection("log disk full", 1, _fill_log, is_kill=True),
    Injection("clock an hour off", 1, _wrong_clock, is_kill=True),
    Injection("what is over purged from Temporal", 1, _purge),
    Injection("workflows terminated", 2, _terminate_workflows),
    Injection("workflows cancelled", 2, _cancel_workflows),
)


def possible_injections() -> tuple[Injection, ...]:
    """Return those that this machine allows."""
    is_settable = library().exists()
    return tuple(one for one in INJECTIONS if is_settable or one.harm is not _wrong_clock)


def in_rounds(injections: tuple[Injection, ...], rng: Random) -> Iterator[Injection]:
    """Return them for ever: each round has all of them, in an order of its own."""
    while True:
        drawn = [one for one in injections for _ in range(one.times)]
        rng.shuffle(drawn)
        yield from drawn


async def _kill_and_start(slot: ProcessSlot) -> None:
    await slot.kill()
    await slot.start()


async def _freeze(process: psutil.Process, seconds: float) -> None:
    process.suspend()
    try:
        await asyncio.sleep(seconds)
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


async def _cut(harmer: Harmer, name: str) -> None:
    harmer.company.proxies[name].cut()


async def _some_workflows(harmer: Harmer) -> list[WorkflowHandle[Any, Any]]:
    """Draw some that run: collections, refunds, rewards, disputes, cards, runs, whatever is there."""
    client, running = harmer.company.client, "ExecutionStatus = 'Running'"
    try:
        found = [one async for one in client.list_workflows(running, limit=LISTED)]
    except RPCError:
        return []
    drawn = harmer.rng.sample(found, min(TERMINATED_AT_ONCE, len(found)))
    return [client.get_workflow_handle(one.id, run_id=one.run_id) for one in drawn]
