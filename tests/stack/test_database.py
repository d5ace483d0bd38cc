"""The database as activities use it: safe to keep money in, and tight-lipped when it refuses."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, DefaultPayloadConverter

from activities.database import (
    Database,
    DatabaseUnavailableError,
    RuleBrokenError,
    UnsafeDatabaseError,
    create_engine,
)
from models.ledger.refusals import InvalidInputError
from sandbox.servers.migrate import migrate
from sandbox.servers.postgres import Passwords, running_postgres
from sandbox.servers.postgres_home import NOBODY, binaries_for, server_uid, temporary_home


async def verify(url: str) -> None:
    database = Database(create_engine(url, pool=1))
    try:
        await database.verify()
    finally:
        await database.dispose()


async def without_checksums(home: Path) -> None:
    """Turn the checksums of a stopped server's pages off, as the server's own user."""
    own_user = () if server_uid() is None else ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    program = (str(binaries_for(home) / "pg_checksums"), "--disable", "-D", str(home / "data"))
    turning = await asyncio.create_subprocess_exec(*own_user, *program, stdout=asyncio.subprocess.DEVNULL)
    assert await turning.wait() == 0


async def test_a_database_that_keeps_what_it_acknowledges_is_taken(database_url: str) -> None:
    await verify(database_url)


async def test_a_database_that_acknowledges_before_the_disk_has_it_is_refused(
    database_url: str, database_name: str, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(text(f"alter database {database_name} set synchronous_commit = off"))

    with pytest.raises(UnsafeDatabaseError, match="synchronous_commit is off; money needs it on"):
        await verify(database_url)


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
async def test_a_server_that_a_power_cut_could_ruin_is_refused(server_logs: Path, setting: str) -> None:
    with temporary_home(in_memory=True) as home:
        log, settings = server_logs / "unsafe.log", {setting: "off"}
        async with running_postgres(Passwords.random(), home=home, log=log, settings=settings) as server:
            await migrate(server.owner_url())

            with pytest.raises(UnsafeDatabaseError, match=f"{setting} is off"):
                await verify(server.runtime_url())


@pytest.mark.nightly
async def test_a_server_that_does_not_notice_a_broken_page_is_refused(server_logs: Path) -> None:
    with temporary_home(in_memory=True) as home:
        log, passwords = server_logs / "unchecked.log", Passwords.random()
        async with running_postgres(passwords, home=home, log=log) as server:
            await migrate(server.owner_url())
        await without_checksums(home)
        async with running_postgres(passwords, home=home, log=log) as server:
            with pytest.raises(UnsafeDatabaseError, match="data_checksums is off"):
                await verify(server.runtime_url())


async def test_a_refusal_brings_no_row_into_a_history(owner_database_url: str) -> None:
    database = Database(create_engine(owner_database_url, pool=1))

    with pytest.raises(RuleBrokenError) as refused:
        await database.rows(
            "insert into duly.products (id, name, ledger_account) values ('no good', 'Ada Lovelace', 'revenue:gold')"
        )
    await database.dispose()

    failure = Failure()
    DefaultFailureConverter().to_failure(refused.value, DefaultPayloadConverter(), failure)
    assert "products_id_check" in str(failure)
    assert "Ada Lovelace" not in str(failure)
    assert isinstance(refused.value.refused, InvalidInputError)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"account_id": "acc_1", "method": "ca\0rd"}, "NUL"),
        ({"account_id": 2**63, "method": "card"}, "account_id: is beyond 9223372036854775807"),
    ],
)
async def test_what_no_column_holds_is_a_broken_rule_and_not_a_database_that_is_away(
    database_url: str, arguments: dict[str, Any], message: str
) -> None:
    database = Database(create_engine(database_url, pool=1))

    with pytest.raises(RuleBrokenError, match=message) as refused:
        await database.call("set_preferred_method", **arguments)
    await database.dispose()

    assert (refused.value.type, refused.value.non_retryable) == ("value_is_storable", True)


async def test_the_server_may_work_as_long_as_the_caller_waits_and_for_the_next_one_no_longer(
    database_url: str,
) -> None:
    database = Database(create_engine(database_url, pool=1))
    show = "select current_setting('statement_timeout')::interval = :seconds * interval '1 second' as is_so"

    async with database.transaction(timeout_seconds=300) as connection:
        in_a_transaction = (await connection.execute(text(show), {"seconds": 305})).scalar_one()
    long = await database.rows(show, timeout_seconds=60, seconds=65)
    with pytest.raises(RuleBrokenError):
        await database.rows("select 1 / 0", timeout_seconds=60)
    after_an_error = await database.rows(show, seconds=15)
    async with database.transaction() as connection:
        standard = (await connection.execute(text(show), {"seconds": 15})).scalar_one()
    await database.dispose()

    assert (in_a_transaction, long[0].is_so, after_an_error[0].is_so, standard) == (True, True, True, True)


async def test_a_database_with_more_time_than_its_engine_gives_the_server_that_time(database_url: str) -> None:
    database = Database(create_engine(database_url, pool=1), timeout_seconds=600)

    (row,) = await database.rows("select current_setting('statement_timeout') as setting")
    await database.dispose()

    assert row.setting == "605s"


async def test_the_late_answer_of_a_call_that_was_given_up_is_not_taken_for_that_of_the_next(
    database_url: str, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(
            text("create function duly.slow() returns text language sql as $$ select 'late' from pg_sleep(60) $$")
        )
        await connection.execute(text("grant execute on function duly.slow to public"))
    database = Database(create_engine(database_url, pool=1))

    with pytest.raises(DatabaseUnavailableError):
        await database.call("slow", timeout_seconds=0.2)
    state = await database.call("fence_state")
    await database.dispose()

    assert state["server"]


async def test_the_first_call_that_finds_its_connection_ended_clears_away_all_of_them(database_url: str) -> None:
    database, other = Database(create_engine(database_url, pool=4)), Database(create_engine(database_url, pool=1))
    await asyncio.gather(*(database.call("fence_state") for _ in range(4)))
    ended = await other.rows(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
    )

    with pytest.raises(DatabaseUnavailableError):
        await database.call("fence_state")
    after = await asyncio.gather(*(database.call("fence_state") for _ in range(4)))
    await database.dispose()
    await other.dispose()

    assert len(ended) == len(after) == 4


async def test_a_connection_that_is_given_up_before_the_server_has_answered_is_closed_at_once() -> None:
    closed = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        closed.set()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        url = f"postgresql+psycopg://somebody@{host}:{port}/duly?sslmode=disable&gssencmode=disable"
        database = Database(create_engine(url, pool=1), timeout_seconds=0.2)

        with pytest.raises(DatabaseUnavailableError):
            await database.rows("select 1")

        async with asyncio.timeout(30):
            await closed.wait()
        await database.dispose()
