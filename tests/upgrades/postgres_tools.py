"""The programs of the embedded PostgreSQL, such as pg_dump and psql, as its superuser."""

import importlib.util
import os
import tempfile
from pathlib import Path

from sandbox.servers.postgres import DATABASE, SUPERUSER, PostgresServer
from sandbox.servers.postgres_home import INSTALLATION, PACKAGE
from sandbox.servers.processes import Command, run_to_end

TIMEOUT_SECONDS = 60.0


async def dump(server: PostgresServer, to: Path, database: str = DATABASE) -> None:
    """Write a database as SQL."""
    await run_tool(server, "pg_dump", f"--file={to}", database)


async def restore(server: PostgresServer, dumped: Path, database: str = DATABASE) -> None:
    """Fill an empty database; everything or nothing."""
    options = ("--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1")
    await run_tool(server, "psql", f"--file={dumped}", *options, database)


async def run_tool(server: PostgresServer, program: str, *options: str) -> None:
    """Run one of the programs that come with the server."""
    # The package writes warnings when it is imported: only its place is asked for.
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None, f"{PACKAGE} is not installed"
    argv = (str(Path(str(spec.origin)).parent / INSTALLATION / "bin" / program), *options)
    reached = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGUSER": SUPERUSER,
        "PGPASSWORD": server.passwords.superuser,
    }
    with tempfile.TemporaryDirectory() as folder:
        command = Command(program, argv, Path(folder) / "log", Path(folder), {**os.environ, **reached})
        await run_to_end(command, timeout_seconds=TIMEOUT_SECONDS)
