"""A card number is refused by every command, update, signal, start and file, and is masked in what is a bank's.

The fields are found by walking the commands, the messages of the contract and the columns of the files: a new field
without the rule fails here.
"""

import io
import json
import logging
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields, is_dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer
from temporalio.api.common.v1 import Payload
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowUpdateFailedError
from typer.testing import CliRunner

from activities.bank.formats.mt940_details import details_of
from activities.documents import read_content
from activities.gateway.stripe_events import event_of
from commands.bank.refund_confirmation import read_answers
from commands.bank.statement_files import read_entries
from commands.given_texts import problem_of
from models.bank.entry import BankEntry
from models.card_number import NO_CARD_NUMBER, holds_card_number
from models.imports.columns import COLUMNS, OF_THE_BANK, cells_of
from models.problem import Problem, RefusedError
from settings.logs import redact
from starter import app
from tests.bank.refund_files import status_report
from tests.bank.statements import camt, entry
from tests.contract.foreign import ACCEPTED, NAMES, Foreign, kinds_of, plain
from tests.contract.run_examples import EXAMPLES
from tests.operations.test_cli_usage import ALL
from workflows.inputs.decoding import Refused, read
from workflows.inputs.values import problems_of_values

NUMBER = "4242 4242 4242 4242"
COMMAND_LINE = typer.main.get_command(app)
TEXT = f"my card {NUMBER} 12/27"


def places(words: list[str], command: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield every option and argument of a command that takes something, with a command line that gives it a number."""
    before: list[str] = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            yield str(parameter.name), [*words, *before, TEXT]
            before = [*before, "something"]
        elif not parameter.is_flag:
            yield parameter.opts[0].removeprefix("--").replace("-", "_"), [*words, parameter.opts[0], TEXT]
            yield parameter.opts[0].removeprefix("--").replace("-", "_"), [*words, f"{parameter.opts[0]}={TEXT}"]


@pytest.mark.parametrize(("words", "command"), ALL)
def test_every_option_and_argument_of_every_command_refuses_it_by_its_name(
    words: tuple[str, ...], command: Any
) -> None:
    for field, line in places(list(words), command):
        problem = problem_of(COMMAND_LINE, line)

        assert problem is not None, line
        assert (problem.field, problem.rule) == (field, NO_CARD_NUMBER), line
        assert "4242" not in str(problem)


@pytest.mark.parametrize(
    "line",
    [
        ["accounts", "suspend", "acc_1", "--reason", "card", *NUMBER.split()],
        ["accounts", "suspend", "acc_1", "--reason", TEXT],
        ["runs", "start", "monthly", NUMBER],
        ["accounts", "suspend", f"--{NUMBER}"],
        [NUMBER],
        ["accounts", NUMBER],
        ["accounts", "suspend", "--", NUMBER],
    ],
)
def test_it_is_refused_before_anything_else_and_not_said_again_wherever_it_stands(line: list[str]) -> None:
    answer = CliRunner().invoke(app, line, env={})

    assert answer.exit_code == 1
    assert NO_CARD_NUMBER in answer.stderr
    assert "4242" not in answer.stderr + answer.stdout


def test_a_text_without_an_end_is_refused_by_the_name_of_its_field() -> None:
    for option, most in (("--actor", 100), ("--reason", 500), ("--key", 4000)):
        words = ["accounts", "suspend", "acc_1", option]

        assert problem_of(COMMAND_LINE, [*words, "x" * most]) is None
        assert f"at most {most}" in str(problem_of(COMMAND_LINE, [*words, "x" * (most + 1)]))


def texts(example: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each text of a message, at every depth, with the message that has a number in its place."""
    good = plain(example)
    if not is_dataclass(example):
        if isinstance(example, str):
            yield "argument", TEXT
        return
    for field in fields(example):
        value = getattr(example, field.name)
        if is_dataclass(value) and not isinstance(value, type):
            for inner, wrong in texts(value, f"{place}{field.name}."):
                yield inner, {**deepcopy(good), field.name: wrong}
        elif isinstance(value, str):
            yield f"{place}{field.name}", {**good, field.name: TEXT}
        elif isinstance(value, tuple):
            yield f"{place}{field.name}", {**good, field.name: [TEXT]}
        elif isinstance(value, dict):
            yield f"{place}{field.name}", {**good, field.name: {TEXT: 1}}


def messages(name: str) -> Iterator[Any]:
    """Yield everything that a client says to a workflow."""
    example = EXAMPLES[name]
    yield from filter(None, [example.request])
    yield from (argument for arguments in example.signals.values() for argument in arguments)
    yield from (call.takes for call in example.updates.values() if call.takes is not None)


def problems_of(message: Any, hint: type) -> list[Problem]:
    """Read a message as a workflow does."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(message).encode())
    found = read([payload], [hint])
    return list(found.problems) if isinstance(found, Refused) else problems_of_values(found)


@pytest.mark.parametrize("name", NAMES)
def test_every_text_of_every_start_signal_and_update_refuses_it_by_the_name_of_the_field(name: str) -> None:
    for message in messages(name):
        for field, wrong in texts(message):
            problems = problems_of(wrong, type(message))

            assert problems, f"{type(message).__name__}.{field} takes a card number"
            assert problems[0].field.startswith(field), (problems[0], field)
            assert not holds_card_number(" ".join(map(str, problems)))


async def test_an_update_with_one_is_not_accepted_and_stands_in_no_history(foreign: Foreign) -> None:
    async with foreign.waiting("Collection") as handle:
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update("give_up", {"actor": "maria", "reason": TEXT})
        with pytest.raises(WorkflowUpdateFailedError) as named:
            await handle.execute_update("give_up", {"actor": "maria", "reason": "asked to"}, id=TEXT)
        history = await handle.fetch_history()
        await handle.signal(TEXT, "x")
        shown = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)

    assert "reason: seems to hold a card number" in str(refused.value.cause)
    assert "update id: seems to hold a card number" in str(named.value.cause)
    assert ACCEPTED not in await kinds_of(handle)
    assert "4242" not in history.to_json()
    assert "`my card (number removed)`: signal" in shown.current_details
    assert "4242" not in shown.current_details


@pytest.mark.parametrize("source", [source for source in COLUMNS if source not in OF_THE_BANK])
def test_every_column_of_every_file_of_ours_refuses_it_by_the_name_of_the_column(source: str) -> None:
    header = tuple(column.name for column in COLUMNS[source])
    for position, name in enumerate(header):
        row = ["" for _ in header]
        row[position] = TEXT

        with pytest.raises(RefusedError) as refused:
            cells_of(source, 2, header, row)

        (problem,) = refused.value.problems
        assert (problem.field, problem.rule) == (name, NO_CARD_NUMBER)
        assert "4242" not in str(problem)


def test_a_cell_without_an_end_is_refused_by_the_name_of_its_column() -> None:
    header = tuple(column.name for column in COLUMNS["accounts"])

    with pytest.raises(RefusedError, match="owner_name: has 1001 characters, at most 1000"):
        cells_of("accounts", 2, header, ["acc_1", "x" * 1001, *[""] * (len(header) - 2)])


def test_no_text_of_a_payer_keeps_it_in_what_is_stored_of_a_line_of_the_bank() -> None:
    line = BankEntry(1, "B1", is_credit=True, amount_minor=100, currency="EUR", booked_on=date(2026, 11, 28))
    written = [field.name for field in fields(BankEntry) if isinstance(getattr(line, field.name), str)]

    stated: list[dict[str, Any]] = [{name: f"INV-0000000012 {TEXT}"} for name in written]
    notes = [replace(line, **one).note for one in stated]

    assert [note for note in notes if holds_card_number(note)] == []
    # All but currency, reference and bank account, which are the bank's own, and a payee's account.
    assert sum("INV-0000000012 my card (number removed)" in note for note in notes) == len(written) - 4


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("INV-0000000012 card 4242-4242-42\n42-4242 thanks", "text: INV-0000000012 card (number removed) thanks"),
        ("INV-0000000012\n4242424242424242\nthanks", "text: INV-0000000012 (number removed) thanks"),
        ("cust-1\n2026-11-28\n12.50", "text: cust-1 2026-11-28 12.50"),
    ],
)
def test_a_number_that_the_bank_has_cut_at_the_end_of_a_line_is_not_kept(text: str, note: str) -> None:
    line = BankEntry(1, "B1", is_credit=True, amount_minor=100, currency="EUR", booked_on=date(2026, 11, 28), text=text)

    assert line.note == note


def test_a_name_that_the_sender_gave_a_payment_is_kept_without_it_and_the_banks_own_stays(tmp_path: Path) -> None:
    sent = NUMBER.replace(" ", "")
    theirs = f":61:2605200520C12,50NTRF{sent}\n:86:danke\n:61:2605200520C12,50NTRFNONREF//{sent}\n:86:danke\n"
    swift = tmp_path / "s.sta"
    swift.write_text(f":20:S1\n:25:37040044/0532013000\n:28C:1/1\n:60F:C260519EUR0,00\n{theirs}-\n")
    files = (camt(tmp_path, entry("NONREF", "1.00", end_to_end=sent), entry(sent, "1.00")), swift)

    read = [one for file in files for one in read_entries(Path(file)) if isinstance(one, BankEntry)]

    assert [one.kept_reference for one in read] == ["(number removed)", sent] * 2
    assert [one.reference for one in read] == [sent] * 4
    assert "4242" not in read[0].note + read[2].note


def test_a_number_in_a_reason_that_is_cut_leaves_no_part_of_itself(tmp_path: Path) -> None:
    answers = status_report(tmp_path, ("rf_1", "RJCT", f"AC04 {'x' * 380} 4242 4242 4242 4242"))

    [answer] = [one for one in read_answers(Path(answers)) if not isinstance(one, Problem)]

    assert "4242" not in answer.reason
    assert "4242" not in details_of(f"166?00GUT?20EREF+{'x' * 20} 4242 4242 4242 4242").end_to_end_id


def test_the_row_of_a_banks_file_is_read_whatever_its_payer_wrote() -> None:
    header = tuple(column.name for column in COLUMNS["bank"])
    cells = cells_of("bank", 2, header, [TEXT for _ in header])

    assert cells["text"] == TEXT


@pytest.mark.parametrize("document", [{"notes": [{"text": TEXT}]}, {"limit": 4242424242424242}, {NUMBER: 1}])
@pytest.mark.parametrize("suffix", [".json", ".toml"])
def test_a_document_with_one_is_refused_whole(tmp_path: Path, document: dict[str, Any], suffix: str) -> None:
    file = tmp_path / f"document{suffix}"
    file.write_text(json.dumps(document) if suffix == ".json" else toml(document), encoding="utf-8")

    with pytest.raises(RefusedError) as refused:
        read_content(file)

    assert [problem.rule for problem in refused.value.problems] == [NO_CARD_NUMBER]
    assert "4242" not in str(refused.value)


def toml(document: dict[str, Any]) -> str:
    """Write a document of one value as TOML."""
    ((name, value),) = document.items()
    text = json.dumps(value).replace(": ", " = ")
    return f'"{name}" = {text}\n'


def test_metadata_that_somebody_wrote_by_hand_names_no_account_of_ours() -> None:
    metadata = {"duly_account": NUMBER, "duly_request": f"req {NUMBER}", "note": TEXT}
    event = event_of(
        {
            "id": "evt_1",
            "type": "payment_intent.succeeded",
            "created": 1764362812,
            "data": {"object": {"id": "pi_1", "metadata": metadata, "description": TEXT}},
        }
    )

    assert "4242" not in repr(event)


def test_no_line_of_the_log_has_a_card_number_a_key_or_a_password() -> None:
    written = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(written),
        processors=[structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer()],
    )
    key, secret = "sk_live_" + "a1B2" * 6, "whsec_" + "c3D4" * 6
    try:
        raise ValueError(f"no route for {TEXT}")
    except ValueError as error:
        log.exception("failed", account=NUMBER, key=key, problems=[TEXT], inner={"why": error, NUMBER: secret})
    log.info("connecting", address="postgresql+psycopg://duly:hunter2@db:5432/duly", attempt=3, level=logging.INFO)

    lines = written.getvalue()
    assert [left for left in ("4242", key, secret, "hunter2") if left in lines] == []
    assert "postgresql+psycopg://(secret removed)@db:5432/duly" in lines
    assert '"attempt": 3' in lines


def test_no_problem_says_a_number_again_whatever_its_words_quote() -> None:
    problem = Problem(NUMBER, "some_rule", f"{NUMBER!r} is no month", source=f"{NUMBER}.csv", line=2, id=NUMBER)

    assert "4242" not in f"{problem} {problem.as_document()} {problem!r}"
