"""Every command that changes something takes who and why and keeps it; what cannot be undone asks first."""

import asyncio
import pty
from collections.abc import Mapping
from os import close, read, write
from subprocess import Popen
from sys import executable

import pytest

from activities.business_events import listen
from activities.database import Database
from activities.supervision.command_log import CommandLines
from models.operations.business_events import BusinessEvent
from models.operations.event_names import EventName
from tests.house.source import ROOT
from tests.operations.test_cli_usage import commands
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

Words = tuple[str, ...]

# Commands that change nothing of the business. One that is not named here takes who and why.
READS = frozenset(
    {
        "balance",
        "certificate",
        "diff",
        "differences",
        "dry-run",
        "history",
        "holds",
        "link",
        "list",
        "members",
        "preview",
        "reasons",
        "show",
        "statement",
        "stops",
    }
)
OTHERS: Mapping[str, str] = {
    "accounts export": "only reads",
    "bills print": "only reads",
    "codec serve": "answers the UI",
    "definitions export": "only reads",
    "documents template": "only reads",
    "demo": "has a database of its own",
    "doctor": "only reads",
    "invariants": "checks and seals, as every night",
    "migrate": "comes before there is a table to keep it in",
    "namespace prepare": "comes before there is a database",
    "reports audit": "only reads",
    "reports schedule fetch": "only reads",
    "reports run": "only reads",
    "views": "only reads",
}
# What cannot be undone, or moves money.
FINAL = frozenset(
    {
        "accounts erase",
        "accounts terminate",
        "approvals approve",
        "billing start",
        "billing supplement",
        "cards remove",
        "collections give-up",
        "collections mark-paid",
        "communicate send",
        "definitions delete",
        "disputes accept",
        "disputes submit-evidence",
        "mandates cancel",
        "merchants disconnect",
        "payment-requests resolve",
        "payment-requests withdraw",
        "reconcile payout",
        "reconcile resolve",
        "recover declare",
        "recover dismiss",
        "recover release",
        "recover settle",
        "reductions decide",
        "refunds cancel",
        "refunds create",
        "refunds reject",
        "refunds release",
        "refunds retry",
        "refunds run",
        "runs abort",
        "runs start",
        "runs supplement",
        "transactions cancel",
        "transactions reject",
        "transactions write-off",
        "users passkeys remove",
        "vouchers cancel",
        "wallets void",
    }
)
# Arguments that are kept: ids, dates, kinds and numbers. Whatever else an argument is, is not.
IDS_AND_DATES = frozenset(
    {
        "account",
        "amount",
        "approval",
        "award",
        "batch",
        "bill",
        "calls_per_second",
        "card",
        "classification",
        "count",
        "currency",
        "day",
        "debit",
        "definition",
        "discrepancy",
        "dispute",
        "event",
        "first",
        "kind",
        "last",
        "mandate",
        "merchant",
        "message",
        "object_id",
        "passkey",
        "payment",
        "payments",
        "payout",
        "period",
        "product",
        "provider",
        "refund",
        "request",
        "run",
        "state",
        "subscription",
        "template",
        "transaction",
        "user",
        "voucher",
        "wallet_transaction",
    }
)
NOT_KEPT = frozenset({"text", "reason", "file", "accounts_file", "holder", "value"})
COMMANDS = {" ".join(words): command for words, command in commands()}
OPTIONS = {
    name: {option for parameter in command.params for option in parameter.opts} for name, command in COMMANDS.items()
}
CHANGING = [name for name in OPTIONS if name.split()[-1] not in READS and name not in OTHERS]


@pytest.mark.parametrize("name", CHANGING)
def test_every_command_that_changes_something_takes_who_and_why(name: str) -> None:
    taken = OPTIONS[name] | ({"--reason"} if name == "transactions reject" else set())

    assert {"--actor", "--reason"} <= taken


def test_exactly_what_cannot_be_undone_asks_and_can_be_told_not_to() -> None:
    assert {name for name, options in OPTIONS.items() if "--yes" in options} == FINAL


async def test_who_changed_what_and_why_is_kept_and_what_became_of_it(cli: CommandLine, merchant: Merchant) -> None:
    account = await merchant.account()
    await cli.json("accounts", "suspend", account, "--actor", "maria", "--reason", "she asked for a pause")
    refused = await cli("accounts", "suspend", "acc_unknown", "--actor", "maria", "--json")
    await cli.json("accounts", "show", account)

    kept = (await cli.json("commands", "list"))["commands"]
    by_others = (await cli.json("commands", "list", "--by", "paul"))["commands"]

    assert refused.exit_code == 1
    assert [(one["name"], one["subject"], one["actor"], one["reason"], one["outcome"]) for one in kept] == [
        ("accounts suspend", "acc_unknown", "maria", "", "refused"),
        ("accounts suspend", account, "maria", "she asked for a pause", "done"),
    ]
    assert by_others == []


@pytest.mark.parametrize("name", CHANGING)
def test_every_command_that_changes_something_is_kept_and_what_is_kept_of_it_names_nobody(name: str) -> None:
    command = COMMANDS[name]
    arguments = {one.name for one in command.params if one.param_type_name == "argument"}

    assert "__signature__" in vars(command.callback.__wrapped__), "decorated with @changes"
    assert arguments - NOT_KEPT <= IDS_AND_DATES


async def test_every_command_leaves_one_line_in_the_log_whatever_it_went_to_and_however_it_ended(
    cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    account = await merchant.account()
    who = ("--actor", "maria@example.com", "--reason", "Mr. Customer has called")
    await cli.json("accounts", "suspend", account, *who)
    await cli("accounts", "suspend", "acc_unknown", *who, "--json")
    await cli("runs", "pause", "run/nobody/2026-11", *who, "--json")
    announced: list[BusinessEvent] = []
    end = listen(announced.append)

    await asyncio.gather(*(CommandLines(database).log() for _ in range(3)))
    await CommandLines(database).log()
    end()

    assert {event.name for event in announced} == {EventName.COMMAND}
    lines = sorted((event.details() for event in announced), key=lambda line: str(line["command_id"]))
    assert [(line["noun"], line["verb"], line["ids"], line["outcome"]) for line in lines] == [
        ("accounts", "suspend", account, "done"),
        ("accounts", "suspend", "acc_unknown", "refused"),
        ("runs", "pause", "run/nobody/2026-11", "refused"),
    ]
    assert {line["actor"] for line in lines} == {"maria"}
    assert not [line for line in lines if "Customer" in str(line) or line.keys() & {"why", "reason"}]


async def test_a_command_that_was_cut_off_is_logged_after_an_hour(merchant: Merchant, database: Database) -> None:
    await merchant.run(
        "insert into duly.commands (name, subject, actor, given_at) values"
        " ('runs abort', 'run/monthly/2026-11', 'maria', now() - interval '2 hours'),"
        " ('runs pause', 'run/monthly/2026-11', 'maria', now() - interval '2 minutes')"
    )
    announced: list[BusinessEvent] = []
    end = listen(announced.append)

    await CommandLines(database).log()
    end()

    assert [(event.details()["verb"], event.details()["outcome"]) for event in announced] == [("abort", "begun")]


async def test_a_command_works_while_who_and_why_cannot_be_kept(cli: CommandLine) -> None:
    answer = await cli(
        "runs",
        "pause",
        "run/nobody/2026-11",
        "--actor",
        "maria",
        "--reason",
        "outage",
        DULY_DATABASE_URL="postgresql+psycopg://duly:x@127.0.0.1:1/duly",
    )

    assert answer.stderr.startswith("Who and why is not kept: ")
    assert "run/nobody/2026-11 is not under way" in answer.stderr


def at_a_terminal(cli: CommandLine, answer: bytes, *words: str) -> tuple[bytes, int]:
    """Run a command at a terminal and answer what it asks; return the question and the exit code."""
    ours, theirs = pty.openpty()
    command = [executable, "starter.py", *words]
    with Popen(command, cwd=ROOT, env=dict(cli.environment), stdin=theirs, stdout=theirs, stderr=theirs) as running:
        close(theirs)
        asked = b""
        while b"Go on?" not in asked:
            asked += read(ours, 1024)
        write(ours, answer)
        return asked, running.wait()


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(("answer", "is_terminated"), [(b"n\n", False), (b"y\n", True)])
async def test_at_a_terminal_what_cannot_be_undone_is_asked_for(
    cli: CommandLine, merchant: Merchant, answer: bytes, is_terminated: bool
) -> None:
    account = await merchant.account(cards=[])

    asked, exit_code = await asyncio.to_thread(at_a_terminal, cli, answer, "accounts", "terminate", account)

    state = await merchant.value("select state from duly.accounts where id = :id", id=account)
    assert b"takes no more invoices" in asked
    assert (exit_code == 0, state == "terminated") == (is_terminated, is_terminated)
