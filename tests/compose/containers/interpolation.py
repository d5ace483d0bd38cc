"""`${NAME:-default}` and its likes in a compose file, by the compose specification."""

import re
from collections.abc import Mapping
from typing import Any

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OPERATOR = re.compile(r":?[-?+]")


class ComposeError(Exception):
    """A compose file that an engine refuses, or a service that does not do what others wait for."""


def interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    """Fill in every text of a document. Raises ComposeError for a variable that must be given and is not."""
    if isinstance(value, dict):
        return {key: interpolated(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, variables) for each in value]
    return filled_in(value, variables) if isinstance(value, str) else value


def filled_in(text: str, variables: Mapping[str, str]) -> str:
    """Fill in one text."""
    parts, at = [], 0
    while (dollar := text.find("$", at)) >= 0:
        parts.append(text[at:dollar])
        value, at = _expanded(text, dollar + 1, variables)
        parts.append(value)
    return "".join(parts) + text[at:]


def names_in(text: str) -> set[str]:
    """Return every variable that a text mentions in braces."""
    return set(re.findall(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)", text))


def _expanded(text: str, at: int, variables: Mapping[str, str]) -> tuple[str, int]:
    """Return what stands for the expression behind a dollar sign, and where the text goes on."""
    if text.startswith("$", at):
        return "$", at + 1
    if text.startswith("{", at):
        end = _closing(text, at)
        return _braced(text[at + 1 : end], variables), end + 1
    if match := NAME.match(text, at):
        return variables.get(match[0], ""), match.end()
    raise ComposeError(f"invalid interpolation: {text!r}")


def _closing(text: str, at: int) -> int:
    depth = 0
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise ComposeError(f"invalid interpolation: {text!r}")


def _braced(expression: str, variables: Mapping[str, str]) -> str:
    match = NAME.match(expression)
    if match is None:
        raise ComposeError(f"invalid interpolation: ${{{expression}}}")
    name, rest = match[0], expression[match.end() :]
    operator = OPERATOR.match(rest)
    if rest and operator is None:
        raise ComposeError(f"invalid interpolation: ${{{expression}}}")
    value, kind = variables.get(name), operator[0] if operator else ""
    operand = rest[len(kind) :]
    is_given = bool(value) if kind.startswith(":") else value is not None
    if kind.endswith("+"):
        return filled_in(operand, variables) if is_given else ""
    if is_given or not kind:
        return value or ""
    if kind.endswith("?"):
        raise ComposeError(f"required variable {name} is missing a value: {filled_in(operand, variables)}")
    return filled_in(operand, variables)
