"""Debits that the bank has not settled in time are told to operators: each once, and nothing that is settled."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.database import Database
from activities.messages.reminders import ReminderActivities
from tests.bank.debits.direct_debits import DirectDebits, credited
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


@pytest.fixture
async def debits(merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path) -> DirectDebits:
    """A company that collects by bank debit."""
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    return debits


async def test_operators_are_told_once_of_debits_that_are_not_settled_in_time(debits: DirectDebits) -> None:
    sent, settled = [(await debits.collect(await debits.payer(one))).gateway_reference for one in ("c1", "c2")]
    await debits.export()
    await debits.statement(credited(settled, "25.00"))
    waiting = (await debits.collect(await debits.payer("c3"))).gateway_reference
    reminders, now = ReminderActivities(debits.database), datetime.now(UTC)

    # Notice and bank may take four days, and five more are the bank's.
    written = [await reminders.write_reminders(now + timedelta(days=days)) for days in (1, 30, 31)]

    alerts = await debits.merchant.run("select audience, parameters from duly.messages where kind = 'debits_overdue'")
    assert written == [0, 1, 0]
    assert [(one.audience, one.parameters["provider"], one.parameters["count"]) for one in alerts] == [
        ("operator", "sepa", 2)
    ]
    assert alerts[0].parameters["object"] == f"{sent} (exported), {waiting} (pending)"


async def test_a_debit_that_was_late_before_its_file_was_written_is_told_again_when_it_is_late_in_it(
    debits: DirectDebits,
) -> None:
    await debits.collect(await debits.payer("c1"))
    await debits.merchant.run("update duly.debits set collect_on = collect_on - 40")
    reminders, now = ReminderActivities(debits.database), datetime.now(UTC)

    before = await reminders.write_reminders(now)
    await debits.export()
    written = [await reminders.write_reminders(now + timedelta(days=days)) for days in (1, 30, 31)]

    assert (before, written) == (1, [0, 1, 0])
    objects = await debits.merchant.run("select parameters ->> 'object' as object from duly.messages order by id")
    assert [one.object.partition(" ")[2] for one in objects] == ["(pending)", "(exported)"]
