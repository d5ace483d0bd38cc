"""A month that was rejected in the gap waits again after a restore: what went back since is not paid a second time."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.bank.bank_refunds import BankRefundActivities
from activities.database import Database
from sandbox.servers.postgres import PostgresServer
from tests.bank.refund_files import PAYER, payees, transfers
from tests.recovery.conftest import Backup
from tests.recovery.forgotten.test_refund_files import MONTH, Restored, in_credit, recovered
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO: Any = {"actor": "maria", "reason": "not this month"}


@pytest.fixture
async def rejected_in_gap(
    merchant: Merchant, database: Database, cli: CommandLine, backup: Backup, postgres_server: PostgresServer,
    tmp_path: Path,
) -> Restored:  # fmt: skip
    """A company whose month waited at the backup; c1's refund went to the bank in December, and c2's nowhere."""
    await in_credit(merchant, c1=1250, c2=700)
    await ActivityEnvironment().run(BankRefundActivities(database).open_bank_refunds, MONTH)
    bring_back = await backup()
    await database.call("decide_bank_refunds", period=MONTH, state="rejected", **WHO)
    december, known = tmp_path / "december.xml", payees(tmp_path, "c1")
    await cli.json("refunds", "export", "2026-12", str(december), *PAYER, "--payees", known, "--include-gateway")
    restored = Restored(await bring_back(), cli, tmp_path)
    await recovered(restored, postgres_server)
    return restored


async def test_what_was_rejected_in_the_gap_and_paid_with_the_next_month_is_in_no_file(
    rejected_in_gap: Restored,
) -> None:
    restored = rejected_in_gap
    await restored.adopt(str(restored.folder / "december.xml"), "--payees", payees(restored.folder, "c1"))
    await restored.settled()
    await restored.books.database.call("decide_bank_refunds", period=MONTH, state="released", **WHO)

    after = await restored.export("after.xml", "c1", "c2")

    paid = [amount for _, amount, *_ in transfers(restored.folder / "after.xml")]
    assert paid == ["7.00"], after
