"""A second release reaches a deployed database: functions are replaced, and rights are exactly those listed."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from activities.database import Database, SchemaMismatchError, create_engine
from migrations import run, source
from tests.ledger.books import own, plain_url


async def forget_the_hash(url: str) -> None:
    """Let the next migrate find functions of another release."""
    await own(url, "update duly.installation set functions_hash = 'older'")


@asynccontextmanager
async def reading(url: str, view: str) -> AsyncIterator[None]:
    """A long transaction that reads a view: nobody replaces it meanwhile."""
    async with await psycopg.AsyncConnection.connect(plain_url(url)) as reader:
        await reader.execute(f"select count(*) from duly.{view}".encode())
        yield


async def columns_of(url: str, view: str) -> list[str]:
    """The names of a view's columns."""
    rows = await own(url, f"select attname from pg_attribute where attrelid = 'duly.{view}'::regclass and attnum > 0")
    return [str(name) for (name,) in rows]


def give_way_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a migrate wait for a lock for a moment only."""
    options = run.CONNECT["options"].replace(f"lock_timeout={run.LOCK_TIMEOUT}", "lock_timeout=100ms")
    monkeypatch.setattr(run, "CONNECT", {**run.CONNECT, "options": options})


def with_next_revision(folder: Path, sql: str) -> Path:
    """Copy the migrations, with one revision more."""
    shutil.copytree(source.FOLDER, folder, ignore=shutil.ignore_patterns("functions", "__pycache__"))
    (folder / "versions" / "next").mkdir()
    (folder / "versions" / "next" / "01_next.sql").write_text(sql)
    (folder / "versions" / "next.py").write_text(
        "from migrations.run import run_scripts\n"
        f'revision, down_revision = "next", "{run.head()}"\n'
        'def upgrade() -> None:\n    run_scripts("next")\n'
    )
    return folder


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
    await own(
        owner_database_url,
        "grant update on duly.transfers to duly_app; grant usage on sequence duly.transfers_id_seq to duly_app;"
        "grant create on schema duly to duly_app",
    )
    await forget_the_hash(owner_database_url)

    await asyncio.to_thread(run.migrate, owner_database_url)

    assert await own(
        owner_database_url,
        "select has_table_privilege('duly_app', 'duly.transfers', 'update'),"
        " has_sequence_privilege('duly_app', 'duly.transfers_id_seq', 'usage'),"
        " has_schema_privilege('duly_app', 'duly', 'create'), has_schema_privilege('duly_app', 'duly', 'usage')",
    ) == [(False, False, False, True)]


async def test_a_new_function_is_executable_by_nobody_it_was_not_granted_to(owner_database_url: str) -> None:
    await own(owner_database_url, "create function duly.fresh() returns int language sql as $$ select 1 $$")

    assert await own(
        owner_database_url,
        "select has_function_privilege('duly_app', 'duly.fresh()', 'execute'),"
        " has_function_privilege('public', 'duly.fresh()', 'execute')",
    ) == [(False, False)]


async def test_a_migrate_whose_functions_had_to_wait_is_finished_by_the_next(
    owner_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_way_at_once(monkeypatch)
    sql = "create table duly.next_table (id text primary key);"
    monkeypatch.setattr(run, "FOLDER", with_next_revision(tmp_path / "migrations", sql))

    async with reading(owner_database_url, "owned_invoices"):
        with pytest.raises(DBAPIError, match="lock timeout"):
            await asyncio.to_thread(run.migrate, owner_database_url)
    again = await asyncio.to_thread(run.migrate, owner_database_url)

    granted = await own(owner_database_url, "select has_table_privilege('duly_app', 'duly.next_table', 'select')")
    assert (again.before, again.after, again.has_new_functions, granted) == ("next", "next", True, [(True,)])


async def test_a_revision_that_finds_its_table_in_use_is_refused_as_a_whole(
    owner_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_way_at_once(monkeypatch)
    sql = "create table duly.next_table (id text); alter table duly.collections add column next text;"
    monkeypatch.setattr(run, "FOLDER", with_next_revision(tmp_path / "migrations", sql))

    async with reading(owner_database_url, "collections"):
        with pytest.raises(DBAPIError, match="lock timeout"):
            await asyncio.to_thread(run.migrate, owner_database_url)

    assert await own(owner_database_url, "select to_regclass('duly.next_table')") == [(None,)]
    assert (await asyncio.to_thread(run.migrate, owner_database_url)).after == "next"


async def test_an_older_release_puts_its_views_back_and_drops_those_of_the_newer(owner_database_url: str) -> None:
    ours = await columns_of(owner_database_url, "owned_invoices")
    columns = "account_id, id as invoice_id, null::bigint as amount_minor, 1 as newer"
    definition = f"select {columns} from duly.collections, unnest(invoices) as id"
    await own(owner_database_url, f"create or replace view duly.owned_invoices as {definition}")
    await own(owner_database_url, "create view duly.newer_view as select newer from duly.owned_invoices")
    await forget_the_hash(owner_database_url)

    await asyncio.to_thread(run.migrate, owner_database_url)

    assert await columns_of(owner_database_url, "owned_invoices") == ours
    assert await own(owner_database_url, "select to_regclass('duly.newer_view')") == [(None,)]
    assert await own(owner_database_url, "select has_table_privilege('duly_app', 'duly.owned_invoices', 'select')") == [
        (True,)
    ]


@pytest.mark.parametrize(
    ("language", "body"),
    [("sql", "select no_such_column from duly.collections"), ("plpgsql", "begin return 1 2; end")],
)
async def test_a_function_that_cannot_run_ends_the_migrate_and_changes_nothing(
    owner_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, body: str
) -> None:
    broken = tmp_path / "broken.sql"
    broken.write_text(f"create or replace function duly.broken() returns int language {language} as $$ {body} $$;")
    ours = source.function_files()
    monkeypatch.setattr(run, "function_files", lambda: [*ours, broken])
    await forget_the_hash(owner_database_url)

    with pytest.raises(DBAPIError, match=r"no_such_column|syntax error"):
        await asyncio.to_thread(run.migrate, owner_database_url)

    assert await own(owner_database_url, "select functions_hash, to_regproc('duly.broken') from duly.installation") == [
        ("older", None)
    ]


async def test_two_migrates_at_once_follow_one_another(owner_database_url: str) -> None:
    await forget_the_hash(owner_database_url)

    both = await asyncio.gather(*(asyncio.to_thread(run.migrate, owner_database_url) for _ in range(2)))

    assert sorted(each.has_new_functions for each in both) == [False, True]


async def test_a_migrate_that_waits_for_another_holds_up_no_index_that_it_builds(
    owner_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that is built beside writers waits for every statement that is under way, such as one that waits."""
    waits, is_alone = threading.Event(), run._is_alone

    def answered(connection: Connection) -> bool:
        answer = is_alone(connection)
        waits.set()
        return answer

    monkeypatch.setattr(run, "_is_alone", answered)
    monkeypatch.setattr(run, "ALONE_POLL_SECONDS", 0.01)
    async with await psycopg.AsyncConnection.connect(plain_url(owner_database_url), autocommit=True) as other:
        await other.execute(f"select pg_advisory_lock({run._ONLY_ONE})".encode())
        second = asyncio.create_task(asyncio.to_thread(run.migrate, owner_database_url))
        await asyncio.to_thread(waits.wait, 30)

        await other.execute("set statement_timeout = '10s'")
        await other.execute("create index concurrently beside_writers on duly.messages (kind)")
        assert not second.done()

    assert (await second).has_new_functions is False


async def test_a_migrate_that_never_gets_its_turn_says_why(
    owner_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "ALONE_SECONDS", 0.0)
    async with await psycopg.AsyncConnection.connect(plain_url(owner_database_url), autocommit=True) as other:
        await other.execute(f"select pg_advisory_lock({run._ONLY_ONE})".encode())
        with pytest.raises(CommandError, match="another migrate has not ended"):
            await asyncio.to_thread(run.migrate, owner_database_url)


async def test_whoever_does_not_own_the_tables_migrates_nothing(owner_database_url: str, database_url: str) -> None:
    """A superuser could: what it creates would be its own, and the owner's next migrate could not replace it."""
    await forget_the_hash(owner_database_url)

    with pytest.raises(CommandError, match="the tables belong to duly_owner, and this is duly_runtime"):
        await asyncio.to_thread(run.migrate, database_url)

    assert await own(owner_database_url, "select functions_hash from duly.installation") == [("older",)]


async def test_a_function_that_is_not_there_yet_is_no_answer_but_a_reason_to_wait(
    owner_database_url: str, database_url: str
) -> None:
    await own(owner_database_url, "drop function duly.is_owed")
    database = Database(create_engine(database_url, pool=1))

    with pytest.raises(SchemaMismatchError, match=r"run `duly migrate`"):
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
    for path in (*source.function_files(), *source.view_files()):
        text = path.read_text(encoding="utf-8")
        assert "create function" not in text, path
        assert "create view" not in text, path
        assert ("create or replace view" in text) == (path in source.view_files()), path
        assert Path(path).parent.name != "functions", path


async def test_no_trigger_function_is_a_placeholder_after_a_migrate(owner_database_url: str) -> None:
    left = await own(owner_database_url, "select count(*) from pg_proc where strpos(prosrc, 'run migrate') > 0")

    assert left == [(0,)]
