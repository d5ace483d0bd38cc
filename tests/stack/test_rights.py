"""The runtime role may call what the code calls and nothing else, and changes no card's token or state by itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.house.function_calls import called_functions, names_made_up
from tests.house.source import modules
from tests.upgrades.kept_release import releases

_FUNCTIONS = """
    select p.proname as name, p.prosrc as body, p.prosecdef as is_definer,
        has_function_privilege('duly_app', p.oid, 'execute') as is_granted
    from pg_proc p where p.pronamespace = 'duly'::regnamespace and p.prokind = 'f'
"""
# Views, checks, defaults and indexes call their functions with the rights of whoever reads or writes.
_NEEDED_BY_OBJECTS = """
    select distinct p.proname from pg_depend d join pg_proc p on p.oid = d.refobjid
    where d.refclassid = 'pg_proc'::regclass and p.pronamespace = 'duly'::regnamespace
      and d.classid in ('pg_rewrite'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_class'::regclass)
"""
_CALL = re.compile(r"\bduly\.(\w+)\s*\(")


@dataclass(frozen=True)
class Function:
    """A function of the database: whether it runs with its owner's rights, and whether the runtime role may call it."""

    name: str
    body: str
    is_definer: bool
    is_granted: bool


async def functions_of(owner: AsyncEngine) -> Mapping[str, Function]:
    async with owner.connect() as connection:
        return {row.name: Function(*row) for row in await connection.execute(text(_FUNCTIONS))}


async def needed_by_objects(owner: AsyncEngine) -> frozenset[str]:
    async with owner.connect() as connection:
        return frozenset((await connection.execute(text(_NEEDED_BY_OBJECTS))).scalars())


def with_what_they_call(names: frozenset[str], functions: Mapping[str, Function]) -> frozenset[str]:
    """Add what is called with the caller's rights: by a function that does not run with its owner's."""
    found = set(names)
    while (
        more := {
            called
            for name in found
            if not functions[name].is_definer
            for called in _CALL.findall(functions[name].body)
            if called in functions
        }
        - found
    ):
        found |= more
    return frozenset(found)


def called_by_releases(names: frozenset[str], folder: Path) -> frozenset[str]:
    """What workers of a kept release call: during an upgrade they go on with the new functions and rights."""
    return frozenset().union(
        *(called_functions(modules(release.unpack_code(folder / release.version)), names) for release in releases())
    )


async def test_the_runtime_role_may_call_what_the_code_calls_and_nothing_else(
    owner_engine: AsyncEngine, tmp_path: Path
) -> None:
    functions = await functions_of(owner_engine)
    called = called_functions(modules(), frozenset(functions))
    called_before = called_by_releases(frozenset(functions), tmp_path)
    needed = with_what_they_call(called | called_before | await needed_by_objects(owner_engine), functions)
    granted = {name for name, function in functions.items() if function.is_granted}

    assert "events_to_deliver" in called_before - called
    assert {"open_attempt", "record_outcome", "cancel_invoice", "freeze_shadow_run", "standing_payment"} <= called
    assert sorted(granted - needed) == []
    assert sorted(needed - granted) == []


def test_the_name_of_a_function_stands_in_the_code_and_is_not_put_together() -> None:
    assert names_made_up(modules()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "select duly.draft_payment('k', 'acc_1', 2500, 'EUR', 'card', 'stripe', '{}', 'system')",
        "select duly.post_gateway_payment('pay_1', 'pi_1')",
        "select duly.book_gateway_fee('k', 'stripe', 'EUR', 30, 'ch_1')",
        "select * from duly.post_invoices('[]')",
        "update duly.cards set token = 'pm_another'",
        "update duly.cards set state = 'active'",
        "update duly.gateway_customers set customer_reference = 'cus_another'",
    ],
)
def test_money_that_no_gateway_moved_and_another_customers_card_are_out_of_reach(
    database_url: str, statement: str
) -> None:
    with (
        psycopg.connect(database_url.replace("+psycopg", "")) as runtime,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        runtime.execute(statement)
