"""The programs of the embedded PostgreSQL, such as pg_dump and psql, as its superuser."""

import importlib.util
import lzma
import os
import tempfile
from pathlib import Path

from sandbox.servers.postgres import DATABASE, SUPERUSER, PostgresServer
from sandbox.servers.postgres_home import INSTALLATION, PACKAGE
from sandbox.servers.processes import Command, run_to_end
from tests.upgrades.kept_release import KeptRelease

TIMEOUT_SECONDS = 60.0
RESTORING = ("--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1")


async def dump(server: PostgresServer, to: Path, database: str = DATABASE) -> None:
    """Write a database as SQL."""
    await run_tool(server, "pg_dump", f"--file={to}", database)


async def restore(server: PostgresServer, dumped: Path, database: str = DATABASE) -> None:
    """Fill an empty database; everything or nothing."""
    await run_tool(server, "psql", f"--file={dumped}", *RESTORING, database)


async def restore_release(server: PostgresServer, release: KeptRelease, database: str, folder: Path) -> None:
    """Create a database that holds what a release had written; the folder is for the dump."""
    dumped = folder / "database.sql"
    dumped.write_bytes(lzma.decompress(release.database.read_bytes()))
    await server.create_database(database)
    await restore(server, dumped, database)


async def run_tool(server: PostgresServer, program: str, *options: str) -> None:
    """Run one of the programs that come with the server."""
    await run_program(program, *options, host="127.0.0.1", port=server.port, password=server.passwords.superuser)


async def run_program(program: str, *options: str, host: str, port: int, password: str) -> None:
    """Run one of the programs on a server that may be another's, as its superuser."""
    # The package writes warnings when it is imported: only its place is asked for.
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None, f"{PACKAGE} is not installed"
    argv = (str(Path(str(spec.origin)).parent / INSTALLATION / "bin" / program), *options)
    reached = {"PGHOST": host, "PGPORT": str(port), "PGUSER": SUPERUSER, "PGPASSWORD": password}
    with tempfile.TemporaryDirectory() as folder:
        command = Command(program, argv, Path(folder) / "log", Path(folder), {**os.environ, **reached})
        await run_to_end(command, timeout_seconds=TIMEOUT_SECONDS)
