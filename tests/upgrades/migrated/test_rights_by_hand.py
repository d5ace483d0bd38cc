"""The runtime role may do what migrate gives it: rights that were changed or lost in a dump are named, and given."""

import asyncio

import pytest

from migrations import run
from tests.ledger.books import own

LOST = ("revoke execute on function duly.open_attempt from duly_app", "rights on function duly.open_attempt(")
TABLE = ("grant insert on duly.transfers to duly_app", "rights on duly.transfers")
COLUMN = ("grant update (email) on duly.accounts to public", "rights on duly.accounts")
SEQUENCE = ("grant usage on duly.transfers_id_seq to duly_app", "rights on duly.transfers_id_seq")
EVERYBODY = ("grant execute on function duly.mark_roll_up to public", "rights on function duly.mark_roll_up()")
SCHEMA = ("revoke usage on schema duly from duly_app", "rights on schema duly")


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(("by_hand", "named"), [LOST, TABLE, COLUMN, SEQUENCE, EVERYBODY, SCHEMA])
async def test_a_right_that_was_changed_by_hand_is_named_and_migrate_puts_it_back(
    owner_database_url: str, by_hand: str, named: str
) -> None:
    rights = "select name, body from duly.installed_rights() order by 1"
    before = await own(owner_database_url, rights)
    await own(owner_database_url, by_hand)

    changed = await own(owner_database_url, "select object from duly.changed_objects()")
    migrated = await asyncio.to_thread(run.migrate, owner_database_url)

    assert [str(name).startswith(named) for (name,) in changed] == [True]
    assert migrated.has_new_functions
    assert await own(owner_database_url, rights) == before
    assert not (await asyncio.to_thread(run.migrate, owner_database_url)).has_new_functions


async def test_a_database_that_was_restored_without_rights_gets_them_by_migrate(owner_database_url: str) -> None:
    rights = "select name, body from duly.installed_rights() order by 1"
    before = await own(owner_database_url, rights)
    await own(
        owner_database_url,
        "revoke all on all routines in schema duly from duly_app; revoke all on schema duly from duly_app;"
        " revoke all on all tables in schema duly from duly_app;"
        " revoke all on all sequences in schema duly from duly_app",
    )

    missing = await own(owner_database_url, "select object, difference from duly.changed_objects()")
    migrated = await asyncio.to_thread(run.migrate, owner_database_url)

    assert len(missing) == len(before)
    assert {difference for _, difference in missing} == {"missing"}
    assert migrated.has_new_functions
    assert await own(owner_database_url, rights) == before
