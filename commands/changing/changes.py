"""Commands that change something: each takes who and why, keeps it, and asks before what cannot be undone."""

import getpass
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.options import Actor

Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the command.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")]
Command = Callable[..., None]

_OPTIONS: Mapping[str, Any] = {"actor": Actor, "reason": Reason}
# Texts of people, and who a file names: what a command is about stands in the rest.
_CONTEXT = Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)
_NOT_KEPT = frozenset({"text", "reason", "file", "accounts_file", "holder", "value"})


@dataclass(frozen=True)
class KeptCommand:
    """What is kept of a command: its words, what it is about, who gave it and why."""

    name: str
    subject: str
    actor: str
    reason: str


_kept: ContextVar[KeptCommand | None] = ContextVar("kept_command", default=None)


def kept_command() -> KeptCommand | None:
    """Return what is to be kept of the command that runs; None of one that only reads."""
    return _kept.get()


def changes(*, final: str = "") -> Callable[[Command], Command]:
    """Let a command take `--actor` and `--reason`, which are kept.

    `final` says what of it cannot be undone: then a person at a terminal is asked, unless `--yes` is given. Without a
    terminal nobody can be asked.
    """

    def decorate(command: Command) -> Command:
        own = signature(command).parameters
        added = {**_OPTIONS, **({"yes": Yes} if final else {})}
        extra = [
            Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=False if name == "yes" else "")
            for name, annotation in added.items()
            if name not in own
        ]

        @wraps(command)
        def changing(context: typer.Context, **given: Any) -> None:
            if final and not given.get("yes"):
                _ask(final)
            token = _kept.set(_command(context, given))
            try:
                command(**{name: value for name, value in given.items() if name in own})
            finally:
                _kept.reset(token)

        keyword_only = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in (_CONTEXT, *own.values(), *extra)]
        changing.__dict__["__signature__"] = signature(command).replace(parameters=keyword_only)
        changing.__annotations__ = {one.name: one.annotation for one in keyword_only}
        return changing

    return decorate


def person_of(actor: str) -> str:
    """Return who gives a command: who is named, else the login name."""
    return actor or getpass.getuser()


def _ask(final: str) -> None:
    if sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm(f"{final} Go on?", abort=True, err=True)


def _command(context: typer.Context, given: Mapping[str, Any]) -> KeptCommand:
    arguments = [one.name for one in context.command.params if one.param_type_name == "argument"]
    subject = " ".join(
        str(given[name])
        for name in arguments
        if name in given and name not in _NOT_KEPT and given[name] is not None and not isinstance(given[name], Path)
    )
    actor = person_of(str(given.get("actor") or ""))
    words = context.command_path.split()[1:]
    return KeptCommand(" ".join(words), subject, actor, str(given.get("reason") or ""))
