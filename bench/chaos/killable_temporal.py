"""A Temporal server that is meant to be killed, and comes back on the same port with the same data."""

import asyncio
import contextlib
from pathlib import Path

import psutil

from sandbox.servers.processes import ServiceError, free_port
from sandbox.servers.temporal import NAMESPACE, running_temporal
from workflows.client import connect
from workflows.namespace import register_attributes

START_SECONDS = 60.0


class KillableTemporal:
    """A development server on a database file; `restart` brings it back after it died."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._database, self._log = folder / "temporal.db", log
        self.port = free_port()
        self._running = contextlib.AsyncExitStack()

    @property
    def address(self) -> str:
        """Its frontend, host:port."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it; what a killed server left of its port is waited for, for a minute at most."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                server = running_temporal(log=self._log, database=self._database, ui=False, port=self.port)
                try:
                    await self._running.enter_async_context(server)
                    break
                except ServiceError:
                    await asyncio.sleep(0.1)

    async def prepare(self) -> None:
        """Give its namespace our search attributes."""
        await register_attributes(await connect(self.address, namespace=NAMESPACE))

    async def stop(self) -> None:
        """Stop it, or collect what is left of it."""
        await self._running.aclose()

    async def restart(self) -> None:
        """Bring it back after it died."""
        await self.stop()
        await self.start()

    def process(self) -> psutil.Process:
        """Return the server's process, a child of ours."""
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                if {"start-dev", str(self.port)} <= set(child.cmdline()):
                    return child
        raise ServiceError("Temporal", f"no process of ours serves port {self.port}", what="is gone")
