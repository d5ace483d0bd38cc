"""What must be true of a release before it is tagged: `make release-check`."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from migrations.frozen import changed, frozen, revisions
from migrations.run import VERSION
from tests.house.source import ROOT
from tests.upgrades.kept_release import LARGEST_BYTES, KeptRelease, numbers_of, releases

_HEADING = re.compile(r"^## \[(?P<version>[^]]+)\](?: - (?P<day>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)
_UNRELEASED = "Unreleased"
_VERSION = re.compile(r"\d+(\.\d+){2}")


def problems(root: Path, version: str) -> list[str]:
    """Return a line for each thing that keeps this tree from being released as a version."""
    kept = KeptRelease(version)
    missing = _missing_files(kept)
    return [
        *unready(root, version),
        *changed(),
        *(line for release in releases() if release.version != version for line in release.changed_revisions(root)),
        *(line for release in releases() if release.histories.exists() for line in release.changed_histories()),
        *_revisions_without_a_release(),
        *missing,
        *([] if missing else kept.changed_code(root)),
    ]


def unready(root: Path, version: str) -> list[str]:
    """Return a line for each thing that must be done before this tree is kept as a version: `make release`."""
    changelog = root / "CHANGELOG.md"
    return [
        *_wrong_versions(root, version),
        *changelog_problems(changelog.read_text(encoding="utf-8") if changelog.exists() else "", version),
        *uncommitted(root),
    ]


def changelog_problems(text: str, version: str) -> list[str]:
    """Return a line for each thing that the changelog of a release lacks."""
    headings = list(_HEADING.finditer(text))
    if len(headings) < 2 or headings[0]["version"] != _UNRELEASED:
        return ["CHANGELOG.md: begins with [Unreleased], and the release follows it"]
    newest, found = headings[1], []
    if newest["version"] != version:
        found.append(f"CHANGELOG.md: the newest release is {newest['version']}, not {version}")
    if newest["day"] is None or not _is_day(newest["day"]):
        found.append(f"CHANGELOG.md: [{newest['version']}] has no day, as in ## [{version}] - 2026-11-28")
    if text[headings[0].end() : newest.start()].strip():
        found.append("CHANGELOG.md: [Unreleased] has entries, which belong to the release")
    entries = text[newest.end() : headings[2].start() if len(headings) > 2 else len(text)]
    if not re.search(r"^- ", entries, re.MULTILINE):
        found.append(f"CHANGELOG.md: [{newest['version']}] has no entry")
    return found


def _wrong_versions(root: Path, version: str) -> list[str]:
    stated = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    differs = [] if stated == version else [f"pyproject.toml: version is {stated}, migrations/run.py has {version}"]
    return [*differs, *misplaced(version, [release.version for release in releases()])]


def misplaced(version: str, kept: Sequence[str]) -> list[str]:
    """Return a line when a version cannot follow those that are kept."""
    if not _VERSION.fullmatch(version):
        return [f"migrations/run.py: {version} is not of three numbers, as 1.2.0"]
    later = [each for each in kept if numbers_of(each) > numbers_of(version)]
    return [f"migrations/run.py: {version} is before {later[-1]}, which is out"] if later else []


def _revisions_without_a_release() -> list[str]:
    listed = {revision for each in frozen().values() for revision in each}
    return [
        f"migrations/versions/{revision}: is in no release of migrations/frozen.json; `make release` adds it"
        for revision in revisions()
        if revision not in listed
    ]


def _missing_files(release: KeptRelease) -> list[str]:
    missing = [f"{path.name} of {release.version}: is missing" for path in release.files() if not path.exists()]
    large = [path.name for path in release.files() if path.exists() and path.stat().st_size > LARGEST_BYTES]
    return [*missing, *(f"{name} of {release.version}: is larger than {LARGEST_BYTES} bytes" for name in large)]


def uncommitted(root: Path) -> list[str]:
    """Return a line when a tree has changes that no archive of it has, but for what `make release` writes itself."""
    kept = (":!migrations/frozen.json", ":!tests/upgrades/releases")
    is_changed = _git(root, "status", "--porcelain", "--", ".", *kept)
    return ["the tree has changes that are not committed"] if is_changed else []


def tagged(root: Path, version: str) -> list[str]:
    """Return a line when a version is out: what was kept of it is not kept anew."""
    is_tagged = _git(root, "tag", "--list", f"v{version}")
    return [f"v{version}: is tagged already; the next release has a version of its own"] if is_tagged else []


def _git(root: Path, *words: str) -> str:
    return subprocess.run(("git", *words), cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text) <= date.today()  # noqa: DTZ011  # the day of whoever releases
    except ValueError:
        return False


def main() -> None:
    """Print what keeps this tree from being released, and end with 1 if anything does."""
    found = problems(ROOT, VERSION)
    if not found and _git(ROOT, "status", "--porcelain"):
        found = ["what was kept of this release is not committed"]
    sys.stdout.write("".join(f"{line}\n" for line in found) or f"{VERSION} may be released: tag it v{VERSION}\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
