"""`make up`: starting, printing, ending and going on."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from sandbox.servers.postgres_home import KEPT_BY_ROOT, MEMORY, NOBODY, PUBLIC_TEMPORARY
from sandbox.servers.temporal import program
from tests.stack.running_up import RunningUp, running_up, still_running

WITHOUT_WORKERS = "--no-workers"


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that does not exist yet, in a folder that anybody may walk through; in memory, for speed."""
    parent = Path(tempfile.mkdtemp(prefix="duly-test-", dir=MEMORY if MEMORY.is_dir() else PUBLIC_TEMPORARY))
    parent.chmod(0o711)
    yield parent / "data"
    shutil.rmtree(parent)


def temporal(up: RunningUp, *arguments: str) -> str:
    address = up.environment()["DULY_TEMPORAL_ADDRESS"]
    argv = [program("temporal"), *arguments, "--address", address]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=20).stdout


def database(up: RunningUp, *, owner: bool = False) -> psycopg.Connection:
    name = "DULY_MIGRATION_DATABASE_URL" if owner else "DULY_DATABASE_URL"
    return psycopg.connect(up.environment()[name].replace("+psycopg", ""))


def test_every_part_answers_where_the_block_says_and_ctrl_c_ends_all_of_them(data: Path) -> None:
    with running_up(data, WITHOUT_WORKERS) as up:
        given, parts = up.environment(), up.parts()
        ui = httpx.get(given["DULY_TEMPORAL_UI_URL"], trust_env=False)
        stripe = httpx.get(f"{given['STRIPE_API_BASE']}/v1/balance", trust_env=False)
        with database(up) as connection:
            role = connection.execute("SELECT current_user").fetchone()
        schedules = temporal(up, "schedule", "list")

        exit_code = up.end(signal.SIGINT)

    assert (ui.status_code, stripe.status_code, role) == (200, 401, ("duly_runtime",))
    assert "supervisor:all" in schedules
    for name in ("DULY_TEMPORAL_UI_URL", "DULY_TEMPORAL_ADDRESS", "STRIPE_API_BASE"):
        assert given[name] in up.printed
    assert exit_code == 0
    assert still_running(parts) == []
    assert not (data / "environment").exists()


@pytest.mark.nightly
@pytest.mark.slow
def test_what_was_kept_survives_a_killed_stack_and_no_process_of_it_does(data: Path) -> None:
    with running_up(data, WITHOUT_WORKERS) as first:
        given, parts = first.environment(), first.parts()
        with database(first, owner=True) as connection:
            connection.execute("CREATE TABLE public.kept AS SELECT 7 AS number")
        temporal(first, "workflow", "start", "--type=Kept", "--task-queue=nobody-listens", "--workflow-id=kept")
        first.end(signal.SIGKILL)
        left_behind = still_running(parts)

    with running_up(data, WITHOUT_WORKERS) as second:
        with database(second, owner=True) as connection:
            number = connection.execute("SELECT number FROM public.kept").fetchone()
        workflow = temporal(second, "workflow", "describe", "--workflow-id=kept")
        same = second.environment() == given
        exit_code = second.end(signal.SIGTERM)

    assert left_behind == []
    assert number == (7,)
    assert "Kept" in workflow
    assert same
    assert exit_code == 0


@pytest.mark.nightly
@pytest.mark.slow
def test_a_closed_home_stays_closed_and_untouched(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    folders = [tmp_path, *tmp_path.parents, Path(sys.prefix), Path(sys.prefix).parent]
    before = [(folder.stat().st_mode, folder.stat().st_uid) for folder in folders]

    with running_up(tmp_path / "data", WITHOUT_WORKERS, "--no-ui") as up:
        with database(up) as connection:
            connection.execute("SELECT 1")
        up.end(signal.SIGTERM)
    home = (tmp_path / "data" / "postgres").resolve()
    mode = home.stat().st_mode & 0o777
    shutil.rmtree(home)
    with contextlib.suppress(OSError):
        KEPT_BY_ROOT.rmdir()

    assert [(folder.stat().st_mode, folder.stat().st_uid) for folder in folders] == before
    assert mode == 0o700
    assert home.parent == (KEPT_BY_ROOT if os.geteuid() == 0 else tmp_path / "data")


def as_ordinary_user() -> list[str]:
    """Return the words that run a command as an unprivileged user who can reach this Python."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("only root, with setpriv, can become somebody else")
    become = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    # Where the interpreter is below root's closed home, the user may read everywhere, and nothing more.
    reading = [*become, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    # The first run still starts with root's rights; whether the user may start it shows when it starts itself.
    again = "import os, sys; os.execv(sys.executable, [sys.executable, '-c', ''])"
    for words in (become, reading):
        if subprocess.run([*words, sys.executable, "-c", again], capture_output=True, check=False).returncode == 0:
            return words
    pytest.skip("an unprivileged user cannot run this Python")


@pytest.mark.nightly
def test_an_ordinary_user_runs_it_too(data: Path) -> None:
    os.chown(data.parent, NOBODY, NOBODY)

    with running_up(data, WITHOUT_WORKERS, "--no-ui", before=as_ordinary_user(), HOME=str(data.parent)) as up:
        parts = up.parts()
        users = {part.uids().effective for part in parts}
        exit_code = up.end(signal.SIGTERM)

    assert users == {NOBODY}
    assert exit_code == 0
    assert still_running(parts) == []
