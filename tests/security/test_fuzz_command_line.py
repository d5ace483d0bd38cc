"""Command lines of every kind: each ends with an exit code and words, and never with a traceback."""

import random
from pathlib import Path
from typing import Any

import pytest

from models.card_number import holds_card_number
from tests.operations.test_cli_usage import commands
from tests.support.command_line import CommandLine

SEED = 17
IN_THE_GATE, BY_NIGHT = 150, 5_000
# It starts servers of its own, whatever it is given.
COMMANDS = [(words, command) for words, command in commands() if words != ("demo",)]
TEXTS = (
    "", " ", "-", "--", "---x", "=", "acc_1", "2026-11", "2026-13", "0000-00", "9999-12", "2026-02-30", "12.50", "-1",
    "1e9", "nan", "9" * 400, "\u0664", "\u202e", "\U0001f4b8", "a\nb", "\x1b[2J", "x" * 5000, "%s%n", "{}", "[bold]",
    "';--", "../../x", "4242 4242 4242 4242", "None", "true", "EUR", "ZZZ", "run/monthly/2026-11", "http://[", "\udcff",
)  # fmt: skip


def line_of(drawn: random.Random) -> list[str]:
    """Put a command line together: a real command, with real and made-up options, right and wrong values."""
    words, command = drawn.choice(COMMANDS)
    line = list(words[: drawn.choice((len(words), len(words), len(words), 1))])
    options: list[Any] = [one for one in command.params if one.param_type_name == "option"]
    for _ in range(drawn.randint(0, 5)):
        option = drawn.choice(options)
        match drawn.randint(0, 5):
            case 0:
                line.append(drawn.choice(TEXTS))
            case 1:
                line.append(f"{drawn.choice(option.opts)}={drawn.choice(TEXTS)}")
            case 2:
                line.append(drawn.choice(option.opts))
            case _:
                line += [drawn.choice(option.opts), drawn.choice(TEXTS)]
    return line


@pytest.mark.parametrize("times", [IN_THE_GATE, pytest.param(BY_NIGHT, marks=pytest.mark.nightly)])
async def test_any_command_line_ends_with_a_code_and_a_line_and_repeats_no_card_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.chdir(tmp_path)
    drawn = random.Random(SEED)
    # Nothing answers there: what is right so far ends because of that.
    away = {
        "DULY_DATABASE_URL": "postgresql+psycopg://duly:x@127.0.0.1:1/duly",
        "DULY_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "STRIPE_API_KEY": "sk_test_x",
        "STRIPE_API_BASE": "http://127.0.0.1:1",
    }
    lines = [line_of(drawn) for _ in range(times)]
    for line in lines:
        cli = CommandLine({**away, "STRIPE_API_KEY": ""} if drawn.random() < 0.9 else away)
        result = await cli(*line)

        assert result.exit_code in {0, 1, 2, 3}, line
        assert result.exit_code == 0 or result.stderr.strip() or result.stdout.strip(), line
        assert "Traceback" not in result.stderr + result.stdout, line
        assert not holds_card_number(result.stderr), line
