"""`duly` can be typed: installed by `make setup`, with its release, its completion, and the settings of `make up`."""

import os
import pty
import shlex
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sandbox.up import DATA
from settings.development import FILE
from tests.house.source import ROOT
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def run(
    *words: str | Path, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, under an environment without settings unless some are given."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        words,
        cwd=folder,
        env={**bare, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def duly(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, ROOT / "starter.py", *words, folder=folder, environment=environment)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in an environment that has all packages of the lock, as `make setup` puts it there."""
    folder = tmp_path_factory.mktemp("setup") / ".venv"
    venv.create(folder, with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    (packages / "lock.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (folder / ".installed-from-lock").touch()
    done = run("make", "setup", f"VENV={folder}", folder=ROOT)
    assert done.returncode == 0, done.stderr
    return folder / "bin" / "duly"


def test_the_command_runs_this_project_from_wherever_it_is_typed(installed: Path, tmp_path: Path) -> None:
    result = run(installed, "--version", folder=tmp_path)

    assert (result.returncode, result.stdout, result.stderr) == (0, f"duly {VERSION}\n", "")


def test_the_command_calls_itself_by_its_name(installed: Path, tmp_path: Path) -> None:
    assert "Usage: duly [OPTIONS] COMMAND" in run(installed, "--help", folder=tmp_path).stdout


@pytest.mark.parametrize(
    ("typed", "completed"), [("duly ru", "runs"), ("duly runs cert", "certificate"), ("duly runs list --ki", "--kind")]
)
def test_a_shell_completes_its_words(installed: Path, tmp_path: Path, typed: str, completed: str) -> None:
    asked = {"_DULY_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}

    result = run(installed, folder=tmp_path, environment=asked)

    assert result.stdout.split() == [completed]


def test_a_shell_s_completion_is_printed(installed: Path, tmp_path: Path) -> None:
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    result = run(installed, "--show-completion", "zsh", folder=tmp_path, environment=named)

    assert "compdef _duly_completion duly" in result.stdout


@pytest.fixture
def folder_of_make_up(cli: CommandLine, merchant: Merchant, tmp_path: Path) -> Path:
    """A folder in which `make up` runs, with other variables in its file as well."""
    lines = [f"{name}={shlex.quote(value)}" for name, value in cli.environment.items() if value]
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text("\n".join([*lines, "PATH=/nowhere", "LD_PRELOAD=/nowhere.so"]) + "\n")
    return tmp_path


@pytest.mark.nightly
def test_the_settings_of_make_up_are_found_in_its_folder_and_below(folder_of_make_up: Path) -> None:
    below = folder_of_make_up / "a" / "b"
    below.mkdir(parents=True)

    for folder in (folder_of_make_up, below):
        result = duly("definitions", "list", folder=folder)

        assert result.returncode == 0
        assert "monthly" in result.stdout
        assert result.stderr.replace("\n", "").count("No settings in the environment: taken from") == 1


@pytest.mark.nightly
def test_a_program_is_not_disturbed_by_where_the_settings_come_from(folder_of_make_up: Path) -> None:
    result = duly("definitions", "list", "--json", folder=folder_of_make_up)

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.nightly
def test_whoever_has_set_something_gets_nothing_of_it(folder_of_make_up: Path) -> None:
    result = duly("definitions", "list", folder=folder_of_make_up, STRIPE_API_KEY="sk_test_mine")

    assert result.returncode == 2
    assert "error: DULY_DATABASE_URL: is not set" in result.stderr


@pytest.mark.nightly
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_somebody_else_is_not_read(folder_of_make_up: Path) -> None:
    os.chown(folder_of_make_up / FILE, 65534, 65534)

    assert duly("definitions", "list", folder=folder_of_make_up).returncode == 2


def test_make_up_writes_the_file_that_is_looked_for() -> None:
    assert DATA / "environment" == FILE


@pytest.mark.nightly
def test_without_any_settings_it_says_where_they_come_from(tmp_path: Path) -> None:
    result = duly("runs", "list", folder=tmp_path)

    lines = result.stderr.splitlines()
    assert result.returncode == 2
    assert lines[0].startswith("error: DULY_DATABASE_URL: is not set: Runtime database address, postgresql+psycopg://")
    assert lines[-1].startswith("error: settings: they come from the environment; to look around, run `make up`")


LOGS_A_LINE = (
    "import logging; from commands.session import read_settings; read_settings(); logging.getLogger('it').info('said')"
)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("asked", "opened", "is_json"),
    [
        pytest.param({}, pty.openpty, False, id="at a terminal"),
        pytest.param({}, os.pipe, True, id="into a pipe", marks=pytest.mark.nightly),
        pytest.param({"DULY_LOG_FORMAT": "json"}, pty.openpty, True, id="asked for", marks=pytest.mark.nightly),
    ],
)
def test_commands_tell_a_person_in_lines_and_a_program_in_json(
    cli: CommandLine, asked: Mapping[str, str], opened: Callable[[], tuple[int, int]], is_json: bool
) -> None:
    ours, theirs = opened()

    subprocess.run(
        (sys.executable, "-c", LOGS_A_LINE),
        cwd=ROOT,
        env={**os.environ, **cli.environment, "DULY_LOG_LEVEL": "INFO", **asked},
        stderr=theirs,
        check=True,
    )
    os.close(theirs)
    line = os.read(ours, 10_000).decode()
    os.close(ours)

    assert "said" in line
    assert line.startswith("{") is is_json
