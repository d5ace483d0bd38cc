"""What an action of the console is: a form, who may send it, and the use case that carries it out."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from activities.database import Database
from commands.console.limited import AskedAction, Carry
from models.console.roles import Permission
from models.moment import YEARS, YEARS_MEANING
from models.operator_command import TEXT_MAX
from models.printable import is_blank
from models.problem import Problem, problem_of_text, refusal

_RULE = re.compile(r" \([a-z_0-9]+\)$")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# More digits than any number of things that a form asks for.
_DIGITS_MAX = 9

_FIELD_MAX = 4000


def text_max(name: str) -> int:
    """Return how many characters a field may have."""
    return TEXT_MAX.get(name, _FIELD_MAX)


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

    def __post_init__(self) -> None:
        """Say at a field for long texts how long they may be."""
        if self.kind == "textarea":
            most = f"At most {text_max(self.name):,} characters."
            object.__setattr__(self, "help", f"{self.help} {most}".strip())


@dataclass(frozen=True)
class Action:
    """Something that may be done to an object, as the command of the same words does it.

    `states` are the words of the object's states in which it makes sense; empty: any. `final` says what of it cannot be
    undone. The use case has the last word on all of it. `place` is the page that has its form, where it is none of an
    object. One that `is_of_list` stands beside the list of its noun; the field `id_field` says what it makes. `begin`
    reads what the form shows at first.
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
    place: str = ""
    is_of_list: bool = False
    id_field: str = ""
    begin: Callable[[Database, str], Awaitable[Mapping[str, str]]] | None = None

    @property
    def path(self) -> str:
        """The part of an address that names it."""
        return f"{self.noun}/{self.verb}"

    @property
    def is_of_page(self) -> bool:
        """Whether its page is one of its own, and none of the object that it is about."""
        return bool(self.place) and "{id}" not in self.place


@dataclass(frozen=True)
class Filled:
    """A form as it is shown: what was given before, and what was wrong with it."""

    values: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()
    key: str = ""

    def given(self, name: str) -> str:
        """Return what was given for a field; "" before that."""
        return self.values.get(name, "")

    def wrong(self, name: str) -> Sequence[str]:
        """Return what was wrong with a field, without its name and the rule, which stand above the form."""
        found = [one.removeprefix(f"{name}: ") for one in self.problems if one.startswith(f"{name}: ")]
        return [_RULE.sub("", one) for one in found]

    @property
    def first_wrong(self) -> str:
        """The field of the first problem, which need be none of the form's."""
        return self.problems[0].partition(": ")[0] if self.problems else ""


def problems_of(action: Action, asked: AskedAction) -> list[Problem]:
    """Return what is wrong before anything is asked: who, why, what is missing, too long, or not to be kept."""
    problems = []
    # The id is kept with the command, as it stands in the address.
    texts = {**asked.fields, "reason": asked.reason, "id": asked.id}
    if is_blank(asked.reason):
        problems.append(Problem("reason", "command_says_who_and_why", "say why"))
    problems += [
        Problem(one.name, "field_given", "must be given")
        for one in action.fields
        if one.is_required and is_blank(asked[one.name])
    ]
    found = (problem_of_text(name, text, text_max(name)) for name, text in texts.items())
    return [*problems, *filter(None, found)]


def day_given(name: str, given: str) -> date | None:
    """Read a day of a form as the command line does; None for none. Raises RefusedError (day_valid)."""
    if not given:
        return None
    try:
        day = date.fromisoformat(given) if _DAY.fullmatch(given) else None
    except ValueError:
        day = None
    if day is None:
        raise refusal(name, "day_valid", f"{given!r} is not a day like 2026-11-26")
    if day.year not in YEARS:
        raise refusal(name, "day_valid", f"{given!r} is not within {YEARS_MEANING}")
    return day


def whole_given(name: str, given: str, least: int, most: int) -> int | None:
    """Read a number of things, within the bounds of the command line; None for none. Raises RefusedError."""
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > _DIGITS_MAX:
        raise refusal(name, "whole_number", f"{given!r} is no whole number")
    if not least <= int(given) <= most:
        raise refusal(name, "number_in_range", f"must be from {least} to {most}")
    return int(given)
