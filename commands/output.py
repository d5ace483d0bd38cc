"""What a command says: tables for people or one JSON document for programs, and errors in one line each."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from models.problem import Problem

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from commands.lists.csv_rows import CsvRows

# A pipe has no width; this is what a table needs and a log viewer shows.
WIDTH = 100
# Wider than any table: what it needs is measured, whatever the terminal is.
MEASURED = 10_000
# No id and no state is longer: a longer word is somebody's text, and may be folded.
WHOLE = 64


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

    def __init__(self, *, as_json: bool, as_csv: bool = False) -> None:
        self.as_json = as_json
        self.as_csv = as_csv
        self.exit_code = ExitCode.OK

    def answer(self, document: Mapping[str, Any], *view: "RenderableType", is_good: bool = True) -> None:
        """Say it: the document as JSON, or the view for people."""
        if not is_good:
            self.exit_code = ExitCode.REFUSED
        if self.as_json:
            sys.stdout.write(to_json(document, indent=2) + "\n")
            return
        _show(view)

    def csv_rows(self) -> "CsvRows":
        """Return what writes rows as CSV, amounts in major units beside their currencies."""
        from commands.lists.csv_rows import CsvRows

        return CsvRows()

    @contextmanager
    def stream(self, name: str) -> Iterator["Stream"]:
        """Say something of any length: rows as they come, then the rest, together one document."""
        stream = Stream(self, name)
        yield stream
        stream.close()

    def note(self, text: str) -> None:
        """Tell a person something beside the answer."""
        if not (self.as_json or self.as_csv):
            console_on(sys.stderr).print(text, highlight=False, markup=False)


class Stream:
    """One JSON document or a series of tables, written page by page."""

    def __init__(self, output: Output, name: str) -> None:
        self._output = output
        self._rows = 0
        self._rest: Mapping[str, Any] = {}
        self._csv = output.csv_rows() if output.as_csv else None
        self._name = name
        self._is_begun = False

    def rows(self, documents: Iterable[Mapping[str, Any]], view: "Table | None" = None) -> None:
        """Write a page of rows."""
        if self._csv is not None:
            self._csv.write(documents)
            return
        if not self._output.as_json:
            if view is not None and view.row_count:
                _show((view,))
            return
        for document in documents:
            self._begin()
            sys.stdout.write(("," if self._rows else "") + "\n  " + to_json(document))
            self._rows += 1

    def finish(self, rest: Mapping[str, Any], *view: "RenderableType", is_good: bool = True) -> None:
        """Give what follows the rows."""
        self._rest = rest
        if not is_good:
            self._output.exit_code = ExitCode.REFUSED
        if not (self._output.as_json or self._output.as_csv):
            _show(view)

    def close(self) -> None:
        """End the document."""
        if self._output.as_json:
            self._begin()
            rest = to_json(self._rest)[1:-1]
            sys.stdout.write("\n]" + (f", {rest}" if rest else "") + "}\n")

    def _begin(self) -> None:
        # Not before there is something: what is refused before leaves no document that is torn.
        if not self._is_begun:
            self._is_begun = True
            sys.stdout.write(f'{{"{self._name}": [')


def _show(view: Iterable["RenderableType"]) -> None:
    # A line that is no table holds a link or a seal: it stays in one piece, however narrow the terminal is.
    console = console_on(sys.stdout)
    for part in view:
        lines = None if isinstance(part, str) else _lines_instead(part, console)
        for line in [part] if lines is None else lines:
            console.print(line, soft_wrap=isinstance(line, str), markup=False, highlight=False)


def _lines_instead(part: "RenderableType", console: "Console") -> Sequence[str] | None:
    """Return a table's rows as lines, each value whole, where the terminal is too narrow for its longest words."""
    from rich.cells import cell_len
    from rich.measure import Measurement
    from rich.table import Table

    if not isinstance(part, Table):
        return None
    cells = [[str(cell) for cell in column.cells] for column in part.columns]
    least = [
        max((cell_len(word) for cell in (*column, head) for word in cell.split()), default=0)
        for column, head in zip(cells, (str(column.header) for column in part.columns), strict=True)
    ]
    needed = Measurement.get(console, console.options.update(max_width=MEASURED), part).minimum
    spare = console.width - needed + sum(max(0, width - WHOLE) for width in least)
    if spare >= 0:
        _widen(part, [min(width, WHOLE) for width in least], spare)
        return None
    heads = [str(column.header) for column in part.columns]
    wide = max(map(len, heads))
    lines = [str(part.title)] if part.title else []
    for row in zip(*cells, strict=True):
        lines.append("")
        for head, cell in zip(heads, row, strict=True):
            first, *rest = _folded(cell, console.width - wide - 2) or [""]
            lines += [f"{head:<{wide}}  {first}", *(f"{'':<{wide}}  {more}" for more in rest)] if cell else []
    return lines


def _widen(part: "Table", least: Sequence[int], spare: int) -> None:
    """Give columns their widths: each has room for its longest word, and the spare room goes to who needs least more.

    Left alone, a table takes room from its widest column, which is often one of ids.
    """
    from rich.cells import cell_len

    wanted = [max(cell_len(str(cell)) for cell in (*column.cells, column.header)) for column in part.columns]
    for column, width, want in sorted(zip(part.columns, least, wanted, strict=True), key=lambda one: one[2] - one[1]):
        column.width = min(want, width + spare)
        spare -= column.width - width


def _folded(text: str, width: int) -> list[str]:
    """Fold a text between words, and within those that are no id."""
    pieces = [word[at : at + WHOLE] for word in text.split() for at in range(0, len(word), WHOLE)]
    return wrap(" ".join(pieces), max(width, 1), break_long_words=False, break_on_hyphens=False)


def console_on(stream: Any) -> "Console":
    """Return a console on a stream: as wide as its terminal, or as a reader of its output needs."""
    from rich.console import Console

    width = None if stream.isatty() or os.environ.get("COLUMNS") else WIDTH
    return Console(file=stream, width=width, soft_wrap=False, emoji=False)


def table(title: str, *columns: str, rows: Iterable[Sequence[object]] = (), right: Sequence[str] = ()) -> "Table":
    """Make a table of texts. Ids are folded, never cut, so that they can be copied; `right` names number columns."""
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    # A title is wrapped to the width of its table, which may be narrow.
    made.min_width = cell_len(title)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    if not made.row_count:
        made.add_row("none")
    return made


def problem_table(problems: Iterable[Problem]) -> "Table":
    """Make a table of bad lines of a file."""
    rows = [(problem.line, problem.id, problem.field, problem.rule, problem.message) for problem in problems]
    return table("Refused lines", "Line", "Id", "Field", "Rule", "What is wrong", rows=rows, right=("Line",))


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
