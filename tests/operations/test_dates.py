"""Every day, month and moment on the command line lies in the years in which books are kept, or is refused by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest
import typer.main

from commands.ledger.transaction_options import issue_of
from commands.options import day_of, moment_of, period_of, receivable_of, run_period_of
from starter import app

# By its reader: what is good, what lies outside of the years, and what is none.
VALUES: dict[Callable[[str], Any], tuple[str, tuple[str, ...], str]] = {
    issue_of: ("2026-11-26T18:30Z", ("1969-12-31", "2200-01-01T00:00:00", "9999-12-31"), "2026-11-31"),
    day_of: ("2026-11-26", ("0001-01-01", "1969-12-31", "2200-01-01", "9999-12-31"), "2026-11-31"),
    moment_of: ("2026-11-26T18:30:00", ("0001-01-01", "2200-01-01T00:00:00", "9999-12-31T23:59:59"), "tomorrow"),
    period_of: ("2026-11", ("1000-01", "1969-12", "2200-01", "9998-12"), "2026-13"),
    run_period_of: ("2026-W48", ("1000-01", "1969-W52", "2200-01-01", "9998-12"), "2026-W54"),
    receivable_of: ("2026-11-order-4711", ("1000-01", "1969-12-again", "2200-01", "9998-12"), "november"),
}


@dataclass(frozen=True)
class DateParameter:
    """One parameter of a command that takes a day, a month or a moment."""

    path: tuple[str, ...]
    command: Any
    parameter: Any
    reader: Callable[[str], Any]

    @property
    def field(self) -> str:
        """What a refusal calls it."""
        return str(self.parameter.opts[0] if self.parameter.param_type_name == "option" else self.parameter.metavar)

    def line(self, value: str) -> list[str]:
        """Return a command line with a value for it, and something good for each argument."""
        if self.parameter.param_type_name == "option":
            return [*self.path, self.parameter.opts[0], value, *(_good(each) for each in _arguments(self.command))]
        return [*self.path, *(value if each is self.parameter else _good(each) for each in _arguments(self.command))]


def _arguments(command: Any) -> list[Any]:
    return [each for each in command.params if each.param_type_name == "argument"]


def _reader(parameter: Any) -> Any:
    return getattr(parameter.type_descriptor.parameter_info, "parser", None)


def _good(parameter: Any) -> str:
    reader = _reader(parameter)
    return VALUES[reader][0] if reader in VALUES else "x"


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if not inner:
        yield path, command
        return
    for name, each in inner.items():
        yield from _commands(each, (*path, name))


COMMAND = typer.main.get_command(app)
COMMANDS = list(_commands(COMMAND))
DATES = [
    DateParameter(path, command, parameter, _reader(parameter))
    for path, command in COMMANDS
    for parameter in command.params
    if _reader(parameter) in VALUES
]


def refusal(given: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Run a command line that must end before anything is read or asked; return its exit code and what it says."""
    with pytest.raises(SystemExit) as ended:
        COMMAND.main(given)
    return ended.value.code, capsys.readouterr().err


def test_nothing_else_reads_days_months_or_moments() -> None:
    others = [
        (*path, parameter.name)
        for path, command in COMMANDS
        for parameter in command.params
        if _reader(parameter) not in VALUES
        and (
            parameter.type_descriptor.annotation in {date, datetime}
            or parameter.metavar in {"DAY", "MOMENT", "PERIOD", "RECEIVABLE", "FROM", "TO"}
        )
    ]

    assert others == []
    assert len(DATES) > 30


@pytest.mark.parametrize("one", DATES, ids=lambda one: f"{' '.join(one.path)} {one.field}")
def test_a_date_beyond_the_years_or_none_at_all_is_refused_by_its_name(
    one: DateParameter, capsys: pytest.CaptureFixture[str]
) -> None:
    _, beyond, none = VALUES[one.reader]

    for value in beyond:
        code, printed = refusal(one.line(value), capsys)
        assert (code, printed) == (2, f"error: {one.field}: {value!r} is not within the years 1970 to 2199 (usage)\n")
    code, printed = refusal(one.line(none), capsys)
    assert (code, printed.startswith(f"error: {one.field}: "), repr(none) in printed) == (2, True, True)


@pytest.mark.parametrize(
    ("text", "read"),
    [("2026-11-26", "2026-11-26T00:00:00+00:00"), ("2026-11-26T18:30:00+02:00", "2026-11-26T16:30:00+00:00")],
)
def test_a_moment_without_an_offset_is_in_utc(text: str, read: str) -> None:
    assert moment_of(text).isoformat() == read
