"""Child processes of the stack: started with a log file, waited for, stopped, and never left behind."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

POLL_SECONDS = 0.02
PR_SET_PDEATHSIG = 1
LIBC = ctypes.PyDLL(None) if sys.platform == "linux" else None

T = TypeVar("T")
Ready = Callable[[], Awaitable[bool]]


class ServiceError(Exception):
    """A service of the stack that failed: which one, why, and where its log is."""

    def __init__(self, service: str, reason: str, log: Path | None = None, *, what: str = "did not start") -> None:
        self.service, self.reason, self.log = service, reason, log
        super().__init__(f"{service} {what}: {reason}" + (f"\nIts log: {log}" if log else ""))


@dataclass(frozen=True)
class Command:
    """A program to run, and the signals that end it.

    `stop_signal` asks it to end; `orphan_signal` is what the kernel sends it when this process dies first.
    """

    service: str
    argv: tuple[str, ...]
    log: Path
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    uid: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 10.0


class Child:
    """A running command. It belongs to no event loop, so it may be started in one and stopped in another.

    Start it from a thread that lives as long as the stack: Linux sends the orphan signal when it ends.
    """

    def __init__(self, command: Command) -> None:
        self.command = command
        self._log_start = command.log.stat().st_size if command.log.exists() else 0
        with command.log.open("ab") as log:
            self._process = _spawn(command, log.fileno())

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    async def wait_until(self, ready: Ready, *, timeout_seconds: float) -> None:
        """Wait until `ready` answers yes; ServiceError if the process ends first or the time is over."""
        deadline = time.monotonic() + timeout_seconds
        while not await ready():
            if self.exit_code is not None:
                raise self._error("did not start", f"it ended with exit code {self.exit_code}")
            if time.monotonic() > deadline:
                raise self._error("did not start", f"it was not ready within {timeout_seconds:g} s")
            await asyncio.sleep(POLL_SECONDS)

    async def wait(self) -> int:
        """Wait until it ends by itself and return its exit code."""
        while (exit_code := self.exit_code) is None:  # noqa: ASYNC110  # no event tells it in every loop
            await asyncio.sleep(POLL_SECONDS)
        return exit_code

    async def end_well(self, *, timeout_seconds: float) -> None:
        """Wait until it ends by itself with 0; ServiceError if it ends otherwise or the time is over."""
        try:
            async with asyncio.timeout(timeout_seconds):
                exit_code = await self.wait()
        except TimeoutError:
            raise self._error("did not end", f"it still ran after {timeout_seconds:g} s") from None
        if exit_code != 0:
            raise self._error("failed", f"it ended with exit code {exit_code}")

    async def watch(self) -> NoReturn:
        """Wait for as long as it runs; ServiceError when it ends by itself."""
        raise self._error("stopped", f"it ended with exit code {await self.wait()}")

    async def stop(self) -> None:
        """Ask it to end, wait, then kill what is left of its process group. Safe to call twice."""
        try:
            if self.exit_code is None:
                self._process.send_signal(self.command.stop_signal)
                async with asyncio.timeout(self.command.stop_seconds):
                    await self.wait()
        except TimeoutError:
            # A server that ignored the polite signal for this long will not answer it any more.
            return
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill the process and its group at once and collect it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def tail(self, lines: int = 12) -> str:
        """Return the last lines it logged since this start."""
        with self.command.log.open("rb") as log:
            log.seek(self._log_start)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _error(self, what: str, reason: str) -> ServiceError:
        tail = self.tail()
        full = f"{reason}. Its last lines:\n{tail}" if tail else reason
        return ServiceError(self.command.service, full, self.command.log, what=what)


@contextlib.asynccontextmanager
async def running(command: Command, ready: Ready, *, timeout_seconds: float = 30.0) -> AsyncIterator[Child]:
    """Start a command, wait until it is ready, and stop it in the end, whatever happens in between."""
    child = Child(command)
    try:
        await child.wait_until(ready, timeout_seconds=timeout_seconds)
        yield child
    finally:
        await child.stop()


async def run_to_end(command: Command, *, timeout_seconds: float) -> None:
    """Run a command that ends by itself; ServiceError unless it ends with 0 in time."""
    child = Child(command)
    try:
        await child.end_well(timeout_seconds=timeout_seconds)
    finally:
        await child.stop()


async def together(*starts: Coroutine[Any, Any, T]) -> list[T]:
    """Run several starts at once. The first error is raised, alone, when the others are called off."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(start) for start in starts]
    except ExceptionGroup as failed:
        # One reason is what a person can act on.
        first = failed.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]


def free_port() -> int:
    """Return a loopback port that a server may bind soon.

    One connection is made and closed on it. The kernel then keeps the port in TIME_WAIT for a minute: nobody
    is given it by chance, but a server that asks for it by number (with SO_REUSEADDR, as ours do) gets it.
    """
    with socket.socket() as listener, socket.socket() as caller:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        caller.connect(listener.getsockname())
        accepted, _ = listener.accept()
        accepted.close()
        return int(listener.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether a server could bind the loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_port(service: str, port: int) -> int:
    """Return the port that is wanted, or a free one for 0; ServiceError when another program has it."""
    if port and not is_free(port):
        raise ServiceError(service, f"port {port} is in use by another program")
    return port or free_port()


def _spawn(command: Command, log: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=command.cwd,
            env=dict(command.environment),
            # A session of its own keeps the terminal's Ctrl-C away: the stack stops its services in order.
            start_new_session=True,
            umask=0o077,
            user=command.uid,
            group=command.uid,
            extra_groups=None if command.uid is None else (),
            preexec_fn=_ends_with(os.getpid(), command.orphan_signal),  # noqa: PLW1509  # see below
        )
    except OSError as error:
        raise ServiceError(command.service, f"{command.argv[0]} cannot be run: {error.strerror}", command.log) from None


def _ends_with(parent: int, orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what the child does between fork and exec: two system calls, no lock, no import."""
    libc = LIBC
    if libc is None:
        return None

    def set_parent_death_signal() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(orphan_signal))
        if os.getppid() != parent:
            os._exit(1)

    return set_parent_death_signal
