"""A Temporal development server with its UI."""

import contextlib
import os
import shutil
import signal
import sysconfig
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from sandbox.servers.processes import Command, choose_port, running
from settings import Settings
from workflows.client import connect
from workflows.namespace import ensure_namespace

SERVICE = "Temporal"
NAMESPACE = "default"

DYNAMIC_CONFIG = {
    # One provider's or one run's backlog does not hold up another's on a shared queue.
    "matching.enableFairness": "true",
    # Partitions spread a queue over hosts; on one, tasks only wander between them, a tenth of a payment's CPU.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    # A workflow that cannot go on (a bug, a missing patch) is listed as having problems after two tries.
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute": "2",
}

# It holds little and allocates much: collecting at five times what is held, and not at twice, saves a sixth of its CPU.
ENVIRONMENT = {"GOGC": "400"}


@dataclass(frozen=True)
class TemporalServer:
    """A running development server: its frontend as host:port, and its UI's address ("" without one)."""

    address: str
    ui_url: str


@contextlib.asynccontextmanager
async def running_temporal(
    *,
    log: Path,
    database: Path | None,
    ui: bool = True,
    port: int = 0,
    ui_port: int = 0,
    limits: Mapping[str, str] | None = None,
) -> AsyncIterator[TemporalServer]:
    """Run a development server that keeps its state in a database file, or in memory when that is None.

    The namespace `default` exists, with 90 days of retention, when it yields. Ports of 0 take free ones; `limits` are
    further settings of the server's dynamic configuration.
    """
    frontend = choose_port(SERVICE, port)
    web = choose_port(f"{SERVICE} UI", ui_port) if ui else 0
    server = TemporalServer(f"127.0.0.1:{frontend}", f"http://127.0.0.1:{web}" if ui else "")
    argv = (program("temporal"), "server", "start-dev", *_options(frontend, web, database, limits or {}))
    # What is only in memory has no reason to be wound down, which takes the server more than a second.
    stop_signal = signal.SIGTERM if database else signal.SIGKILL

    async def ready() -> bool:
        return await _has_namespace(server.address)

    command = Command(SERVICE, argv, log, Path.cwd(), {**ENVIRONMENT, **os.environ}, stop_signal=stop_signal)
    async with running(command, ready):
        yield server


async def client_of(settings: Settings) -> Client:
    """Connect as every process does; RuntimeError when nobody answers."""
    return await connect(**settings.temporal_connection)


def program(name: str) -> str:
    """Return the path of a program: beside this Python, where packages put theirs, or else on the path."""
    beside = Path(sysconfig.get_path("scripts")) / name
    return str(beside) if beside.exists() else shutil.which(name) or name


def _options(frontend: int, web: int, database: Path | None, limits: Mapping[str, str]) -> tuple[str, ...]:
    served = ("--ui-port", str(web), "--ui-disable-news-fetch") if web else ("--headless",)
    # WAL halves what a write costs; with synchronous=1 only the machine itself going down can lose one.
    pragmas = ("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1")
    stored = ("--db-filename", str(database), *pragmas) if database else ()
    configured = tuple(f"--dynamic-config-value={key}={value}" for key, value in {**DYNAMIC_CONFIG, **limits}.items())
    return (
        "--ip",
        "127.0.0.1",
        "--port",
        str(frontend),
        "--log-level",
        "warn",
        *served,
        *stored,
        *configured,
    )


async def _has_namespace(address: str) -> bool:
    """Keep closed workflows for long instead of a day; False while the server does not answer yet."""
    try:
        _ = await ensure_namespace(await Client.connect(address, namespace=NAMESPACE))
    except (RuntimeError, RPCError):
        return False
    return True
