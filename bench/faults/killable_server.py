"""A PostgreSQL server that is meant to be killed, and comes back on the same port with the same data."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

from sandbox.servers.migrate import migrate
from sandbox.servers.postgres import Passwords, PostgresServer, running_postgres
from sandbox.servers.postgres_home import give_to_server, temporary_home
from sandbox.servers.processes import ServiceError, free_port

START_SECONDS = 60.0
FULL_DISK_MIB = 160


class KillableServer:
    """A server whose processes may be signalled at will; `restart` brings it back after it died."""

    def __init__(self, home: Path, log: Path) -> None:
        self._home, self._log = home, log
        self._passwords = Passwords.random()
        self._port = free_port()
        self._running = contextlib.AsyncExitStack()
        self.postgres = PostgresServer(self._port, self._passwords)

    async def start(self) -> None:
        """Start it; what a killed server left running is waited for, for a minute at most."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                started = running_postgres(self._passwords, home=self._home, log=self._log, port=self._port)
                try:
                    self.postgres = await self._running.enter_async_context(started)
                    return
                except ServiceError:
                    await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Stop it, or collect what is left of it."""
        await self._running.aclose()

    async def restart(self) -> None:
        """Bring it back after it died."""
        await self.stop()
        await self.start()

    def postmaster(self) -> psutil.Process:
        """Return the server's first process."""
        return psutil.Process(int((self._home / "data" / "postmaster.pid").read_text().split()[0]))

    def backends(self) -> list[psutil.Process]:
        """Return the processes that serve the runtime role."""
        found = []
        for process in self.postmaster().children():
            with contextlib.suppress(psutil.Error):
                if "duly_runtime" in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to every process of the server."""
        postmaster = self.postmaster()
        for process in (postmaster, *postmaster.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    @contextlib.asynccontextmanager
    async def on_a_small_disk(self) -> AsyncIterator[Path]:
        """Keep its tables in a small memory disk for as long as this lasts; yield the folder that can be filled."""
        base = self._home / "data" / "base"
        await self.stop()
        kept = base.rename(base.with_name("base.kept"))
        base.mkdir()
        subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={FULL_DISK_MIB}m", "tmpfs", str(base)), check=True)
        try:
            shutil.copytree(kept, base, dirs_exist_ok=True)
            for path in (base, *base.rglob("*")):
                give_to_server(path)
            await self.start()
            yield base
            await self.stop()
        finally:
            subprocess.run(("umount", "--lazy", str(base)), check=True)


@contextlib.asynccontextmanager
async def killable_server(log: Path) -> AsyncIterator[KillableServer]:
    """Run a migrated server on a disk of its own folder, whatever happens to it."""
    with temporary_home() as home:
        server = KillableServer(home, log)
        await server.start()
        try:
            await migrate(server.postgres.owner_url())
            yield server
        finally:
            await server.stop()
