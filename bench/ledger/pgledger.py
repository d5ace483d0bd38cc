"""pgledger, a public ledger in PL/pgSQL (github.com/pgr0ss/pgledger), loaded from a copy that the caller names.

Nothing of it is kept here: DULY_BENCH_PGLEDGER is the path of a clone, with a work tree or without.
"""

import os
import subprocess
from pathlib import Path

import psycopg

from sandbox.servers.processes import ServiceError

VARIABLE = "DULY_BENCH_PGLEDGER"
SCRIPTS = (
    "vendor/scoville-pgsql-ulid/ulid-to-uuid.sql",
    "vendor/scoville-pgsql-ulid/uuid-to-ulid.sql",
    "pgledger.sql",
)


def path_of_pgledger() -> Path | None:
    """Return the path of pgledger's repository, or None when nobody named one."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def revision_of(repository: Path) -> str:
    """Return the commit that is measured."""
    return _git(repository, "rev-parse", "--short", "HEAD").strip()


def load_pgledger(repository: Path, owner: psycopg.Connection, accounts: int) -> None:
    """Create pgledger in a database, with accounts and one clearing account, numbered in a table of the bench."""
    for script in SCRIPTS:
        owner.execute(_git(repository, "show", f"HEAD:{script}").encode())
    owner.execute("create table numbered_accounts (n int primary key, id text not null)")
    owner.execute(
        "insert into numbered_accounts select n, (pgledger_create_account('account_' || n, 'EUR')).id"
        f" from generate_series(0, {accounts}) n"
    )


def _git(repository: Path, *arguments: str) -> str:
    command = ("git", "-c", f"safe.directory={repository}", "-C", str(repository), *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise ServiceError("pgledger", f"{VARIABLE} is no clone of it: {done.stderr.strip()}", what="was not loaded")
    return done.stdout
