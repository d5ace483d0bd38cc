"""Bugs seeded into workflows, activities and SQL: the gate sees that each applies, every night each is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.mutants.delivery_bugs import DELIVERY_BUGS
from tests.mutants.keeping_bugs import KEEPING_BUGS
from tests.mutants.later_bugs import LATER_BUGS
from tests.mutants.newer_bugs import NEWER_BUGS
from tests.mutants.prepaid_bugs import PREPAID_BUGS
from tests.mutants.recovery_bugs import RECOVERY_BUGS
from tests.mutants.run_bugs import RUN_BUGS
from tests.mutants.seeded_bugs import BUGS, SeededBug

# Of a copy of the project a test needs no data of the user's and no history.
LEFT_BEHIND = shutil.ignore_patterns(".git", ".venv", ".duly", "*_cache", "__pycache__", ".hypothesis", "releases")
FAILED = 1
ALL_BUGS = (
    *BUGS,
    *NEWER_BUGS,
    *PREPAID_BUGS,
    *LATER_BUGS,
    *RUN_BUGS,
    *DELIVERY_BUGS,
    *KEEPING_BUGS,
    *RECOVERY_BUGS,
)
# A test that waits for what a bug keeps from it ends after 240 s.
SECONDS = 360


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project, into which a bug may be seeded."""
    return Path(shutil.copytree(ROOT, tmp_path / "copy", ignore=LEFT_BEHIND, symlinks=True))


def result_of(copy: Path, killer: str) -> "subprocess.CompletedProcess[str]":
    """Run a test of the copy, the night's cases as well."""
    argv = (sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-m", "", killer)
    return subprocess.run(
        argv,
        cwd=copy,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize("bug", ALL_BUGS, ids=lambda bug: bug.does)
def test_each_bug_can_be_seeded_and_the_test_that_finds_it_is_there(bug: SeededBug) -> None:
    file, _, name = bug.killer.partition("::")

    seeded = bug.seeded_in((ROOT / bug.file).read_text(encoding="utf-8"))

    if bug.file.endswith(".py"):
        compile(seeded, bug.file, "exec")
    assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.parametrize("bug", ALL_BUGS, ids=lambda bug: bug.does)
def test_a_seeded_bug_is_found(bug: SeededBug, copy: Path) -> None:
    seeded = copy / bug.file
    seeded.write_text(bug.seeded_in(seeded.read_text(encoding="utf-8")), encoding="utf-8")

    found = result_of(copy, bug.killer)

    assert found.returncode == FAILED, found.stdout[-2000:] + found.stderr[-2000:]
    assert " failed" in found.stdout
