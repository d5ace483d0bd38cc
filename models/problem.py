"""What is wrong with something we were given: where it stands, which field, which rule."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Problem:
    """One broken rule. `rule` is its stable name; `source` and `line` say where in a file, if it was one."""

    field: str
    rule: str
    message: str
    source: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.source}, line {self.line}: " if self.line else f"{self.source}: " if self.source else ""
        return f"{place}{self.field}: {self.message} ({self.rule})"

    def as_document(self) -> dict[str, str | int]:
        """Return what a program reads; places that are empty are left out."""
        return {name: value for name, value in asdict(self).items() if value}


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
