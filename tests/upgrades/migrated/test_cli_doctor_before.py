"""The doctor before the migrate: it says what is missing and what to do, and looks at everything else as well."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

# A gateway that does not answer: then the database's clock is compared with this machine's alone.
NOBODY = "http://127.0.0.1:1"
NOTHING = ("drop schema duly cascade", "not migrated")
# What a release that this database does not have yet reads, and what it calls.
TABLE = ("drop table duly.clock_readings", None)
FUNCTION = ("drop function duly.open_attempt", "changed by hand: function duly.open_attempt(")


@pytest.mark.parametrize(("behind", "found"), [NOTHING, TABLE, FUNCTION], ids=["nothing", "no_table", "no_function"])
async def test_a_database_without_what_this_release_needs_keeps_the_doctor_from_nothing_else(
    cli: CommandLine, merchant: Merchant, owner_engine: AsyncEngine, behind: str, found: str | None
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(text(behind))

    result = await cli("doctor", "--json", STRIPE_API_BASE=NOBODY)

    checks = {check["check"]: check for check in result.document["checks"]}
    assert {"database server", "database schema", "Temporal namespace", "gateway", "clocks", "mail"} <= set(checks)
    assert (result.exit_code, result.document["healthy"]) == (1, False)
    if found:
        assert checks["database schema"]["found"].startswith(found)
        assert "`duly migrate`" in checks["database schema"]["advice"]
