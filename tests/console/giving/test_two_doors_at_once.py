"""Limits hold for two who write at the same moment, and for one person by two doors, on connections of their own."""

import asyncio
from pathlib import Path

import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.console.users import Users
from activities.database import Database
from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, PASSWORD, Browser
from tests.console.giving.test_by_two import written
from tests.console.giving.test_gate import MARIA, PAUL, rules
from tests.console.test_four_eyes import becomes, invoices_of, state_of
from tests.ledger.guards.test_two_at_once import waiting
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

LIMITS = '[approval_rules]\nwrite_offs = { EUR = "10.00" }\n'
BY_TWO = "[approval_rules]\nchanges_by_two = true\n"


async def test_the_console_and_the_command_line_together_give_no_more_than_a_day_allows(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, engine: AsyncEngine, owner_engine: AsyncEngine
) -> None:
    first, second = await invoices_of(cli, merchant, 600, 700)
    await merchant.configure(LIMITS)
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)
    form = f"/do/transactions/write-off/{first}"
    await browser.open(form)

    # Both have begun, and are held up until there are two.
    async with owner_engine.begin() as holding:
        await holding.execute(text("select pg_advisory_xact_lock(hashtextextended('giving/maria', 0))"))
        console = asyncio.create_task(browser.send(form, OURS, type="write_off", reason="insolvent"))
        await waiting(engine, 1)
        words = ("transactions", "write-off", second, "--type", "write_off", *MARIA, "--yes", "--json")
        line = asyncio.create_task(cli(*words))
        await waiting(engine, 2)
    await asyncio.gather(console, line)

    states = [await state_of(cli, one) for one in (first, second)]
    alone = await merchant.value("select sum(amount_minor) from duly.limited_actions where approval_id is null")
    assert sorted("written_off" in one for one in states) == [False, True], states
    assert alone in {600, 700}


async def test_two_who_are_disabled_at_once_do_not_leave_one_approver(
    merchant: Merchant, database: Database, engine: AsyncEngine, owner_engine: AsyncEngine
) -> None:
    users = Users(database)
    for name in ("maria", "paul", "vera"):
        await users.add(name, ConsoleRole.ACCOUNTANT, PASSWORD)
    await merchant.configure(BY_TWO)
    disable = "select duly.change_user(:id, p_state => 'disabled', p_actor => 'maria')"

    async def disabled(name: str) -> str:
        try:
            async with engine.begin() as connection:
                await connection.execute(text(disable), {"id": name})
        except DBAPIError as error:
            return str(error.orig)
        return ""

    async with owner_engine.begin() as holding:
        await holding.execute(text("select duly.lock_approvers()"))
        both = asyncio.gather(disabled("paul"), disabled("vera"))
        await waiting(engine, 2)
    answers = await both

    assert sorted("two_approvers" in one for one in answers) == [False, True], answers
    assert await merchant.value("select count(*) from duly.users where state = 'active'") == 2


@pytest.mark.parametrize(
    "statement",
    [
        "update duly.approval_rules set refunds_minor = '{}'",
        "update duly.approval_rules set changes_by_two = false",
        "update duly.approval_rules set expire_hours = 96",
        "select duly.add_user('mary', 'accountant', 'x')",
        "select duly.change_user('vera', 'accountant')",
        "select duly.change_user('vera', p_password_hash => 'x', p_actor => 'paul')",
        "update duly.approvals set state = 'approved'",
        "update duly.users set role = 'administrator'",
        "delete from duly.approval_rules",
        "alter table duly.approval_rules disable trigger all",
        "select duly.use_approved_change('limits', 'approval_rules', '{}', 'maria')",
    ],
)
async def test_the_runtime_role_loosens_nothing_by_a_statement_of_its_own(
    merchant: Merchant, database: Database, engine: AsyncEngine, statement: str
) -> None:
    users = Users(database)
    for name in ("maria", "paul"):
        await users.add(name, ConsoleRole.ACCOUNTANT, PASSWORD)
    await users.add("vera", ConsoleRole.VIEWER, PASSWORD)
    await merchant.configure('[approval_rules]\nrefunds = { EUR = "5.00" }\nchanges_by_two = true\n')

    async def alone() -> None:
        async with engine.begin() as connection:
            await connection.execute(text("select set_config('duly.actor', 'maria', true)"))
            await connection.execute(text(statement))

    with pytest.raises(DBAPIError) as refused:
        await alone()

    assert "change_by_two" in str(refused.value) or isinstance(refused.value.orig, errors.InsufficientPrivilege)


async def test_what_was_approved_is_of_the_rules_as_they_were(
    browser: Browser, cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    # given what would loosen the limit from 50.00 to 500.00, which paul has approved
    for name in ("maria", "paul"):
        await browser.users.add(name, ConsoleRole.ACCOUNTANT, PASSWORD)
    apply = ("definitions", "apply", written(tmp_path, refunds="50.00"), *MARIA)
    await cli.json(*apply)
    written(tmp_path, refunds="500.00")
    await rules(cli, *apply)
    (request,) = (await cli.json("approvals", "list"))["approvals"]
    await cli.json("approvals", "approve", request["id"], *PAUL, "--yes")

    # when the limit is tightened before she uses it, or taken away
    written(tmp_path, refunds="5.00")
    await cli.json(*apply)
    written(tmp_path, refunds="500.00")
    later = await rules(cli, *apply)
    without = tmp_path / "without.toml"
    without.write_text("[approval_rules]\nrefunds = {}\n", encoding="utf-8")
    silent = await rules(cli, "definitions", "apply", str(without), *MARIA)

    # then another person is asked anew
    assert [one[0][1] for one in (later, silent)] == ["change_by_two"] * 2
    assert await merchant.value("select refunds_minor ->> 'EUR' from duly.approval_rules") == "500"
