"""The SQL of this release: which functions, views and rights it needs, and the hash that stands for them."""

import hashlib
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
# Views name functions, and each other: they come last, in this order.
VIEWS = (
    "ledger/views.sql",
    "bank/debit_invariants.sql",
    "ledger/invariants.sql",
    "collections/views.sql",
    "reconciliation/views.sql",
    "reports/views.sql",
    "reports/gateway_views.sql",
    "reports/fee_views.sql",
    "reports/prepaid_views.sql",
    "reports/debit_views.sql",
    "reports/lifetime_views.sql",
)
RIGHTS = FOLDER / "rights.sql"
_VIEW = re.compile(r"^create or replace view duly\.(\w+)", re.MULTILINE)


def function_files() -> list[Path]:
    """Return the files of functions, in the order in which every migrate applies them; views and rights follow."""
    views = view_files()
    return sorted(path for path in (FOLDER / "functions").rglob("*.sql") if path not in views)


def view_files() -> list[Path]:
    """Return the files of views, in the order in which they are applied."""
    return [FOLDER / "functions" / name for name in VIEWS]


def view_names() -> frozenset[str]:
    """Return the names of this release's views."""
    return frozenset(name for path in view_files() for name in _VIEW.findall(path.read_text(encoding="utf-8")))


@cache
def functions_hash() -> str:
    """Return the SHA-256 of the functions, views and rights of this release, in hexadecimal."""
    digest = hashlib.sha256()
    for path in (*function_files(), *view_files(), RIGHTS):
        digest.update(path.read_bytes())
    return digest.hexdigest()
