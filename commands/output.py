"""What a command says: tables for people or one JSON document for programs, and errors in one line each."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from models.problem import Problem

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

# A pipe has no width; this is what a table needs and a log viewer shows.
WIDTH = 100


class ExitCode(IntEnum):
    """How a command ends."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3


class Failure(Exception):
    """A command that cannot do what it was asked to; each problem becomes a line."""

    def __init__(self, code: ExitCode, problems: Iterable[Problem]) -> None:
        self.code = code
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class Output:
    """What one command writes. Answers go to standard output, everything else to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.exit_code = ExitCode.OK

    def answer(self, document: Mapping[str, Any], *view: "RenderableType", is_good: bool = True) -> None:
        """Say it: the document as JSON, or the view for people."""
        if not is_good:
            self.exit_code = ExitCode.REFUSED
        if self.as_json:
            sys.stdout.write(to_json(document, indent=2) + "\n")
            return
        _show(view)

    @contextmanager
    def stream(self, name: str) -> Iterator["Stream"]:
        """Say something of any length: rows as they come, then the rest, together one document."""
        stream = Stream(self, name)
        yield stream
        stream.close()

    def note(self, text: str) -> None:
        """Tell a person something beside the answer."""
        if not self.as_json:
            console_on(sys.stderr).print(text, highlight=False, markup=False)


class Stream:
    """One JSON document or a series of tables, written page by page."""

    def __init__(self, output: Output, name: str) -> None:
        self._output = output
        self._rows = 0
        self._rest: Mapping[str, Any] = {}
        if output.as_json:
            sys.stdout.write(f'{{"{name}": [')

    def rows(self, documents: Iterable[Mapping[str, Any]], view: "Table | None" = None) -> None:
        """Write a page of rows."""
        if not self._output.as_json:
            if view is not None and view.row_count:
                console_on(sys.stdout).print(view)
            return
        for document in documents:
            sys.stdout.write(("," if self._rows else "") + "\n  " + to_json(document))
            self._rows += 1

    def finish(self, rest: Mapping[str, Any], *view: "RenderableType", is_good: bool = True) -> None:
        """Give what follows the rows."""
        self._rest = rest
        if not is_good:
            self._output.exit_code = ExitCode.REFUSED
        if not self._output.as_json:
            _show(view)

    def close(self) -> None:
        """End the document."""
        if self._output.as_json:
            rest = to_json(self._rest)[1:-1]
            sys.stdout.write("\n]" + (f", {rest}" if rest else "") + "}\n")


def _show(view: Iterable["RenderableType"]) -> None:
    # A line that is no table holds a link or a seal: it stays in one piece, however narrow the terminal is.
    console = console_on(sys.stdout)
    for part in view:
        console.print(part, soft_wrap=isinstance(part, str), markup=False, highlight=False)


def console_on(stream: Any) -> "Console":
    """Return a console on a stream: as wide as its terminal, or as a reader of its output needs."""
    from rich.console import Console

    width = None if stream.isatty() or os.environ.get("COLUMNS") else WIDTH
    return Console(file=stream, width=width, soft_wrap=False, emoji=False)


def table(title: str, *columns: str, rows: Iterable[Sequence[object]] = (), right: Sequence[str] = ()) -> "Table":
    """Make a table of texts. Ids are folded, never cut, so that they can be copied; `right` names number columns."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    if not made.row_count:
        made.add_row("none")
    return made


def problem_table(problems: Iterable[Problem]) -> "Table":
    """Make a table of bad lines of a file."""
    rows = [(problem.line, problem.field, problem.rule, problem.message) for problem in problems]
    return table("Refused lines", "Line", "Field", "Rule", "What is wrong", rows=rows, right=("Line",))


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of a total are done; yields what to call after each part."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = console_on(sys.stderr)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda parts: progress.advance(task, parts)


def to_json(document: object, *, indent: int | None = None) -> str:
    """Write a document as JSON; dates, decimals and the like as their text."""
    return json.dumps(document, ensure_ascii=False, indent=indent, default=_plain)


def report(failure: Failure, *, as_json: bool) -> None:
    """Write a failure to standard error: a line for each problem, or one JSON object."""
    if as_json:
        problems = [problem.as_document() for problem in failure.problems]
        sys.stderr.write(to_json({"error": {"exit_code": int(failure.code), "problems": problems}}) + "\n")
        return
    for problem in failure.problems:
        sys.stderr.write(f"error: {problem}\n")


def _plain(value: object) -> object:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return list(value) if isinstance(value, set | frozenset) else str(value)
