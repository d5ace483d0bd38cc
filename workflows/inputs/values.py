"""What no value may be although its type is right: a text that cannot be stored or holds a card number, a number or
moment beyond sense.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from models.card_number import NO_CARD_NUMBER, REFUSED, holds_card_number
from models.moment import YEARS, YEARS_MEANING
from models.money import AMOUNT_MINOR_MAX
from models.printable import NOT_PRINTABLE, TEXT_PRINTABLE, is_printable
from models.problem import Problem
from workflows.inputs.decoding import FIELD_VALID, named_argument

TEXT_MAX = 1000


def problems_of_values(values: Sequence[Any]) -> list[Problem]:
    """Return what is wrong with the values of one call's arguments."""
    return [
        problem
        for number, value in enumerate(values, 1)
        for problem in _problems(value, "", named_argument(number, len(values)))
    ]


def _problems(value: Any, place: str, argument: str) -> Iterator[Problem]:
    """Look at a value and all that it holds."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _problems(getattr(value, field.name), f"{place}{field.name}.", argument)
    elif isinstance(value, Mapping):
        for key, held in value.items():
            yield from _problems(key, place, argument)
            yield from _problems(held, f"{place}{str(key)[:60]}.", argument)
    elif isinstance(value, list | tuple):
        for number, held in enumerate(value):
            yield from _problems(held, f"{place}{number}.", argument)
    elif isinstance(value, str) and holds_card_number(value):
        yield Problem(place.removesuffix(".") or argument, NO_CARD_NUMBER, REFUSED)
    elif isinstance(value, str) and "\0" not in value and not is_printable(value):
        yield Problem(place.removesuffix(".") or argument, TEXT_PRINTABLE, NOT_PRINTABLE)
    elif message := _message(value):
        yield Problem(place.removesuffix(".") or argument, FIELD_VALID, message)


def _message(value: Any) -> str:
    match value:
        case str() if "\0" in value:
            return "must not hold the character U+0000"
        case str() if len(value) > TEXT_MAX:
            return f"must have at most {TEXT_MAX} characters"
        case int() if abs(value) > AMOUNT_MINOR_MAX:
            return f"must be from {-AMOUNT_MINOR_MAX} to {AMOUNT_MINOR_MAX}"
        case datetime() if value.tzinfo is None:
            return "must have an offset, as 2026-12-10T12:00:00Z has"
        case date() if value.year not in YEARS:
            return f"must lie in {YEARS_MEANING}"
        case _:
            return ""
