"""What workers of the last release call is still there, with the arguments they give and the answer they expect."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from sandbox.servers.postgres import PostgresServer
from tests.house.function_calls import called_functions
from tests.house.source import modules
from tests.ledger.books import plain_url
from tests.upgrades.kept_release import releases
from tests.upgrades.postgres_tools import restore_release

_CALLABLE = """
    select proname, coalesce(proargnames, '{}'), array(select format_type(t, null) from unnest(proargtypes) t),
        pronargs - pronargdefaults, pg_get_function_result(oid)
    from pg_proc where pronamespace = 'duly'::regnamespace and prokind = 'f'
    and has_function_privilege('duly_app', oid, 'execute')
"""


@dataclass(frozen=True)
class Signature:
    """A function that the runtime role may call: its arguments with their types, how many must be given, its result."""

    arguments: tuple[str, ...]
    types: tuple[str, ...]
    required: int
    result: str


def callables(url: str) -> Mapping[str, Signature]:
    """Return what the runtime role may call in a database."""
    with psycopg.connect(plain_url(url)) as owner:
        return {
            name: Signature(tuple(names[: len(types)]), tuple(types), required, result)
            for name, names, types, required, result in owner.execute(_CALLABLE).fetchall()
        }


def broken_calls(before: Mapping[str, Signature], after: Mapping[str, Signature]) -> list[str]:
    """Return a line for each function that callers of before cannot call as they do."""
    return [f"{name}: {problem}" for name, old in sorted(before.items()) if (problem := _problem(old, after.get(name)))]


def _problem(old: Signature, new: Signature | None) -> str:
    if new is None:
        return "is gone; it stays for one release after its last caller"
    if old.result != new.result:
        return f"returned {old.result}, returns {new.result}"
    given = len(old.arguments)
    if (old.arguments, old.types) != (new.arguments[:given], new.types[:given]):
        return "has not the arguments it had; new ones follow the others"
    if new.required > old.required:
        return f"must be given {', '.join(new.arguments[old.required : new.required])}; new ones have defaults"
    return ""


async def test_workers_of_the_last_release_can_call_all_that_they_called(
    postgres_server: PostgresServer, owner_database_url: str, tmp_path: Path
) -> None:
    release = releases()[-1]
    await restore_release(postgres_server, release, "last_release", tmp_path)

    granted = callables(postgres_server.owner_url("last_release"))
    called = called_functions(modules(release.unpack_code(tmp_path)), frozenset(granted))
    before = {name: granted[name] for name in called}

    assert {"open_attempt", "record_outcome"} <= before.keys()
    assert broken_calls(before, callables(owner_database_url)) == []
    await postgres_server.drop_database("last_release")


OLD = Signature(("p_id", "p_limit"), ("text", "integer"), 1, "jsonb")


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        (None, "is gone"),
        (Signature(OLD.arguments, OLD.types, 1, "text"), "returned jsonb, returns text"),
        (Signature(("p_id", "p_most"), OLD.types, 1, "jsonb"), "has not the arguments it had"),
        (Signature(OLD.arguments, ("text", "bigint"), 1, "jsonb"), "has not the arguments it had"),
        (Signature(("p_id",), ("text",), 1, "jsonb"), "has not the arguments it had"),
        (Signature((*OLD.arguments, "p_at"), (*OLD.types, "date"), 3, "jsonb"), "must be given p_limit, p_at"),
    ],
)
def test_a_call_that_breaks_is_found(new: Signature | None, problem: str) -> None:
    [found] = broken_calls({"page": OLD}, {} if new is None else {"page": new})

    assert found.startswith(f"page: {problem}")


def test_an_argument_that_follows_with_a_default_breaks_no_call() -> None:
    new = Signature((*OLD.arguments, "p_at"), (*OLD.types, "date"), 1, "jsonb")

    assert broken_calls({"page": OLD}, {"page": new, "another": OLD}) == []
