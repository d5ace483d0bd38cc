"""One page of rows, and how to go on behind it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from commands.formatting import document
from commands.output import Output

if TYPE_CHECKING:
    from rich.table import Table


def answer_page(
    output: Output,
    noun: str,
    rows: Sequence[Row[Any]],
    shown: "Table",
    *,
    limit: int,
    place: Callable[[Row[Any]], str] = lambda row: str(row.id),
) -> None:
    """Answer with a page under the noun's name; `next` continues behind its last row, and is null at the end."""
    following = place(rows[-1]) if len(rows) == limit else None
    output.answer({noun: [document(row) for row in rows], "next": following}, shown)
    if following:
        output.note(f"More: --after {following}")
