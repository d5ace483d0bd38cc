"""Which code a worker runs: what Temporal notes with each task that it has done."""

import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Everything that a workflow or an activity may run, but for what is installed beside it (requirements-runtime.lock).
FOLDERS = ("activities", "migrations", "models", "settings", "telemetry", "workflows")


@cache
def build_id() -> str:
    """Return a name for the code of this process, the same wherever the same files are.

    The SDK's own is a hash over the bytecode of every module that is loaded, libraries included: a third of a second of
    each process's start.
    """
    return f"duly-{hash_of(ROOT)[:16]}"


def hash_of(root: Path) -> str:
    """Return the SHA-256 of the code below a folder, in hexadecimal."""
    digest = hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
