"""Brings a database to the schema of this release: frozen revisions first, then functions, views and rights at once."""

import argparse
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, pool, text
from sqlalchemy.exc import DBAPIError

from migrations.source import FOLDER, RIGHTS, function_files, functions_hash, view_files, view_names

Answer = TypeVar("Answer")

SCHEMA = "duly"
VERSION = "0.1.0"

# Whoever waits longer for a table's lock makes everybody behind it wait too: give way, and let migrate be run again.
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "15min"
CONNECT: dict[str, Any] = {
    "connect_timeout": 5,
    "options": f"-c lock_timeout={LOCK_TIMEOUT} -c statement_timeout={STATEMENT_TIMEOUT}",
}
# A payment takes the locks of some tables in another order than a revision of several tables does; the server then ends
# either. One ends after a second, so that this many in a row are no accident.
DEADLOCKS_AT_MOST = 5
_DEADLOCK = "40P01"
# Two migrates at once follow one another. The number is arbitrary and ours.
_ONLY_ONE = 7_294_118
# Asked again and again: whoever waits inside a statement has a snapshot, and an index that the other migrate builds
# beside writers waits for every snapshot that is older than it.
ALONE_POLL_SECONDS, ALONE_SECONDS = 0.5, 900.0

# What is created belongs to whoever creates it, and only its owner can replace it or grant rights on it.
_OTHER_OWNER = """
    select pg_get_userbyid(c.relowner), current_user from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'duly' and c.relname = 'alembic_version' and pg_get_userbyid(c.relowner) <> current_user
"""

# What this run did not create or replace is of an older release: another signature of the same function, mostly, which
# would make calls by name ambiguous. Its callers find the new one, whose added arguments have defaults.
_OLDER_FUNCTIONS = """
    select p.oid::regprocedure::text as signature from pg_proc p
    where p.pronamespace = 'duly'::regnamespace and p.xmin <> pg_current_xact_id()::xid and p.prokind = 'f'
"""

# Bodies are read when all functions and views are there: what cannot run ends the migrate, and no activity later.
_CHECKED_BODIES = """
    select case l.lanname when 'sql' then fmgr_sql_validator(p.oid) else plpgsql_validator(p.oid) end
    from pg_proc p join pg_language l on l.oid = p.prolang
    where p.pronamespace = 'duly'::regnamespace and l.lanname in ('sql', 'plpgsql')
"""
_AS_INSTALLED = "select not exists (select from duly.changed_objects() where object not like 'trigger %')"
# PostgreSQL replaces a view only by one that keeps its columns and may add some at the end.
_OTHER_COLUMNS = "42P16"

_FORGET_FUNCTIONS = """
    do $$ begin
        if to_regclass('duly.installation') is not null then update duly.installation set functions_hash = ''; end if;
    end $$
"""


@dataclass(frozen=True)
class Migrated:
    """Revisions before and after, and whether functions, views or rights were replaced."""

    before: str | None
    after: str | None
    has_new_functions: bool


def migrate(url: str) -> Migrated:
    """Bring a database to this release under the owner's role.

    Raises DBAPIError, or CommandError: a newer revision, another owner, or another migrate that does not end within
    ALONE_SECONDS. Running it again changes nothing. Everything that is replaced is replaced in one transaction: a
    worker that runs meanwhile sees the functions of one release or of the other.
    """
    engine = create_engine(url, poolclass=pool.NullPool, connect_args=CONNECT)
    with engine.connect() as connection, _alone(connection):
        _require_owner(connection)
        before = revision_of(connection)
        connection.rollback()
        _require_known(before)
        _until_no_deadlock(connection, lambda: command.upgrade(configuration(url), "head"))
        after = revision_of(connection)
        connection.rollback()
        has_new = _until_no_deadlock(connection, lambda: apply_functions(connection))
        connection.rollback()
    return Migrated(before, after, has_new)


def _until_no_deadlock(connection: Connection, step: Callable[[], Answer]) -> Answer:
    """Repeat a step that a deadlock with a running worker has undone; what it had committed before stays."""
    for _ in range(DEADLOCKS_AT_MOST):
        try:
            return step()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _DEADLOCK:
                raise
            connection.rollback()
    return step()


def configuration(url: str = "") -> Config:
    """Return Alembic's configuration; with an address, revisions go there instead of where the settings say."""
    options = argparse.Namespace(x=[f"url={url}"]) if url else None
    config = Config(cmd_opts=options)
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def head() -> str | None:
    """Return the newest revision of this release."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def revision_of(connection: Connection) -> str | None:
    """Return the revision that a database is at; None for an empty one."""
    return MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA}).get_current_revision()


def apply_functions(connection: Connection) -> bool:
    """Replace functions, views and rights in one transaction; False when the database has these already.

    A revision forgets their hash, so that they follow it: rights on a new table are granted by the same list. What was
    changed by hand is put back.
    """
    with connection.begin():
        stored = connection.execute(text("select functions_hash from duly.installation")).scalar_one()
        if stored == functions_hash() and _is_as_installed(connection):
            return False
        # A body may call a function of a later file.
        connection.execute(text("set local check_function_bodies = off"))
        for path in function_files():
            run_script(connection, path)
        _replace_views(connection)
        for row in connection.execute(text(_OLDER_FUNCTIONS)).all():
            connection.execute(text(f"drop function {row.signature}"))
        connection.execute(text("set local check_function_bodies = on"))
        connection.execute(text(_CHECKED_BODIES))
        run_script(connection, RIGHTS)
        connection.execute(text("select duly.keep_installed_objects()"))
        connection.execute(
            text(
                "update duly.installation set functions_hash = :hash, functions_version = :version,"
                " functions_applied_at = now()"
            ),
            {"hash": functions_hash(), "version": VERSION},
        )
    return True


def _is_as_installed(connection: Connection) -> bool:
    """Say whether nobody has changed a function or view. Triggers are of the revisions: migrate mends none of them."""
    if connection.execute(text("select to_regprocedure('duly.changed_objects()')")).scalar_one() is None:
        return False
    return bool(connection.execute(text(_AS_INSTALLED)).scalar_one())


def run_scripts(folder: str) -> None:
    """Run the frozen scripts of a revision, in the order of their names."""
    for path in sorted((FOLDER / "versions" / folder).glob("*.sql")):
        run_script(op.get_bind(), path)


def run_script(connection: Connection, path: Path) -> None:
    """Run a script of several statements as it stands: the driver must not look for parameters in it."""
    connection.exec_driver_sql(path.read_text(encoding="utf-8"), execution_options={"no_parameters": True})


def _require_known(revision: str | None) -> None:
    known = {each.revision for each in ScriptDirectory.from_config(configuration()).walk_revisions()}
    if revision is not None and revision not in known:
        raise CommandError(
            f"the database is at revision {revision}, which this release does not have: a newer one migrated it, and"
            " its revisions have no way down; deploy that release, or restore a backup"
        )


def _require_owner(connection: Connection) -> None:
    for owner, role in connection.execute(text(_OTHER_OWNER)).all():
        raise CommandError(
            f"the tables belong to {owner}, and this is {role}: migrate under the owner's role"
            " (DULY_MIGRATION_DATABASE_URL), so that functions and tables have one owner, who can replace them"
        )


def forget_functions(connection: Connection) -> None:
    """Forget the functions' hash in the commit of a revision: should the rest fail, the next migrate applies it."""
    connection.execute(text(_FORGET_FUNCTIONS))


def _replace_views(connection: Connection) -> None:
    """Replace the views, and drop what is of another release; where columns differ, all of them are made anew."""
    there = set(connection.execute(text("select viewname from pg_views where schemaname = 'duly'")).scalars())
    _drop_views(connection, there - view_names())
    try:
        with connection.begin_nested():
            _run_view_files(connection)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _OTHER_COLUMNS:
            raise
        _drop_views(connection, there & view_names())
        _run_view_files(connection)


def _drop_views(connection: Connection, names: Collection[str]) -> None:
    if names:
        connection.execute(text(f"drop view {', '.join(f'duly.{name}' for name in sorted(names))}"))


def _run_view_files(connection: Connection) -> None:
    for path in view_files():
        run_script(connection, path)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    until = time.monotonic() + ALONE_SECONDS
    while not _is_alone(connection):
        if time.monotonic() > until:
            raise CommandError(f"another migrate has not ended within {ALONE_SECONDS:.0f} s: run it again afterwards")
        time.sleep(ALONE_POLL_SECONDS)
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _ONLY_ONE})
        connection.commit()


def _is_alone(connection: Connection) -> bool:
    is_alone = bool(connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": _ONLY_ONE}).scalar_one())
    connection.commit()
    return is_alone
