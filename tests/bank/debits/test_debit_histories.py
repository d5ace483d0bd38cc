"""Bank debits through random stories: the database and a plain Python oracle agree, and reports tie to the ledger."""

from pathlib import Path

import pytest

from activities.database import Database
from tests.bank.debits.debit_history import DebitHistory
from tests.bank.debits.direct_debits import DirectDebits
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(("seed", "steps"), [(1, 24), *((seed, 120) for seed in range(2, 8))])
async def test_the_database_and_the_oracle_agree_on_bank_debits(
    merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path, seed: int, steps: int
) -> None:
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    history = DebitHistory(debits, seed)
    await history.open("c1", "c2", "c3")

    for _ in range(steps):
        await history.step()
    await history.finish()

    report = await cli.json("reports", "run", "debits", "--from", "2026-01-01", "--to", "2099-12-31")
    standing = sum(one.amount for one in history.known.values() if one.state == "collected")
    assert sum(row["net_minor"] for row in report["rows"]) == standing - history.fees
    assert [(tie["report_minor"], tie["ledger_minor"]) for tie in report["ties"]] == [(standing - history.fees,) * 2]
