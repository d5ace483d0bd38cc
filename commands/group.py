"""The root of the command line: a wrong command line ends in one line that names the option and what is wrong."""

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from commands.given_texts import problem_of
from commands.output import ExitCode, Failure, report
from models.problem import Problem

EXIT_CODES = (
    "Exit codes: 0 done; 1 refused, or something is broken; 2 bad usage or settings; 3 a server cannot be reached."
)


class DulyGroup(TyperGroup):
    """Runs a command and turns every expected failure into its exit code."""

    def main(self, args: Sequence[str] | None = None, *positional: Any, **named: Any) -> Any:
        """Run the command line and leave with its exit code."""
        given = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in given
        # Before anything is read: what cannot be read is said again by whoever reads it.
        if problem := problem_of(self, given):
            report(Failure(ExitCode.REFUSED, [problem]), as_json=as_json)
            sys.exit(ExitCode.REFUSED)
        try:
            code = super().main(given, *positional, **{**named, "standalone_mode": False})
        except Failure as failure:
            report(failure, as_json=as_json)
            sys.exit(failure.code)
        except typer.TyperException as error:
            report(_usage_failure(error), as_json=as_json)
            sys.exit(ExitCode.USAGE)
        except typer.Abort:
            sys.exit(ExitCode.REFUSED)
        sys.exit(code or 0)


def _usage_failure(error: typer.TyperException) -> Failure:
    parameter = getattr(error, "param", None)
    if parameter is None:
        field = getattr(error, "option_name", None) or "command line"
        return Failure(ExitCode.USAGE, [Problem(field, "usage", _as_argument(error, field) or error.format_message())])
    field = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar or parameter.name
    # The first words are of whoever reads the value, and say nothing to who has typed it.
    message = (error.message or "is missing").removeprefix("Value error, ")
    return Failure(ExitCode.USAGE, [Problem(field, "usage", message)])


def _as_argument(error: typer.TyperException, option: str) -> str:
    """Return how a command is typed where an option was given that is an argument of it; else nothing."""
    context = getattr(error, "ctx", None)
    if context is None or not option.startswith("--"):
        return ""
    parameters = [one for one in context.command.params if one.param_type_name == "argument"]
    arguments = [one.metavar or (one.name or "").upper() for one in parameters]
    if option.removeprefix("--").replace("-", "_").upper() not in arguments:
        return ""
    return f"is no option here: it is typed as {context.command_path} {' '.join(arguments)}"
