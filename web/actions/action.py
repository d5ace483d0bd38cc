"""What an action of the console is: a form, who may send it, and the use case that carries it out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.table import Table

from commands.output import ExitCode, Output
from models.console.roles import Permission

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class FormField:
    """A field of a form. `choices` names what is read to choose from; a `checkbox` is given as "yes"."""

    name: str
    label: str
    kind: str = "text"
    choices: str = ""
    words: Sequence[tuple[str, str]] = ()
    is_required: bool = False
    help: str = ""
    value: str = ""


@dataclass(frozen=True)
class Asked:
    """What somebody asks for: of what, who, why, under which key, and the fields of the form."""

    id: str
    actor: str
    reason: str
    key: str
    fields: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


Carry = Callable[[Output, Asked], Awaitable[None]]


@dataclass(frozen=True)
class Action:
    """Something that may be done to an object, as the command of the same words does it.

    `states` are the words of the object's states in which it makes sense; empty: any. `final` says what of it cannot be
    undone. The use case has the last word on all of it.
    """

    noun: str
    verb: str
    name: str
    command: str
    permission: Permission
    explains: str
    carry: Carry
    fields: Sequence[FormField] = ()
    states: frozenset[str] = frozenset()
    final: str = ""

    @property
    def path(self) -> str:
        """The part of an address that names it."""
        return f"{self.noun}/{self.verb}"


class CapturedOutput(Output):
    """What a use case answers, kept as lines instead of being written to a terminal."""

    def __init__(self) -> None:
        super().__init__(as_json=False)
        self.lines: list[str] = []

    def answer(self, document: Mapping[str, Any], *view: "RenderableType", is_good: bool = True) -> None:
        """Keep the view: a table's rows as lines."""
        del document
        if not is_good:
            self.exit_code = ExitCode.REFUSED
        for part in view:
            self.lines += _lines(part)

    def note(self, text: str) -> None:
        """Keep what is said beside the answer."""
        self.lines.append(text)


def _lines(part: "RenderableType") -> list[str]:
    if not isinstance(part, Table):
        return [str(part)]
    columns = [[str(cell) for cell in column.cells] for column in part.columns]
    return [": ".join(filter(None, row)) for row in zip(*columns, strict=True)]


@dataclass(frozen=True)
class Filled:
    """A form as it is shown: what was given before, and what was wrong with it."""

    values: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()
    key: str = ""

    def given(self, name: str) -> str:
        """Return what was given for a field; "" before that."""
        return self.values.get(name, "")
