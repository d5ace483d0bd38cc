"""Commands after a restore: what writes, sends or orders is refused and says what leads on; what reads answers."""

import ast
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.database import Database
from activities.recovery.guard import RestoreGuard
from tests.house.source import ROOT
from tests.recovery.conftest import Backup, Watching
from tests.recovery.test_cli_recover import hold
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "in a hurry")
DEFINITIONS = "[[products]]\nid = 'gold'\nname = 'Gold'\n"
AWARD = "award_id,merchant_id,account_id,amount\na_1,cafe,acc_1,5.00\n"
STATEMENT = "bank_reference,booked_on,amount,currency\nB1,2026-05-20,10.00,EUR\n"

# One of each way in which a command writes, sends or orders; a file is named by what is in it.
WRITING = [
    ("accounts", "suspend", "acc_1"),
    ("definitions", "apply", DEFINITIONS),
    ("import", "bank", STATEMENT),
    ("transactions", "create", "payment", "acc_1", "--amount", "10.00", "--method", "cash"),
    ("collections", "start", "acc_1", "2026-05"),
    ("collections", "retry", "acc_1", "2026-05", *WHO),
    ("runs", "start", "monthly", "2026-05"),
    ("billing", "start", "monthly", "2026-05"),
    ("runs", "resume", "payment-run/monthly/2026-05", *WHO),
    ("refunds", "check", "rf_1", *WHO),
    ("refunds", "run", "--day", "2026-05-01"),
    ("reductions", "import", AWARD),
    ("reductions", "decide", "a_1", "--decision", "give_up", *WHO),
    ("cards", "register", "acc_1", "--token", "pm_card_visa"),
    ("cards", "prefer", "acc_1", "--method", "card"),
    ("disputes", "accept", "dp_1", *WHO),
    ("messages", "resend", "m_1", *WHO),
    ("events", "replay", "evt_1", *WHO),
    ("webhooks", "apply", "--url", "https://duly.example/webhooks/stripe"),
    ("reconcile", "start"),
    ("reconcile", "resolve", "disc_1", "--as", "explained", *WHO),
    ("supervise",),
]

READING = [
    ("accounts", "list"),
    ("collections", "list"),
    ("definitions", "list"),
    ("disputes", "list"),
    ("events", "list"),
    ("invariants",),
    ("messages", "list"),
    ("movements", "list"),
    ("reconcile", "list"),
    ("reductions", "list"),
    ("refunds", "list"),
    ("recover", "show"),
    ("runs", "list"),
    ("suspense", "list"),
    ("transactions", "list"),
]


def in_files(words: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Put what is the content of a file into one."""
    file = folder / "given.csv"
    for content in (word for word in words if "\n" in word):
        file.write_text(content)
    return tuple(str(file) if "\n" in word else word for word in words)


@pytest.mark.parametrize("words", WRITING, ids=lambda words: " ".join(words[:2]))
async def test_while_a_restore_is_not_recovered_what_writes_sends_or_orders_is_refused(
    cli: CommandLine, merchant: Merchant, database: Database, tmp_path: Path, words: tuple[str, ...]
) -> None:
    await hold(database)
    before = merchant.sandbox.request_counts()

    refused = await cli(*in_files(words, tmp_path))

    assert (refused.exit_code, "sending_is_held" in refused.stderr) == (1, True), refused.stderr
    assert "duly recover show" in " ".join(refused.stderr.split())
    assert merchant.sandbox.request_counts() == before


@pytest.mark.parametrize("words", READING, ids=" ".join)
async def test_while_a_restore_is_not_recovered_what_reads_answers(
    cli: CommandLine, merchant: Merchant, database: Database, words: tuple[str, ...]
) -> None:
    await hold(database)

    answered = await cli(*words)

    assert answered.exit_code == 0, answered.stderr


@pytest.mark.nightly
async def test_a_command_compares_a_database_that_no_worker_has_compared_since_it_was_restored(
    cli: CommandLine, merchant: Merchant, database: Database, watching: Watching, backup: Backup
) -> None:
    account = await merchant.account()
    await watching(database).compare()
    bring_back = await backup()
    await watching(database).compare()
    books = await bring_back()

    refused = await cli("accounts", "suspend", account, DULY_DATABASE_URL=books.url)

    assert (refused.exit_code, "sending_is_held" in refused.stderr) == (1, True)
    assert await books.merchant.value("select state from duly.accounts where id = :id", id=account) == "active"
    assert await books.merchant.value("select state from duly.sending") == "held"


async def test_a_database_that_a_worker_has_compared_is_not_compared_by_each_command(
    cli: CommandLine, merchant: Merchant, database: Database, temporal_server: Client
) -> None:
    account = await merchant.account()
    await RestoreGuard(database, temporal_server, "stripe").compare()
    counted = await merchant.value("select beat from duly.installation")

    done = await cli("accounts", "suspend", account, DULY_TEMPORAL_ADDRESS="127.0.0.1:1")

    assert done.exit_code == 0, done.stderr
    assert await merchant.value("select beat from duly.installation") == counted


@pytest.mark.nightly
def test_only_the_recovery_opens_the_database_past_the_fence_and_only_what_orders_nothing_connects_so() -> None:
    opened = {
        name: {path.relative_to(ROOT).as_posix() for path in (ROOT / "commands").rglob("*.py") if _calls(path, name)}
        for name in ("unfenced_database_of", "temporal_of")
    }

    assert opened["unfenced_database_of"] == {
        "commands/changing/keeping.py",
        "commands/recovery/recover.py",
        "commands/session.py",
    }
    assert opened["temporal_of"] == {
        "commands/collection_signals.py",  # after what was written
        "commands/collections/show.py",
        "commands/operations/checks/temporal.py",
        "commands/operations/doctor_work.py",
        "commands/operations/namespace_work.py",  # before anything is recovered
        "commands/recovery/recover.py",
        "commands/reports/scheduling.py",  # as schedules of runs
        "commands/runs/link.py",
        "commands/runs/schedule.py",  # schedules are stopped before a restore
        "commands/runs/schedule_state.py",
        "commands/lists/next_actions.py",
        "commands/merchants/connections.py",  # after what was written
        "commands/session.py",
    }


def _calls(path: Path, name: str) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
