"""The command line as such: help and JSON everywhere, exit codes that mean something, and its document."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from starter import app
from tests.house.command_line import DOCUMENT, document
from tests.house.source import ROOT
from tests.support.command_line import CommandLine

Words = tuple[str, ...]


def commands(command: Any = None, words: Words = ()) -> Iterator[tuple[Words, Any]]:
    """Yield every command with the words that lead to it."""
    command = command or typer.main.get_command(app)
    below = getattr(command, "commands", {})
    if not below:
        yield words, command
    for name, one in below.items():
        yield from commands(one, (*words, name))


ALL = [pytest.param(words, command, id=" ".join(words)) for words, command in commands()]


@pytest.mark.parametrize(("words", "command"), ALL)
async def test_every_command_explains_itself_and_its_options(cli: CommandLine, words: Words, command: Any) -> None:
    result = await cli(*words, "--help")

    assert result.exit_code == 0
    assert command.help
    assert all(parameter.help for parameter in command.params)


@pytest.mark.parametrize(("words", "command"), ALL)
def test_every_command_can_speak_json(words: Words, command: Any) -> None:
    assert [parameter.opts for parameter in command.params if parameter.opts == ["--json"]] == [["--json"]]


def test_the_help_says_what_the_exit_codes_mean() -> None:
    help_text = str(typer.main.get_command(app).help)

    assert (
        "0 done; 1 refused, or something is broken; 2 bad usage or settings; 3 a server cannot be reached" in help_text
    )


def test_the_document_says_what_the_commands_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("rums",), "command line"),
        (("runs", "stop"), "command line"),
        (("runs", "list", "--bogus"), "--bogus"),
        (("runs", "list", "--limit", "0"), "--limit"),
        (("runs", "list", "--kind", "other"), "--kind"),
        (("runs", "start", "monthly"), "PERIOD"),
        (("runs", "start", "monthly", "2026-13"), "PERIOD"),
        (("schedule", "backfill", "monthly", "2026-01", "soon"), "TO"),
        (("demo", "--accounts", "0"), "--accounts"),
        (("demo", "--faults", "1.5"), "--faults"),
    ],
)
async def test_bad_usage_ends_with_2_and_names_the_word(cli: CommandLine, words: Words, field: str) -> None:
    plain, as_json = await cli(*words), await cli(*words, "--json")

    assert (plain.exit_code, as_json.exit_code) == (2, 2)
    assert plain.stderr.startswith(f"error: {field}: ")
    assert plain.stderr.count("\n") == 1
    assert as_json.rules == [(field, "usage")]


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (("subscriptions", "create", "--product", "gold"), "is typed as duly subscriptions create ACCOUNT PRODUCT"),
        (
            ("collections", "show", "a", "--receivable", "2026-11"),
            "is typed as duly collections show ACCOUNT RECEIVABLE",
        ),
        (("collections", "list", "--acount", "a"), "No such option"),
    ],
)
async def test_an_argument_that_is_given_as_an_option_is_refused_with_how_it_is_typed(
    cli: CommandLine, words: Words, typed: str
) -> None:
    refused = await cli(*words)

    assert (refused.exit_code, typed in " ".join(refused.stderr.split())) == (2, True)


async def test_wrong_settings_end_with_2_and_name_each(cli: CommandLine) -> None:
    result = await cli("runs", "list", "--json", STRIPE_API_KEY="pk_test_public", DULY_LOG_FORMAT="xml")

    assert result.exit_code == 2
    assert {problem["field"] for problem in result.error["problems"]} == {"DULY_LOG_FORMAT"}
    assert "pk_test_public" not in result.stderr


@pytest.mark.parametrize(
    ("words", "setting", "value"),
    [
        (("runs", "list"), "DULY_DATABASE_URL", "postgresql+psycopg://a:b@127.0.0.1:1/duly"),
        (("schedule", "list"), "DULY_TEMPORAL_ADDRESS", "127.0.0.1:1"),
        (("schedule", "apply"), "DULY_TEMPORAL_ADDRESS", "127.0.0.1:1"),
    ],
)
async def test_a_server_that_is_away_ends_with_3(cli: CommandLine, words: Words, setting: str, value: str) -> None:
    result = await cli(*words, "--json", **{setting: value})

    assert result.exit_code == 3
    assert [field for field, _ in result.rules] == [setting]


async def test_a_database_of_another_release_ends_with_3_and_says_what_to_run(
    cli: CommandLine, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(text("drop schema duly cascade"))

    result = await cli("runs", "list", "--json")

    assert (result.exit_code, result.rules) == (3, [("DULY_DATABASE_URL", "database_release")])
    assert "run `duly migrate`" in result.error["problems"][0]["message"]


async def test_what_is_refused_ends_with_1_and_says_why_on_standard_error(cli: CommandLine) -> None:
    result = await cli("accounts", "show", "acc_9")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: account: there is no account 'acc_9' (account_exists)\n"


def test_help_takes_less_than_a_second_of_the_processor_because_it_loads_no_server_client() -> None:
    code = "import sys, resource, starter; print([name for name in %r if name in sys.modules]); print(%s)"
    heavy = ("alembic", "pydantic", "sqlalchemy", "stripe", "temporalio")
    used = "resource.getrusage(resource.RUSAGE_SELF).ru_utime"

    ended = subprocess.run(
        [sys.executable, "-c", code % (heavy, used)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    loaded, seconds = ended.stdout.splitlines()
    assert loaded == "[]"
    assert float(seconds) < 1


@pytest.mark.nightly
def test_the_program_ends_well_every_time_also_after_talking_to_temporal(cli: CommandLine) -> None:
    # An interpreter that is taken apart with Temporal's threads in it aborts now and then, with code 134.
    command = [sys.executable, "starter.py", "schedule", "list", "--json"]

    ended = [
        subprocess.run(command, cwd=ROOT, env=cli.environment, capture_output=True, text=True, check=False)
        for _ in range(2)
    ]

    assert [one.returncode for one in ended] == [0] * 2
    assert {json.loads(one.stdout).keys() == {"schedules", "next"} for one in ended} == {True}


@pytest.mark.nightly
def test_a_reader_that_goes_away_is_no_accident(cli: CommandLine) -> None:
    ended = subprocess.run(
        ["sh", "-c", '"$1" starter.py definitions list --json | head -c 1', "sh", sys.executable],
        cwd=ROOT,
        env={**os.environ, **cli.environment},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.stdout, ended.stderr) == ("{", "")


@pytest.mark.nightly
def test_the_program_leaves_with_the_codes_it_promises(tmp_path: Path) -> None:
    # Elsewhere than in the project's folder, where `make up` may be running.
    ended = subprocess.run(
        [sys.executable, ROOT / "starter.py", "runs", "list", "--json"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert "DULY_DATABASE_URL" in {problem["field"] for problem in json.loads(ended.stderr)["error"]["problems"]}


async def test_a_word_that_is_none_of_an_options_is_refused_in_the_rules_own_words(cli: CommandLine) -> None:
    words = (
        "subscriptions",
        "create",
        "a1",
        "plan",
        "--price",
        "1",
        "--term",
        "decade",
        "--actor",
        "a",
        "--reason",
        "b",
    )
    wrong = await cli(*words, "--json")

    assert wrong.error["problems"] == [
        {"field": "--term", "rule": "usage", "message": "'decade' is not one of 'month', 'quarter', 'year'."}
    ]
