"""The roles that docker-compose.yml creates, on a real PostgreSQL."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from sandbox.servers.postgres import Passwords, PostgresServer, running_postgres
from sandbox.servers.postgres_home import binaries_for, temporary_home
from tests.house.compose import filled_in, read_compose
from tests.house.source import ROOT

PASSWORDS = {
    "DULY_OWNER_PASSWORD": "owner0",
    "DULY_RUNTIME_PASSWORD": "runtime0",
    "TEMPORAL_DATABASE_PASSWORD": "temporal0",
}
FILLED_IN = PASSWORDS | {"STRIPE_API_KEY": "sk_test_0"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PostgresServer]:
    """A server on which the roles of the compose file were made, as the image's first start makes them."""
    with temporary_home(in_memory=True) as home:
        async with running_postgres(Passwords.random(), home=home, log=tmp_path / "postgres.log") as running:
            await empty(running)
            await run_script(running, binaries_for(home))
            yield running


async def empty(server: PostgresServer) -> None:
    async with await connect(server, "postgres", server.passwords.superuser, "postgres") as connection:
        await connection.execute("drop database duly")
        for role in ("duly_owner", "duly_runtime", "duly_app"):
            await connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


async def run_script(server: PostgresServer, binaries: Path) -> None:
    environment = PASSWORDS | {
        "PATH": f"{binaries}{os.pathsep}{os.defpath}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGPASSWORD": server.passwords.superuser,
        "POSTGRES_USER": "postgres",
    }
    script = str(ROOT / "docker" / "postgres" / "10-roles.sh")
    process = await asyncio.create_subprocess_exec("bash", script, env=environment)
    assert await process.wait() == 0


async def connect(
    server: PostgresServer, user: str, password: str, database: str
) -> psycopg.AsyncConnection[tuple[object, ...]]:
    return await psycopg.AsyncConnection.connect(
        host="127.0.0.1", port=server.port, user=user, password=password, dbname=database, autocommit=True
    )


async def migrate(server: PostgresServer) -> None:
    """Run the command of the service `migrate` with its settings, pointed at this server."""
    service = read_compose(ROOT / "docker-compose.yml").services["migrate"]
    settings = {name: filled_in(value, FILLED_IN) for name, value in service["environment"].items()}
    here = {name: value.replace("postgresql:5432", f"127.0.0.1:{server.port}") for name, value in settings.items()}
    program, *words = service["command"]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name(program), *words, cwd=ROOT, env=os.environ | here
    )
    assert await process.wait() == 0


async def test_the_owner_migrates_and_the_runtime_role_reads_every_table_and_makes_none(server: PostgresServer) -> None:
    await migrate(server)

    async with await connect(server, "duly_runtime", "runtime0", "duly") as runtime:
        tables = await runtime.execute(
            "select relname, relowner::regrole::text, has_table_privilege(oid, 'select') from pg_class"
            " where relnamespace = 'duly'::regnamespace and relkind in ('r', 'p') and relname <> 'alembic_version'"
        )
        found = await tables.fetchall()

        assert found
        assert [row for row in found if row[1:] != ("duly_owner", True)] == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await runtime.execute("create table duly.mine (id text)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await runtime.execute("create table public.mine (id text)")


async def test_temporal_owns_its_databases_and_has_no_way_into_ours(server: PostgresServer) -> None:
    async with await connect(server, "temporal", "temporal0", "temporal_visibility") as temporal:
        await temporal.execute("create table executions_visibility (id text)")

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        await connect(server, "temporal", "temporal0", "duly")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        await connect(server, "duly_runtime", "runtime0", "temporal")
