"""A second release reaches a deployed database: functions are replaced, and rights are exactly those listed."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from activities.database import Database, SchemaMismatchError, create_engine
from migrations import run, source
from tests.ledger.books import plain_url


async def own(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run a statement as the owner of the tables and return its rows, if any."""
    async with await psycopg.AsyncConnection.connect(plain_url(url), autocommit=True) as owner:
        cursor = await owner.execute(statement)
        return await cursor.fetchall() if cursor.description else []


async def forget_the_hash(url: str) -> None:
    """Let the next migrate find functions of another release."""
    await own(url, "update duly.installation set functions_hash = 'older'")


async def test_migrating_again_changes_nothing(owner_database_url: str) -> None:
    again = await asyncio.to_thread(run.migrate, owner_database_url)

    assert (again.before, again.has_new_functions) == (again.after, False)


async def test_a_function_with_an_older_signature_is_replaced_and_not_left_beside(owner_database_url: str) -> None:
    await own(
        owner_database_url,
        "create function duly.number_prefix(p_older text) returns text language sql as $$ select p_older $$",
    )
    await forget_the_hash(owner_database_url)

    migrated = await asyncio.to_thread(run.migrate, owner_database_url)

    left = await own(owner_database_url, "select count(*) from pg_proc where proname = 'number_prefix'")
    assert (migrated.has_new_functions, left) == (True, [(1,)])


async def test_a_right_that_is_not_listed_is_taken_away(owner_database_url: str, database_url: str) -> None:
    await own(owner_database_url, "grant update on duly.transfers to duly_app")
    await forget_the_hash(owner_database_url)

    await asyncio.to_thread(run.migrate, owner_database_url)

    held = await own(owner_database_url, "select has_table_privilege('duly_app', 'duly.transfers', 'update')")
    assert held == [(False,)]


async def test_a_new_function_is_executable_by_nobody_it_was_not_granted_to(owner_database_url: str) -> None:
    await own(owner_database_url, "create function duly.fresh() returns int language sql as $$ select 1 $$")

    assert await own(
        owner_database_url,
        "select has_function_privilege('duly_app', 'duly.fresh()', 'execute'),"
        " has_function_privilege('public', 'duly.fresh()', 'execute')",
    ) == [(False, False)]


async def test_two_migrates_at_once_follow_one_another(owner_database_url: str) -> None:
    await forget_the_hash(owner_database_url)

    both = await asyncio.gather(*(asyncio.to_thread(run.migrate, owner_database_url) for _ in range(2)))

    assert sorted(each.has_new_functions for each in both) == [False, True]


async def test_a_function_that_is_not_there_yet_is_no_answer_but_a_reason_to_wait(
    owner_database_url: str, database_url: str
) -> None:
    await own(owner_database_url, "drop function duly.is_owed")
    database = Database(create_engine(database_url, pool=1))

    with pytest.raises(SchemaMismatchError, match=r"run `starter\.py migrate`"):
        await database.call("is_owed", account_id="acc_1", period="2026-11")
    await forget_the_hash(owner_database_url)
    await asyncio.to_thread(run.migrate, owner_database_url)

    assert await database.call("is_owed", account_id="acc_1", period="2026-11") is False
    await database.dispose()


async def test_a_database_with_the_functions_of_another_release_is_told_from_one_with_ours(
    owner_database_url: str, database_url: str
) -> None:
    database = Database(create_engine(database_url, pool=1))
    before = await database.verify(source.functions_hash())

    await forget_the_hash(owner_database_url)

    assert (before, await database.verify(source.functions_hash())) == (True, False)
    await database.dispose()


@pytest.mark.parametrize(("asked", "server_ms"), [(None, "15s"), (5.0, "15s"), (600.0, "605s")])
async def test_the_server_works_as_long_as_the_caller_waits(
    database_url: str, asked: float | None, server_ms: str
) -> None:
    database = Database(create_engine(database_url, pool=1))

    rows = await database.rows("select current_setting('statement_timeout')", timeout_seconds=asked)
    standard = await database.rows("select current_setting('statement_timeout')")

    assert (rows[0][0], standard[0][0]) == (server_ms, "15s")
    await database.dispose()


async def test_a_long_statement_may_choose_its_isolation_and_leaves_the_standard_behind(database_url: str) -> None:
    database = Database(create_engine(database_url, pool=1))

    async with database.transaction(timeout_seconds=600) as connection:
        _ = await connection.exec_driver_sql("select 1")
    rows = await database.rows("select current_setting('statement_timeout')")

    assert rows[0][0] == "15s"
    await database.dispose()


def test_every_function_file_belongs_to_a_room_and_replaces_what_it_defines() -> None:
    for path in source.function_files():
        text = path.read_text(encoding="utf-8")
        assert "create function" not in text, path
        assert Path(path).parent.name != "functions", path


async def test_no_trigger_function_is_a_placeholder_after_a_migrate(owner_database_url: str) -> None:
    left = await own(owner_database_url, "select count(*) from pg_proc where strpos(prosrc, 'run migrate') > 0")

    assert left == [(0,)]
