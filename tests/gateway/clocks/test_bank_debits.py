"""While a clock is wrong no debit is asked for and no file is written: the bank is told days by it."""

from pathlib import Path

import pytest

from activities.database import Database
from models.gateway.gateway_request import CollectOutcome, CollectRequest
from sandbox.servers.shown_clock import ShownClock
from tests.bank.debits.direct_debits import BY, DirectDebits
from tests.support.attempts import refused_type
from tests.support.builders import PERIOD, Merchant
from tests.support.command_line import CommandLine
from tests.support.wrong_clocks import HOUR, SIX_MINUTES


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize("seconds", [HOUR, SIX_MINUTES, -SIX_MINUTES, -HOUR])
async def test_a_debit_and_its_file_wait_for_the_clocks_and_are_made_once(
    merchant: Merchant, cli: CommandLine, database: Database, database_clock: ShownClock, tmp_path: Path, seconds: int
) -> None:
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    asked, waiting = await debits.payer("c1"), await debits.payer("c2")
    await debits.collect(asked)
    database_clock.set(seconds)

    refused = await refused_type(debits.collecting, CollectRequest(waiting, PERIOD, "sepa"))
    not_written = await debits.cli("debits", "export", "sepa", str(tmp_path / "early.xml"), *BY)
    rows = await merchant.value("select count(*) from duly.debits")
    database_clock.set(0)
    made = await debits.collect(waiting)
    exported = await debits.export()

    assert (refused, rows) == ("GatewayClocksDiffer", 1)
    assert (not_written.exit_code, "clocks_agree" in not_written.stderr) == (1, True)
    assert made.outcome is CollectOutcome.PROCESSING
    assert len(exported["debits"]) == 2
