"""Revisions that were released: they are never edited, and their hashes say so (`docs/upgrading.md`)."""

import hashlib
import json
from collections.abc import Mapping

from migrations.source import FOLDER

LIST = FOLDER / "frozen.json"
_VERSIONS = FOLDER / "versions"


def revisions() -> list[str]:
    """Return the names of all revisions, the oldest first."""
    return sorted(path.stem for path in _VERSIONS.glob("[0-9]*.py"))


def revision_hash(revision: str) -> str:
    """Return the SHA-256 of a revision's program and of its SQL, file by file, in hexadecimal."""
    digest = hashlib.sha256()
    for path in (_VERSIONS / f"{revision}.py", *sorted((_VERSIONS / revision).glob("*.sql"))):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def frozen() -> Mapping[str, Mapping[str, str]]:
    """Return the hashes of the released revisions, by release and revision."""
    found: dict[str, dict[str, str]] = json.loads(LIST.read_text(encoding="utf-8"))
    return found


def freeze(version: str) -> list[str]:
    """Add the revisions that no release has yet to those of this version, and return them."""
    listed = frozen()
    known = {revision for each in listed.values() for revision in each}
    new = {revision: revision_hash(revision) for revision in revisions() if revision not in known}
    # A release that brings no revision is listed as well.
    LIST.write_text(
        json.dumps({**listed, version: {**listed.get(version, {}), **new}}, indent=2) + "\n", encoding="utf-8"
    )
    return list(new)


def changed() -> list[str]:
    """Return a line for each released revision that is not what was released."""
    there = set(revisions())
    return [
        f"migrations/versions/{revision}: {'was changed' if revision in there else 'is gone'} after release {version}"
        for version, each in frozen().items()
        for revision, stored in each.items()
        if revision not in there or revision_hash(revision) != stored
    ]
