"""The embedded PostgreSQL."""

import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

import sandbox.servers.postgres_home
from sandbox.servers.postgres_home import (
    LOCK,
    NOBODY,
    TEMPORARY_PREFIX,
    binaries_for,
    give_to_server,
    temporary_home,
)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
async def test_the_server_never_acknowledges_what_a_crash_could_lose(engine: AsyncEngine, setting: str) -> None:
    async with engine.connect() as connection:
        value = await connection.scalar(text("SELECT current_setting(:name)"), {"name": setting})

    assert value == "on"


async def test_workers_log_in_as_a_member_of_the_runtime_group_and_nothing_more(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT rolsuper, rolcreaterole, pg_has_role('duly_app', 'usage') FROM pg_roles"
                " WHERE rolname = current_user"
            )
        )

    assert found.one() == (False, False, True)


@pytest.mark.parametrize("test", ["first", "second"])
async def test_a_test_sees_nothing_that_another_test_wrote(owner_engine: AsyncEngine, test: str) -> None:
    async with owner_engine.begin() as connection:
        found = await connection.scalar(text("SELECT to_regclass('public.left_behind')"))
        await connection.execute(text("CREATE TABLE public.left_behind ()"))

    assert found is None


def test_root_copies_the_binaries_when_the_server_could_not_reach_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sandbox.servers.postgres_home, "server_uid", lambda: NOBODY)
    monkeypatch.setattr(sandbox.servers.postgres_home, "_open_to_others", lambda _folder: False)

    binaries = binaries_for(tmp_path)
    version = subprocess.run([binaries / "initdb", "--version"], check=True, capture_output=True, text=True).stdout

    assert tmp_path in binaries.parents
    assert version.startswith("initdb (PostgreSQL) 18.")


def test_a_home_that_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    with temporary_home() as used:
        left_behind = used.with_name(f"{TEMPORARY_PREFIX}left-behind")
        left_behind.mkdir()
        (left_behind / LOCK).touch()
        give_to_server(left_behind)

        with temporary_home():
            found = (used.exists(), left_behind.exists())

    assert found == (True, False)


def test_nobody_sweeps_a_home_while_its_own_process_removes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    remove = shutil.rmtree
    swept: list[bool] = []

    def remove_beside_another(path: Path) -> None:
        if not swept:
            with temporary_home():
                swept.append(not path.exists())
        remove(path)

    with temporary_home() as home:
        monkeypatch.setattr(shutil, "rmtree", remove_beside_another)

    assert (swept, home.exists()) == ([False], False)
