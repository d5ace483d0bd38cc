"""Payers are notified of a debit by mail in time, once for its day; without that it is not filed, or on a later day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.bank.debits.notices import DebitNotices
from activities.database import Database
from activities.messages.reminders import ReminderActivities
from tests.bank.debits.direct_debits import BY, DOCUMENT, IBAN, DirectDebits, written
from tests.support.builders import Merchant, configure
from tests.support.command_line import CommandLine

BY_MAIL = 'notice_days = 10\nnotice_by = "mail"\n'


@pytest.fixture
async def debits(merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path) -> DirectDebits:
    """A company that notifies the payers of its debits by mail, ten days before."""
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    await by(debits, BY_MAIL)
    return debits


async def by(debits: DirectDebits, rules: str) -> None:
    """Set how payers are notified."""
    await configure(debits.merchant.engine, DOCUMENT.replace("notice_days = 0\n", rules))


async def letters(debits: DirectDebits) -> list[Any]:
    return list(
        await debits.merchant.run(
            "select id, state, parameters from duly.messages where kind = 'debit_announced' order by created_at, id"
        )
    )


async def collected_on(debits: DirectDebits, debit: str) -> date:
    day: date = await debits.merchant.value("select collect_on from duly.debits where id = :id", id=debit)
    return day


async def sent(debits: DirectDebits, days_ago: int = 0) -> None:
    """Note that a mail server has taken every letter, some days ago, or, below zero, some days from now."""
    await debits.merchant.run(
        "update duly.messages set state = 'sent', sent_at = now() - make_interval(days => :ago)"
        " where kind = 'debit_announced'",
        ago=days_ago,
    )


async def test_a_letter_is_written_with_the_debit_and_says_amount_day_mandate_and_creditor(
    debits: DirectDebits,
) -> None:
    result = await debits.collect(await debits.payer("c1"))
    await debits.collect("c1")

    (letter,) = await letters(debits)
    day = await collected_on(debits, result.gateway_reference)
    assert day >= datetime.now(UTC).date() + timedelta(days=10)
    assert letter.id == f"debit_announced/c1/{result.gateway_reference}/{day}"
    named = ("amount_minor", "currency", "at", "mandate", "creditor")
    assert [letter.parameters[name] for name in named] == [2500, "EUR", str(day), "M-c1", "DE98ZZZ09999999999"]
    assert letter.parameters["object"].startswith("INV-")


async def test_a_debit_is_filed_once_its_letter_went_out_in_time_and_not_before(debits: DirectDebits) -> None:
    result = await debits.collect(await debits.payer("c1"))
    await debits.merchant.run("update duly.debits set collect_on = current_date + 12")
    day = await collected_on(debits, result.gateway_reference)
    await DebitNotices(debits.database).announce(datetime.now(UTC))

    before = await debits.export()
    await sent(debits, days_ago=-9)
    late = await debits.export("late.xml")
    await sent(debits)
    after = await debits.export("after.xml")

    assert [(one["batch"], one["not_announced"]) for one in (before, late)] == [(None, 1)] * 2
    assert [one["id"] for one in after["debits"]] == [result.gateway_reference]
    assert after["not_announced"] == 0
    assert written(debits.folder / "after.xml")[0]["day"] == str(day)


async def test_a_debit_whose_letter_came_too_late_gets_a_later_day_and_another_letter_once(
    debits: DirectDebits,
) -> None:
    result = await debits.collect(await debits.payer("c1"))
    first = await collected_on(debits, result.gateway_reference)
    now = datetime.now(UTC)

    # Days pass, and no mail server takes the letter.
    reminders = ReminderActivities(debits.database)
    announced = [await reminders.write_reminders(now + timedelta(days=days)) for days in (0, 8, 8)]

    day = await collected_on(debits, result.gateway_reference)
    old, new = await letters(debits)
    assert announced == [0, 1, 0]
    assert day >= max(first, now.date() + timedelta(days=8 + 10))
    assert (old.parameters["at"], new.parameters["at"]) == (str(first), str(day))
    # The first would name a day that is not so any more.
    assert await debits.database.call("claim_message", id=old.id) is None
    assert await debits.database.call("claim_message", id=new.id) is not None


async def test_what_is_late_waits_for_a_person_where_the_rule_holds_it(debits: DirectDebits) -> None:
    await by(debits, BY_MAIL + 'late_notice = "hold"\n')
    result = await debits.collect(await debits.payer("c1"))
    await debits.merchant.run("update duly.debits set collect_on = current_date + 5")
    await sent(debits)

    announced = await DebitNotices(debits.database).announce(datetime.now(UTC))
    held = await debits.export()
    await by(debits, BY_MAIL)
    moved = await DebitNotices(debits.database).announce(datetime.now(UTC))

    assert (announced, held["batch"], held["not_announced"], moved) == (0, None, 1, 1)
    assert await collected_on(debits, result.gateway_reference) >= datetime.now(UTC).date() + timedelta(days=10)


async def test_a_letter_that_nobody_takes_is_a_persons_and_its_debit_is_not_filed(debits: DirectDebits) -> None:
    await debits.collect(await debits.payer("c1"))
    await debits.merchant.run("update duly.debits set collect_on = current_date + 12")
    notices = DebitNotices(debits.database)
    await notices.announce(datetime.now(UTC))
    await debits.merchant.run("update duly.messages set state = 'failed' where kind = 'debit_announced'")

    written_anew = await notices.announce(datetime.now(UTC) + timedelta(days=3))

    assert (written_anew, (await debits.export())["batch"]) == (0, None)


async def test_a_mandate_may_agree_on_other_days(debits: DirectDebits) -> None:
    account = await debits.merchant.account("c1", cards=(), owes_minor=2500)
    words = ("--iban", IBAN, "--payer", "Ann", "--provider", "sepa", "--signed-on", "2026-01-15", "--notice-days", "2")
    await debits.cli.json("mandates", "create", account, "M-c1", *words, *BY)

    result = await debits.collect(account)

    assert await collected_on(debits, result.gateway_reference) < datetime.now(UTC).date() + timedelta(days=10)
    assert (await debits.mandate("c1"))["notice_days"] == 2
    await sent(debits)
    assert len((await debits.export())["debits"]) == 1


async def test_who_notifies_by_the_invoice_writes_no_letters(debits: DirectDebits) -> None:
    await by(debits, "notice_days = 0\n")
    await debits.collect(await debits.payer("c1"))

    exported = await debits.export()

    assert (len(exported["debits"]), await letters(debits)) == (1, [])
