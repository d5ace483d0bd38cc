"""docs/states.md, made of the words in models/operations. As a program, prints it."""

import sys
from collections.abc import Iterator, Sequence

from models.operations.record_states import EVERY
from models.operations.states import States

HEAD = """\
# States

One word for each state: the same in lists, `show`, `--json`, `--csv`, filters, the Temporal UI (search attribute
`Stage`, current details), metrics and log lines. Where the database has another value, the last column has it: released
values stay as they are. A word of a workflow is finer than what the database knows: a list shows it while Temporal
answers, and else the word in its last column, by which lists are filtered and totalled.

The page is printed by `.venv/bin/python -m tests.operations.lists.states_table`; tests compare it, and every list,
filter, view, metric and name of a log line with it.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *(line for states in EVERY for line in _section(states))])


def _section(states: States) -> Iterator[str]:
    yield from (f"## {states.name}", "", "| Word | It means | In the database |", "|---|---|---|")
    for word, meaning in states.words.items():
        yield f"| `{word}` | {meaning} | {_stored(states, word)} |"
    yield ""


def _stored(states: States, word: str) -> str:
    if word in states.derived:
        return states.derived[word]
    if word in states.finer:
        stored = [value for coarser in states.finer[word] for value in states.values(coarser)]
        return f"{_listed(stored)}; its workflow says more"
    values = states.values(word)
    if not states.column or values == (word,):
        return ""
    return _listed(values)


def _listed(values: Sequence[str]) -> str:
    return ", ".join(f"`{value}`" if value else "nothing yet" for value in values)


if __name__ == "__main__":
    sys.stdout.write(page())
