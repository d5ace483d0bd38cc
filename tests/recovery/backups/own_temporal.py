"""A Temporal server with a database file of its own, which is backed up while it works, lost and restored."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client

from sandbox.servers.temporal import TemporalServer, running_temporal
from tests.support.started_workflows import STARTED
from workflows.namespace import register_attributes
from workflows.plugin import DULY_PLUGIN


@dataclass
class OwnTemporal:
    """One server at one address, whatever becomes of its database."""

    folder: Path
    server: TemporalServer | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def address(self) -> str:
        """Where it is, as host:port."""
        assert self.server is not None, "no server runs"
        return self.server.address

    async def start(self) -> None:
        """Start the server on the database that is there; a new one is made ready for Duly."""
        self._stack = AsyncExitStack()
        port = int(self.server.address.partition(":")[2]) if self.server else 0
        log, file = self.folder / "temporal.log", self.folder / "temporal.db"
        self.server = await self._stack.enter_async_context(
            running_temporal(log=log, database=file, ui=False, port=port)
        )
        _ = await register_attributes(await self.client())

    async def stop(self) -> None:
        """Stop the server."""
        await self._stack.aclose()

    async def client(self) -> Client:
        """Connect as workers do."""
        return await Client.connect(self.address, plugins=[DULY_PLUGIN], interceptors=[STARTED])

    async def back_up(self) -> Path:
        """Copy the database as it is at one moment, while everybody works on."""
        copy = self.folder / "backup.db"
        await asyncio.to_thread(_copy, self.folder / "temporal.db", copy)
        return copy

    async def restore(self, backup: Path | None) -> None:
        """Bring the server back with the database of a backup; without one with a new one."""
        await self.stop()
        for file in self.folder.glob("temporal.db*"):
            file.rename(file.with_name(f"lost-{file.name}"))
        if backup is not None:
            await asyncio.to_thread(_copy, backup, self.folder / "temporal.db")
        await self.start()


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)
