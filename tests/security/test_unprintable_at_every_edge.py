"""What steers a terminal or turns a text about is refused by every command, message, file and document."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from activities.documents import read_content
from activities.messages.template_values import one_line
from activities.reports.text_files import safe_text
from commands.given_texts import problem_of
from commands.lists.csv_rows import CsvRows
from models.imports.columns import COLUMNS, OF_THE_BANK, cells_of
from models.operator_command import CommandError, OperatorCommand
from models.printable import TEXT_PRINTABLE, is_one_line, is_printable
from models.printouts.address import PostalAddress
from models.problem import RefusedError
from tests.contract.foreign import NAMES
from tests.operations.test_cli_usage import ALL
from tests.security.test_card_numbers_at_every_edge import COMMAND_LINE, TEXT, messages, places, problems_of, texts

TURNED = "pay \u202e00.9 to me"


def turned(value: Any) -> Any:
    """Put such a text where an example has a card number."""
    return json.loads(json.dumps(value).replace(json.dumps(TEXT)[1:-1], json.dumps(TURNED)[1:-1]))


def test_what_nobody_types_is_not_printable_and_what_people_write_is() -> None:
    steering = ["\x1b[2J", "\0", "a\rb", "\x9b1m", "\u2066x", TURNED, "a\u2028b", "\x7f", "\ufffe", "a\uffff", "\ud800"]
    written = ["Grüße", "two\nlines", "two\r\nlines", "a\tb", "\u200fשלום", "日本語", "👍🏽"]  # noqa: RUF001  # Hebrew

    assert [text for text in steering if is_printable(text)] == []
    assert [text for text in written if not is_printable(text)] == []


def test_a_name_of_any_script_is_one_line_as_it_is_written() -> None:
    names = ["山田\u3000太郎", "رضا\u200cپور", "Zoë\u00a0Müller", "👩\u200d👩\u200d👧", "\U0001fae8"]
    none = ["a\nb", "a\tb", "a\u00adb", "\ufeffa", "\ufdd0", "\U0001ffff", "\u202ea", "\x85"]

    assert [name for name in names if not is_one_line(name)] == []
    assert [name for name in none if is_one_line(name)] == []
    assert one_line(" رضا\u200cپور \n\x1b ") == "رضا\u200cپور"
    assert PostalAddress("1-2-3\u3000丸の内", "東京", "JP", name=names[0]).name == names[0]
    with pytest.raises(RefusedError):
        PostalAddress("\u3000", "東京", "JP")


def test_every_option_and_argument_of_every_command_refuses_it() -> None:
    taken = []
    for param in ALL:
        words, command = param.values[:2]
        for field, line in places(list(cast("tuple[str, ...]", words)), command):
            problem = problem_of(COMMAND_LINE, [word.replace(TEXT, TURNED) for word in line])
            if problem is None or (problem.field, problem.rule) != (field, TEXT_PRINTABLE):
                taken.append((words, field, problem))

    assert taken == []


def test_every_text_of_every_start_signal_and_update_refuses_it() -> None:
    taken = [
        (type(message).__name__, field)
        for name in NAMES
        for message in messages(name)
        for field, wrong in texts(message)
        if not (problems := problems_of(turned(wrong), type(message))) or not problems[0].field.startswith(field)
    ]

    assert taken == []
    with pytest.raises(CommandError, match="reason: has characters"):
        OperatorCommand("maria", TURNED).check()


def test_every_column_of_every_file_of_ours_refuses_it() -> None:
    for source in COLUMNS.keys() - OF_THE_BANK:
        header = tuple(column.name for column in COLUMNS[source])
        for position, name in enumerate(header):
            row = ["" for _ in header]
            row[position] = TURNED

            with pytest.raises(RefusedError) as refused:
                cells_of(source, 2, header, row)

            assert [problem.field for problem in refused.value.problems] == [name]


def test_what_a_payer_wrote_is_taken_without_it() -> None:
    header = tuple(column.name for column in COLUMNS["bank"])

    cells = cells_of("bank", 2, header, ["\x1b[2Jrent", *[TURNED for _ in header[1:]]])

    assert [text for text in cells.values() if text and not is_printable(text)] == []


def test_a_document_with_it_is_refused_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "definitions.json"
    file.write_text(json.dumps({"products": [{"id": "coffee", "name": TURNED}]}), encoding="utf-8")

    with pytest.raises(RefusedError) as refused:
        read_content(file)

    assert [(one.field, one.rule) for one in refused.value.problems] == [("products.0.name", TEXT_PRINTABLE)]


def test_no_text_in_a_csv_is_taken_for_a_formula_and_amounts_stay_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    formulas = ["=1", "+1", "-1", "@SUM", "\t=1", "\n=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20SUM"]

    CsvRows().write([{"name": "\uff1d1", "reason": "=1", "amount_minor": -100, "currency": "EUR"}])

    assert [safe_text(text) for text in formulas] == [f"'{text}" for text in formulas]
    assert capsys.readouterr().out == "name,reason,amount,currency\n'\uff1d1,'=1,-1.00,EUR\n"
