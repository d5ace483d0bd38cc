"""Reading what clients in any language send as JSON: every field known, none missing, each of its type."""

import dataclasses
import types
import typing
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ApplicationError

from models.problem import Problem
from models.workflow_inputs import quoted

# The type of every error about the shape of what was sent. Broken rules have types of their own.
INVALID_INPUT = "invalid_input"

ARGUMENTS, FIELD_KNOWN, FIELD_REQUIRED, FIELD_VALID = "arguments_fit", "field_known", "field_required", "field_valid"
SIZE = "size_is_bounded"
SHAPE = frozenset({ARGUMENTS, FIELD_KNOWN, FIELD_REQUIRED, FIELD_VALID, SIZE})

# What a workflow that lives for years is sent in between: it carries it along, notes it and shows it. A start may name
# thousands of invoices; what Duly itself signals is some kilobytes.
CALL_BYTES_MAX = 64 * 1024

# A client that is told ten things has enough to mend.
_MESSAGES = 10

_JSON = "json/plain"
_NOTHING = "binary/null"


@dataclasses.dataclass(frozen=True)
class Refused:
    """What stands in the place of arguments that could not be read."""

    problems: tuple[Problem, ...]


def refusal(problems: Iterable[Problem]) -> ApplicationError:
    """Make the error that a client gets: it names every field, and the details are for programs."""
    shown = list(problems)[:_MESSAGES]
    kind = INVALID_INPUT if shown[0].rule in SHAPE else shown[0].rule
    message = "; ".join(f"{problem.field}: {problem.message}" for problem in shown)
    return ApplicationError(message, [problem.as_document() for problem in shown], type=kind, non_retryable=True)


def read(payloads: Sequence[Payload], hints: Sequence[Any], *, bytes_max: int | None = None) -> list[Any] | Refused:
    """Read as many arguments as there are types, strictly; each of so many bytes at most."""
    values, problems = [], []
    for number, (payload, hint) in enumerate(zip(payloads, hints, strict=True), start=1):
        argument = named_argument(number, len(hints))
        if bytes_max is not None and len(payload.data) > bytes_max:
            problems.append(Problem(argument, SIZE, f"has {len(payload.data)} bytes, at most {bytes_max}"))
            continue
        encoding = payload.metadata.get("encoding", b"").decode(errors="replace")
        if encoding not in {_JSON, _NOTHING}:
            problems.append(Problem(argument, ARGUMENTS, f"must be JSON ({_JSON}), not {quoted(encoding)}"))
            continue
        try:
            values.append(_value(payload.data if encoding == _JSON else b"null", hint))
        except ValidationError as error:
            # What was given is never said again: it may be what must not be kept.
            found = error.errors(include_url=False, include_input=False)
            problems += [_problem(one, hint, argument) for one in found]
    return Refused(tuple(problems)) if problems else values


def named_argument(number: int, count: int) -> str:
    """Return how an argument is called that stands at no field."""
    return "argument" if count == 1 else f"argument {number}"


def _value(text: bytes, hint: Any) -> Any:
    (value,) = _adapter(hint).validate_json(b"[%b]" % text)
    return value


@cache
def _adapter(hint: Any) -> TypeAdapter[tuple[Any]]:
    """Return what reads one argument. A dataclass is strict when something strict is around it: a tuple of one."""
    return TypeAdapter(tuple[hint], config=ConfigDict(extra="forbid", strict=True))


def _problem(found: Any, hint: Any, argument: str) -> Problem:
    place = [str(part)[:60] for part in found["loc"][1:]]
    field = ".".join(place) or argument
    match found["type"]:
        case "missing":
            return Problem(field, FIELD_REQUIRED, "is missing")
        case "unexpected_keyword_argument":
            return Problem(field, FIELD_KNOWN, _unknown(place[-1], _fields_at(hint, place[:-1])))
        case "json_invalid" | "too_long":
            return Problem(field, FIELD_VALID, "is no JSON value")
        case "value_error":
            return _broken_rule(found["msg"].removeprefix("Value error, "), place, hint, argument)
        case _:
            return Problem(field, FIELD_VALID, found["msg"].replace("Input should be", "must be", 1))


def _unknown(name: str, known: Sequence[str]) -> str:
    """Say that a field is unknown, and which one may be meant."""
    close = get_close_matches(name, known, n=1)
    return f"is no field; did you mean {close[0]}?" if close else f"is no field; there are {', '.join(known)}"


def _broken_rule(message: str, place: list[str], hint: Any, argument: str) -> Problem:
    """Take a rule's message apart: it opens with the field, money without its unit."""
    named, colon, rest = message.partition(": ")
    known = _fields_at(hint, place)
    for name in (named, f"{named}_minor"):
        if colon and name in known:
            return Problem(".".join([*place, name]), FIELD_VALID, rest)
    return Problem(".".join(place) or argument, FIELD_VALID, message)


def _fields_at(hint: Any, place: Iterable[str]) -> list[str]:
    """Return the fields of the object at a place within a type; none where there is no object of ours."""
    for name in place:
        hint = typing.get_type_hints(_object(hint)).get(name) if dataclasses.is_dataclass(_object(hint)) else None
    kind = _object(hint)
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []


def _object(hint: Any) -> Any:
    """Return the type of a value that may be absent."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return next((one for one in typing.get_args(hint) if one is not types.NoneType), None)
    return hint
