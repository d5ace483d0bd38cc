"""A PostgreSQL server of our own: the embedded binaries, a cluster in its own folder, roles and databases."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from sandbox.servers.postgres_home import SERVICE, binaries_for, give_to_server, server_uid
from sandbox.servers.processes import Command, choose_port, run_to_end, running

SUPERUSER, OWNER, RUNTIME, RUNTIME_GROUP = "postgres", "duly_owner", "duly_runtime", "duly_app"
DATABASE = "duly"

INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--set=scram_iterations=1",
)

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # In the cluster's own folder, so that not even a killed server leaves anything elsewhere.
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    # Iterations make guessing a person's password dear. These are random, and each connection would pay for it.
    "scram_iterations": "1",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    # The ledger's promises rest on these three; they are said aloud so that nobody has to know the defaults.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
}


@dataclass(frozen=True)
class Passwords:
    """Passwords of the three roles that log in."""

    superuser: str = field(repr=False)
    owner: str = field(repr=False)
    runtime: str = field(repr=False)

    @classmethod
    def random(cls) -> "Passwords":
        """Make three new passwords."""
        return cls(secrets.token_urlsafe(18), secrets.token_urlsafe(18), secrets.token_urlsafe(18))


class Administration:
    """A session of the superuser, who makes and drops databases."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    async def create_database(self, name: str, *, template: str = "template1", strategy: str = "wal_log") -> None:
        """Create a database of the owner role as a copy of `template`, to which nobody may be connected.

        The strategy `file_copy` is cheaper where files are in memory.
        """
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY {}")
        names = (sql.Identifier(each) for each in (name, OWNER, template, strategy))
        await self._connection.execute(statement.format(*names))

    async def drop_database(self, name: str) -> None:
        """Drop a database and whoever is still connected to it; nothing if there is none."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        await self._connection.execute(statement)

    async def rename_database(self, name: str, new: str) -> None:
        """Give a database another name. Raises psycopg.errors.ObjectInUse while somebody is connected to it."""
        statement = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new))
        await self._connection.execute(statement)

    async def row(self, query: LiteralString, *arguments: str) -> tuple[Any, ...]:
        """Return the one row of a query that looks at the server as a whole."""
        return await (await self._connection.execute(query, arguments)).fetchone() or ()


# A machine under several times its load has taken more than five seconds to start a session's process.
SESSION_SECONDS = 60


@dataclass(frozen=True)
class PostgresServer:
    """A running server on 127.0.0.1."""

    port: int
    passwords: Passwords = field(repr=False)

    def owner_url(self, database: str = DATABASE) -> str:
        """Return the SQLAlchemy address under the role that owns the tables."""
        return self._url(OWNER, self.passwords.owner, database)

    def runtime_url(self, database: str = DATABASE) -> str:
        """Return the SQLAlchemy address under the role that the workers use."""
        return self._url(RUNTIME, self.passwords.runtime, database)

    async def superuser_session(self, database: str = "postgres") -> psycopg.AsyncConnection:
        """Connect to a database as the superuser; each statement commits by itself."""
        return await psycopg.AsyncConnection.connect(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            password=self.passwords.superuser,
            dbname=database,
            autocommit=True,
            connect_timeout=SESSION_SECONDS,
        )

    @contextlib.asynccontextmanager
    async def administration(self) -> AsyncIterator[Administration]:
        """Open a session of the superuser."""
        async with await self.superuser_session() as connection:
            yield Administration(connection)

    async def create_database(self, name: str) -> None:
        """Create a database of the owner role, with nothing in it."""
        async with self.administration() as administration:
            await administration.create_database(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database and whoever is still connected to it; nothing if there is none."""
        async with self.administration() as administration:
            await administration.drop_database(name)

    async def create_roles_and_database(self) -> None:
        """Create Duly's roles and database where missing, and set the passwords. Safe to repeat."""
        async with await self.superuser_session() as connection:
            await _ensure_role(connection, RUNTIME_GROUP, None)
            await _ensure_role(connection, OWNER, self.passwords.owner)
            await _ensure_role(connection, RUNTIME, self.passwords.runtime)
            grant = sql.SQL("GRANT {} TO {}").format(sql.Identifier(RUNTIME_GROUP), sql.Identifier(RUNTIME))
            await connection.execute(grant)
            found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            missing = await found.fetchone() is None
        if missing:
            await self.create_database(DATABASE)

    async def answers(self) -> bool:
        """Tell whether the server takes connections."""
        try:
            async with await self.superuser_session():
                return True
        except psycopg.OperationalError:
            return False

    def _url(self, role: str, password: str, database: str) -> str:
        return f"postgresql+psycopg://{role}:{password}@127.0.0.1:{self.port}/{database}"


@contextlib.asynccontextmanager
async def running_postgres(
    passwords: Passwords,
    *,
    home: Path,
    log: Path,
    port: int = 0,
    settings: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[PostgresServer]:
    """Run a server on the cluster in `home` (from `temporary_home` or `kept_home`), made at the first start.

    Roles and the database `duly` exist when it yields. `port` 0 takes a free one; `settings` go before our own,
    and `environment` is for the server alone.
    """
    server = PostgresServer(choose_port(SERVICE, port), passwords)
    binaries = await asyncio.to_thread(binaries_for, home)
    await _ensure_cluster(binaries, home, log, passwords.superuser)
    options = tuple(
        f"--{name}={value}" for name, value in {**SETTINGS, **(settings or {}), "port": str(server.port)}.items()
    )
    command = _command((str(binaries / "postgres"), "-D", str(home / "data"), *options), home, log)
    command = replace(command, environment={**command.environment, **(environment or {})})
    async with running(command, server.answers):
        await server.create_roles_and_database()
        yield server


async def _ensure_cluster(binaries: Path, home: Path, log: Path, password: str) -> None:
    if (home / "data").exists():
        return
    unfinished, password_file = home / "data.unfinished", home / "password"
    shutil.rmtree(unfinished, ignore_errors=True)
    password_file.write_text(password)
    give_to_server(password_file)
    try:
        argv = (str(binaries / "initdb"), "-D", str(unfinished), f"--pwfile={password_file}", *INITDB_OPTIONS)
        await run_to_end(_command(argv, home, log), timeout_seconds=60)
    finally:
        password_file.unlink()
    # Renamed only when complete: a start that is killed here leaves no half cluster to the next one.
    unfinished.rename(home / "data")


def _command(argv: tuple[str, ...], home: Path, log: Path) -> Command:
    """Return a command stopped by SIGINT, the fast shutdown; an orphan gets SIGQUIT, the immediate one."""
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(home)}
    return Command(SERVICE, argv, log, home, environment, server_uid(), signal.SIGINT, signal.SIGQUIT)


async def _ensure_role(connection: psycopg.AsyncConnection, name: str, password: str | None) -> None:
    found = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
    verb = "ALTER" if await found.fetchone() else "CREATE"
    login = sql.SQL("NOLOGIN") if password is None else sql.SQL("LOGIN PASSWORD {}").format(sql.Literal(password))
    await connection.execute(sql.SQL("{} ROLE {} {}").format(sql.SQL(verb), sql.Identifier(name), login))
