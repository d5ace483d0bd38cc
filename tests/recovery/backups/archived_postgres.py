"""A PostgreSQL server with an archive of its log: it is backed up while it works, lost, and restored to a moment."""

import asyncio
import os
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sandbox.servers.postgres import Passwords, PostgresServer, running_postgres
from sandbox.servers.postgres_home import give_to_server
from tests.upgrades.postgres_tools import run_tool

ARCHIVED = {"archive_mode": "on", "wal_level": "replica"}


@dataclass
class ArchivedPostgres:
    """One server at one port, whatever becomes of its data."""

    home: Path
    log: Path
    passwords: Passwords = field(default_factory=Passwords.random, repr=False)
    server: PostgresServer | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def running(self) -> PostgresServer:
        """The server that runs now."""
        assert self.server is not None, "no server runs"
        return self.server

    async def start(self, **settings: str) -> PostgresServer:
        """Start the server on the data that are there; new ones at the first start."""
        archive = self.home / "archive"
        if not archive.exists():
            archive.mkdir()
            give_to_server(archive)
        archiving = {**ARCHIVED, "archive_command": f"test -f {archive}/%f || cp %p {archive}/%f"}
        self._stack = AsyncExitStack()
        self.server = await self._stack.enter_async_context(
            running_postgres(
                self.passwords,
                home=self.home,
                log=self.log,
                port=self.server.port if self.server else 0,
                settings={**archiving, **settings},
            )
        )
        return self.server

    async def stop(self) -> None:
        """Stop the server."""
        await self._stack.aclose()

    async def back_up(self) -> Path:
        """Take a base backup while everybody works on, and return its folder."""
        folder = self.home / "backup"
        await run_tool(self.running, "pg_basebackup", f"--pgdata={folder}", "--checkpoint=fast", "--wal-method=none")
        return folder

    async def promote(self) -> PostgresServer:
        """Let the server go on as a standby does that had everything and is promoted: on a new timeline."""
        await self.stop()
        (self.home / "data" / "recovery.signal").touch()
        _give_all(self.home / "data")
        return await self.start(restore_command=f"cp {self.home}/archive/%f %p", hot_standby="off")

    async def restore(self, backup: Path, moment: datetime) -> PostgresServer:
        """Bring the server back as it was at a moment: the backup, and its log up to there. The lost data are kept."""
        await self.stop()
        (self.home / "data").rename(self.home / f"lost-{moment:%H%M%S%f}")
        await asyncio.to_thread(shutil.copytree, backup, self.home / "data")
        (self.home / "data" / "recovery.signal").touch()
        _give_all(self.home / "data")
        return await self.start(
            restore_command=f"cp {self.home}/archive/%f %p",
            recovery_target_time=moment.isoformat(),
            recovery_target_action="promote",
            # Nobody is let in before it is as it was.
            hot_standby="off",
        )


def _give_all(folder: Path) -> None:
    give_to_server(folder)
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            give_to_server(Path(root) / name)
