"""The SQL of this release: which functions, views and rights it needs, and the hash that stands for them."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
# Views name functions, and each other: they come last, in this order.
VIEWS = ("ledger/views.sql", "ledger/invariants.sql", "collections/views.sql", "reconciliation/views.sql")
RIGHTS = FOLDER / "rights.sql"


def function_files() -> list[Path]:
    """Return what is replaced by every migrate, in the order in which it is applied; rights are apart."""
    folder = FOLDER / "functions"
    views = [folder / name for name in VIEWS]
    return [*sorted(path for path in folder.rglob("*.sql") if path not in views), *views]


@cache
def functions_hash() -> str:
    """Return the SHA-256 of the functions, views and rights of this release, in hexadecimal."""
    digest = hashlib.sha256()
    for path in (*function_files(), RIGHTS):
        digest.update(path.read_bytes())
    return digest.hexdigest()
