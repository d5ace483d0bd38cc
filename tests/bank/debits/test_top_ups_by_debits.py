"""A wallet that is topped up by bank debit: filled when the money has come, emptied when it was taken back."""

from pathlib import Path

import pytest

from activities.database import Database
from models.runs.process_run import ItemOutcome
from settings import Settings
from tests.bank.debits.direct_debits import DirectDebits, credited, returned
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly
from tests.wallets.top_ups import TOP_UPS, ToppedUp
from worker import debit_worker

BY_DEBIT = """
[[run_definitions]]
id = "by_debit"
kind = "payment"
name = "Top-ups by bank debit"
provider = "sepa"
criteria = { wallet_top_ups = true }
"""


@pytest.mark.nightly
async def test_a_wallet_has_a_debit_when_a_statement_brings_it_and_loses_what_the_bank_takes_back(
    merchant: Merchant, cli: CommandLine, database: Database, duly: RunningDuly, settings: Settings, tmp_path: Path
) -> None:
    debits, topped_up = DirectDebits(merchant, cli, database, tmp_path), ToppedUp(merchant, database)
    await debits.set_up()
    await merchant.configure(TOP_UPS + BY_DEBIT)
    account = await debits.payer("c1", 0)
    await merchant.value("select duly.set_preferred_method(:account, 'direct_debit')", account=account)
    await topped_up.choose(account, is_on=True)

    async with debit_worker(duly.client, database, settings.model_copy(update={"provider": "sepa"})):
        certificate = await duly.run("by_debit", "2026-11-27")
        # The next day's run waits for the bank too.
        await duly.run("by_debit", "2026-11-28")
    waiting = (await topped_up.states(), await topped_up.wallet(account))
    asked = await merchant.value("select id from duly.debits")
    await debits.export()
    await debits.statement(credited(asked, "20.00"), name="1.xml")
    filled = await topped_up.wallet(account)
    await topped_up.value("select duly.wallet_debit('film', 'c1', 1200, 'EUR', 'film')")
    await debits.statement(returned(asked, "23.50", "MD06"), name="2.xml")

    assert [(one.outcome, one.amount_minor) for one in certificate.totals] == [(ItemOutcome.PENDING, 2000)]
    assert (waiting, filled) == (([(account, 2000, "requested", 0)], 0), 2000)
    assert await topped_up.states() == [(account, 2000, "credited", 800)]
    assert (await topped_up.wallet(account), await merchant.balance(account)) == (0, 1200)
    assert (await topped_up.is_on(account), (await debits.mandate(account))["state"]) == (False, "suspended")
    assert await topped_up.violations() == []
