"""The roles that docker-compose.yml creates, on a real PostgreSQL."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from sandbox.postgres import Passwords, PostgresServer, running_postgres
from sandbox.postgres_home import binaries_for, temporary_home
from tests.house.source import ROOT

PASSWORDS = {
    "DULY_OWNER_PASSWORD": "owner0",
    "DULY_RUNTIME_PASSWORD": "runtime0",
    "TEMPORAL_DATABASE_PASSWORD": "temporal0",
}


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


async def test_the_owner_makes_tables_and_the_runtime_role_only_uses_what_it_is_given(
    server: PostgresServer,
) -> None:
    async with await connect(server, "duly_owner", "owner0", "duly") as owner:
        await owner.execute("create schema duly")
        await owner.execute("create table duly.accounts (id text)")
        await owner.execute("grant usage on schema duly to duly_app")
        await owner.execute("grant select on duly.accounts to duly_app")

    async with await connect(server, "duly_runtime", "runtime0", "duly") as runtime:
        await runtime.execute("select * from duly.accounts")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await runtime.execute("insert into duly.accounts values ('acc_1')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await runtime.execute("create table public.mine (id text)")


async def test_temporal_owns_its_databases_and_has_no_way_into_ours(server: PostgresServer) -> None:
    async with await connect(server, "temporal", "temporal0", "temporal_visibility") as temporal:
        await temporal.execute("create table executions_visibility (id text)")

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        await connect(server, "temporal", "temporal0", "duly")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        await connect(server, "duly_runtime", "runtime0", "temporal")
