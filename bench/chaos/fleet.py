"""The processes of Duly: some workers of each role and the receiver of events, to be killed and started again."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from temporalio.service import RPCError

from bench.chaos.chaos_worker import MISSED_AFTER
from bench.chaos.cutting_proxy import CuttingProxy
from sandbox.servers.processes import Child, ServiceError
from sandbox.stack import Stack
from sandbox.workers import running_webhook, running_worker

# The gateway workers of bank debits have a role of their own here: whoever is killed is drawn among equals.
DEBITS, DEBIT_PROVIDER = "debits", "sepa"
ROLES = ("workflow", "gateway", DEBITS)
# A start takes two seconds, and minutes beside ten other programs; whatever it needs may be killed meanwhile.
START_SECONDS = 300.0
# A device that answers every write with `No space left on device`.
FULL_DISK = Path("/dev/full")


class ProcessSlot:
    """One place in the fleet: whoever stands there may be killed, and somebody else started."""

    def __init__(self, stack: Stack, role: str, number: int = 1) -> None:
        self._stack, self.role, self.name = stack, role, f"{role}-{number}"
        self._running = contextlib.AsyncExitStack()
        self._child: Child | None = None
        self.is_ordinary = True

    @property
    def process(self) -> psutil.Process:
        """The process that stands here now."""
        assert self._child is not None, f"{self.name} was not started"
        return psutil.Process(self._child.pid)

    async def start(self, environment: Mapping[str, str] | None = None, *, log_is_full: bool = False) -> None:
        """Start a process here; whatever it needs and is away for a moment is waited for."""
        self.is_ordinary = not environment and not log_is_full
        stack = replace(self._stack, environment={**self._stack.environment, **(environment or {})})
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._child = await self._started(stack, log_is_full=log_is_full)
                return
            except (ServiceError, RPCError, RuntimeError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)

    async def kill(self) -> None:
        """Kill it as the kernel does when memory is short: nothing is finished, nothing is said."""
        if self._child is not None:
            self._child.kill()
        await self.stop()

    async def stop(self) -> None:
        """Stop it, or collect what is left of it."""
        await self._running.aclose()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.process.send_signal(number)

    async def _started(self, stack: Stack, *, log_is_full: bool) -> Child:
        name = f"{self.name}-full" if log_is_full else self.name
        if log_is_full and not (log := stack.folder.log(f"worker-{name}")).is_symlink():
            log.symlink_to(FULL_DISK)
        role = "gateway" if self.role == DEBITS else self.role
        argv = _program(stack, role)
        return await self._running.enter_async_context(running_worker(stack, role, name=name, argv=argv))


class DebitSlot(ProcessSlot):
    """A gateway's worker of the provider of bank debits."""

    def __init__(self, stack: Stack, number: int) -> None:
        settings = stack.settings.model_copy(update={"provider": DEBIT_PROVIDER})
        environment = {**stack.environment, "DULY_PROVIDER": DEBIT_PROVIDER}
        super().__init__(replace(stack, settings=settings, environment=environment), DEBITS, number)


class ReceiverSlot(ProcessSlot):
    """The receiver of events; it stands behind a proxy, so that its address stays when it is started anew."""

    def __init__(self, stack: Stack, proxy: CuttingProxy) -> None:
        super().__init__(stack, "receiver")
        self._proxy = proxy

    async def _started(self, stack: Stack, *, log_is_full: bool) -> Child:
        assert not log_is_full, "the receiver keeps its log"
        webhook = await self._running.enter_async_context(running_webhook(stack))
        port = urlsplit(webhook.url).port
        assert port is not None, webhook.url
        self._proxy.upstream = port
        return webhook.child


class Fleet:
    """Every process of Duly."""

    def __init__(self, stack: Stack, proxy: CuttingProxy, *, of_each: int) -> None:
        self.workers = tuple(
            DebitSlot(stack, number + 1) if role == DEBITS else ProcessSlot(stack, role, number + 1)
            for role in ROLES
            for number in range(of_each)
        )
        self.receiver = ReceiverSlot(stack, proxy)

    @property
    def all(self) -> tuple[ProcessSlot, ...]:
        """Every process."""
        return (*self.workers, self.receiver)

    async def start(self) -> None:
        """Start everybody at once."""
        async with asyncio.TaskGroup() as group:
            for slot in self.all:
                group.create_task(slot.start())

    async def make_ordinary(self) -> None:
        """Start those anew whose clock is wrong or whose log is full."""
        for slot in self.all:
            if not slot.is_ordinary:
                await slot.kill()
                await slot.start()

    async def kill(self) -> None:
        """End everybody at once; nothing is lost by it, which is what all of this is about."""
        for slot in self.all:
            await slot.kill()


def _program(stack: Stack, role: str) -> tuple[str, ...]:
    """Return the program of a worker: the product's, unless a killed one is to be missed sooner than in production."""
    if MISSED_AFTER in stack.environment:
        return (sys.executable, "-m", "bench.chaos.chaos_worker", f"--role={role}")
    return ()
