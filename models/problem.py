"""What is wrong with something we were given: where it stands, which field, which rule."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from models.card_number import NO_CARD_NUMBER, REFUSED, holds_card_number, without_card_numbers
from models.printable import NOT_PRINTABLE, TEXT_PRINTABLE, is_printable


@dataclass(frozen=True)
class Problem:
    """One broken rule. `rule` is its stable name; `source`, `line` and `id` say which row of a file, if it was one.

    Nothing that may be a card number is said again, whatever the words quote.
    """

    field: str
    rule: str
    message: str
    source: str = ""
    line: int = 0
    id: str = ""

    def __post_init__(self) -> None:
        """Take out what must not be said again: a problem is printed, logged and kept in histories."""
        for name in ("field", "message", "source", "id"):
            object.__setattr__(self, name, without_card_numbers(getattr(self, name)))

    def __str__(self) -> str:
        place = f"{self.source}, line {self.line}" if self.line else self.source
        place += f" ({self.id})" if self.id else ""
        return f"{place}{': ' if place else ''}{self.field}: {self.message} ({self.rule})"

    def as_document(self) -> dict[str, str | int]:
        """Return what a program reads; places that are empty are left out."""
        return {name: value for name, value in asdict(self).items() if value}


def problem_of_text(field: str, text: str, most: int) -> Problem | None:
    """Return why a text that somebody typed is not kept; the message repeats nothing of it."""
    if len(text) > most:
        return Problem(field, "text_length", f"has {len(text)} characters, at most {most}")
    if holds_card_number(text):
        return Problem(field, NO_CARD_NUMBER, REFUSED)
    return None if is_printable(text) else Problem(field, TEXT_PRINTABLE, NOT_PRINTABLE)


class RefusedError(ValueError):
    """Something was refused as a whole, and nothing was written. Carries every problem that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def refusal(field: str, rule: str, message: str) -> RefusedError:
    """Make the refusal for one broken rule."""
    return RefusedError((Problem(field, rule, message),))


def refuse_unless(holds: bool, error: type[ValueError], *words: str) -> None:
    """Raise an error with its words when a rule does not hold."""
    if not holds:
        raise error(*words)
