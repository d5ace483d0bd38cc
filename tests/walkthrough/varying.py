"""What of a page's output is another each time: it is compared by its kind, and ids are followed from there on.

Everything else of a line has to be the same, every amount above all. Runs of blanks and of a table's strokes count as
one, for columns are as wide as what is in them, and empty lines do not count.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.walkthrough.page import LEFT_OUT

# Kinds of values by what they look like. An id that a page shows is its reader's own from then on, in commands too.
IDS = {
    "id of Stripe's": r"\b(?:acct|ch|cus|du|evt|pi|pm|po|re|seti|txn|we)_[A-Za-z0-9]+\b",
    "signing secret": r"\bwhsec_\w+\b",
    "id of Duly's": r"\b(?:card|rf)_[0-9a-f]{8,}\b|\bft_\d+\b",
    "number of a document": r"\b[A-Z]{2,3}(?:20\d\d)?-\d{10}\b",
    "uuid": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
}
OTHERS = {
    "moment": r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?\b",
    "day": r"\b20\d\d-\d\d-\d\d\b",
    "hash": r"\b[0-9a-f]{32,}\b",
    "seconds": r"\b\d+(?:\.\d+)? s\b",
}
_VARYING = re.compile("|".join(f"(?P<k{n}>{shape})" for n, shape in enumerate([*IDS.values(), *OTHERS.values()])))
_NAMES = (*IDS, *OTHERS)
_RUNS = re.compile(r"[ \t]+|[─━]+")


@dataclass
class Bindings:
    """Which of the ids of a run stands for which of the page's."""

    found: dict[str, str] = field(default_factory=dict)

    def replaced(self, text: str) -> str:
        """Return a text of the page's with the ids of this run."""
        return _VARYING.sub(lambda match: self.found.get(match[0], match[0]), text)

    def of_the_page(self, lines: Sequence[str]) -> tuple[str, ...]:
        """Return lines of this run with the ids of the page, as far as they have met."""
        ours = {theirs: ours for ours, theirs in self.found.items()}
        return tuple(_VARYING.sub(lambda match: ours.get(match[0], match[0]), line) for line in lines)

    def differences(self, expected: Sequence[str], written: Sequence[str]) -> list[str]:
        """Return the first line in which a run differs from the page, with the page's, or nothing; learn its ids."""
        expected, written = _filled(expected), _filled(written)
        place = 0
        for number, line in enumerate(expected):
            if line.strip() == LEFT_OUT:
                following = expected[number + 1 :]
                if not following:
                    return []
                place = next((at for at in range(place, len(written)) if self._fits(following[0], written[at])), -1)
                if place < 0:
                    return [f"- {following[0]}", *(f"+ {each}" for each in written)]
            elif place >= len(written) or not self._learn(line, written[place]):
                return [f"- {line}", f"+ {written[place] if place < len(written) else '(nothing more)'}"]
            else:
                place += 1
        return [f"+ {each}" for each in written[place:]]

    def _fits(self, line: str, other: str) -> bool:
        return _skeleton(line) == _skeleton(other)

    def _learn(self, line: str, other: str) -> bool:
        if not self._fits(line, other):
            return False
        for ours, theirs in zip(_VARYING.finditer(line), _VARYING.finditer(other), strict=True):
            if _kind(ours) in IDS and self.found.setdefault(ours[0], theirs[0]) != theirs[0]:
                return False
        return True


def _filled(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.strip()]


def _kind(match: re.Match[str]) -> str:
    return _NAMES[int(str(match.lastgroup)[1:])]


def _skeleton(line: str) -> str:
    """Return a line with each value that varies replaced by its kind."""
    kinds = _VARYING.sub(lambda match: f"<{_kind(match)}>", line)
    return _RUNS.sub(lambda run: run[0][0].replace("\t", " "), kinds).strip()
