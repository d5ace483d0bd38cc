"""One word for each state of each business object: what lists, JSON, CSV, the Temporal UI, metrics and logs call it.

Stored values of a release stay as they are; where one has another word, `stored` says so. docs/states.md is made of
these tables by `python -m tests.operations.lists.states_table`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class States:
    """The states of one kind of object.

    `words` are their words, with what each means; `column` is where the database keeps them, if it does. `stored` names
    the words of stored values, where one of a word's values is another; "" is a state that no value says yet. `finer`
    names, for a word that no value says, the words that the database has meanwhile: their workflow says more, or other
    rows do (`derived`, and from which).
    """

    name: str
    words: Mapping[str, str]
    stored: Mapping[str, str] = field(default_factory=dict)
    finer: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    derived: Mapping[str, str] = field(default_factory=dict)
    column: str = ""

    def word(self, stored: str | None, stage: str = "") -> str:
        """Return the word of a stored value, or of the workflow's stage where that says more."""
        stored = stored or ""
        word = self.stored.get(stored, stored)
        return stage if word in self.finer.get(stage, ()) else word

    def values(self, word: str) -> tuple[str, ...]:
        """Return the stored values that a word stands for, to filter by; none for a word that no value says."""
        if word in self.finer:
            return ()
        return tuple(value for value, named in self.stored.items() if named == word) or (word,)
