"""The roles that docker/postgres makes at the first start, as the services of docker-compose.yml have them."""

import psycopg
import pytest

from tests.compose.containers.engine import Engine
from tests.compose.project import Project


async def connect(
    engine: Engine, user: str, password: str, database: str
) -> psycopg.AsyncConnection[tuple[object, ...]]:
    return await psycopg.AsyncConnection.connect(
        host=engine.address("postgresql"), user=user, password=password, dbname=database, autocommit=True
    )


@pytest.mark.nightly
async def test_the_owner_migrates_the_runtime_role_reads_and_makes_nothing_and_temporal_stays_outside(
    engine: Engine, project: Project
) -> None:
    runtime_password = project.secret("duly_runtime_password")
    temporal_password = project.variables()["TEMPORAL_DATABASE_PASSWORD"]

    await engine.up("migrate")

    async with await connect(engine, "duly_runtime", runtime_password, "duly") as runtime:
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
    async with await connect(engine, "temporal", temporal_password, "temporal_visibility") as temporal:
        await temporal.execute("create table executions_visibility (id text)")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        await connect(engine, "temporal", temporal_password, "duly")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        await connect(engine, "duly_runtime", runtime_password, "temporal")
