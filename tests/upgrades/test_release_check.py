"""A release is refused as long as anything of it is missing, and a released revision stays as it was."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from migrations import frozen
from migrations.run import VERSION
from tests.house.source import ROOT
from tests.upgrades.kept_release import CODE, DEPLOYMENT, KeptRelease, releases
from tests.upgrades.release_check import changelog_problems, misplaced, problems, tagged, unready

RELEASED = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-11-28\n\n### Added\n\n- Something.\n"


def test_no_released_revision_was_changed() -> None:
    assert frozen.changed() == []
    assert [release.version for release in releases()] == list(frozen.frozen())


@pytest.mark.parametrize("release", releases(), ids=lambda release: release.version)
def test_no_history_that_a_release_recorded_was_recorded_anew(release: KeptRelease) -> None:
    assert release.changed_histories() == []


@pytest.mark.parametrize("release", releases(), ids=lambda release: release.version)
def test_a_revision_that_was_edited_with_its_hash_is_named(release: KeptRelease, tmp_path: Path) -> None:
    assert release.changed_revisions(ROOT) == []
    shutil.copytree(ROOT / "migrations", tmp_path / "migrations")
    versions = tmp_path / "migrations" / "versions"
    edited, gone = min((versions / "0001_ledger").glob("*.sql")), max((versions / "0002_collecting").glob("*.sql"))
    added = versions / "0001_ledger" / "99_more.sql"
    edited.write_text(edited.read_text() + "-- more")
    gone.unlink()
    added.write_text("")

    found = [line.partition(":")[0] for line in release.changed_revisions(tmp_path)]

    assert found == sorted(str(path.relative_to(tmp_path)) for path in (edited, gone, added))


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        ("0.9.0", "is before 1.10.0"),
        ("1.9.0", "is before 1.10.0"),
        ("1.10.0rc1", "three numbers"),
        ("1.11", "three num"),
    ],
)
def test_a_version_that_cannot_follow_those_that_are_out_says_why(version: str, problem: str) -> None:
    [found] = misplaced(version, ["0.10.0", "1.10.0"])
    assert problem in found


@pytest.mark.parametrize("version", ["1.10.0", "1.11.0", "2.0.0"])
def test_a_version_that_follows_or_is_the_one_that_is_kept_is_accepted(version: str) -> None:
    assert misplaced(version, ["0.10.0", "1.10.0"]) == []


def test_the_version_is_the_same_everywhere() -> None:
    assert not [line for line in problems(ROOT, VERSION) if line.startswith("pyproject.toml")]


def test_an_edited_and_a_removed_revision_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0001_first").mkdir()
    for name, content in {
        "0001_first.py": "",
        "0001_first/01_a.sql": "create table a ();",
        "0002_second.py": "",
    }.items():
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(frozen, "_VERSIONS", tmp_path)
    monkeypatch.setattr(frozen, "LIST", tmp_path / "frozen.json")
    frozen.LIST.write_text("{}")

    assert frozen.freeze("1.0.0") == ["0001_first", "0002_second"]
    assert frozen.changed() == []
    (tmp_path / "0003_third.py").write_text("")
    assert frozen.freeze("1.0.0") == ["0003_third"]
    assert (frozen.freeze("1.0.1"), list(frozen.frozen())) == ([], ["1.0.0", "1.0.1"])
    assert list(frozen.frozen()["1.0.0"]) == ["0001_first", "0002_second", "0003_third"]
    (tmp_path / "0001_first" / "01_a.sql").write_text("create table a (b int);")
    (tmp_path / "0002_second.py").unlink()

    assert frozen.changed() == [
        "migrations/versions/0001_first: was changed after release 1.0.0",
        "migrations/versions/0002_second: is gone after release 1.0.0",
    ]


def test_a_changelog_of_a_release_is_accepted() -> None:
    assert changelog_problems(RELEASED, "1.2.0") == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (RELEASED.replace("1.2.0", "1.1.0"), "the newest release is 1.1.0, not 1.2.0"),
        (RELEASED.replace(" - 2026-11-28", ""), "has no day"),
        (RELEASED.replace("2026-11-28", "2026-13-28"), "has no day"),
        (RELEASED.replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n"), "[Unreleased] has entries"),
        (RELEASED.replace("## [Unreleased]\n", ""), "begins with [Unreleased]"),
        (RELEASED.replace("- Something.\n", "## [1.1.0] - 2026-11-01\n\n- Of another.\n"), "[1.2.0] has no entry"),
    ],
)
def test_a_changelog_that_is_not_ready_says_why(text: str, problem: str) -> None:
    [found] = changelog_problems(text, "1.2.0")
    assert problem in found


def test_a_release_that_was_not_kept_is_not_released() -> None:
    missing = [path.name for path in KeptRelease("9.9.9").files()]

    assert [line for line in problems(ROOT, "9.9.9") if line.endswith("is missing")] == [
        f"{name} of 9.9.9: is missing" for name in missing
    ]


def test_a_release_that_was_kept_before_its_code_was_changed_is_not_released() -> None:
    changed = problems(ROOT, releases()[0].version)

    assert "worker.py: is not what 0.1.0 was kept with; `make release` keeps it anew" in changed


def test_nothing_is_kept_before_version_and_changelog_are_ready_and_the_tree_is_committed(tmp_path: Path) -> None:
    git("init", "--quiet", at=tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.1.0"')

    assert [line.partition(":")[0] for line in unready(tmp_path, "1.2.0")] == [
        *("pyproject.toml", "CHANGELOG.md", "the tree has changes that are not committed")
    ]

    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.0"')
    (tmp_path / "CHANGELOG.md").write_text(RELEASED)
    git("add", ".", at=tmp_path)
    git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "Release", at=tmp_path)
    assert (unready(tmp_path, "1.2.0"), tagged(tmp_path, "1.2.0")) == ([], [])

    git("tag", "v1.2.0", at=tmp_path)
    assert len(tagged(tmp_path, "1.2.0")) == 1


def test_what_is_kept_has_all_that_its_image_is_built_from() -> None:
    copies = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert {name.rstrip("/") for line in copies for name in line.split()} - {*CODE, *DEPLOYMENT} == set()


def git(*words: str, at: Path) -> None:
    """Run git in a folder."""
    subprocess.run(("git", *words), cwd=at, check=True)
