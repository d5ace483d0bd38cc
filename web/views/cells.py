"""What stands in a table or beside a word: a text, an amount, a state, each with the page that it leads to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from commands.formatting import amount as amount_text
from commands.formatting import moment as moment_text

# Words of states by what they ask of whoever reads them; every other word is as it should be, or over.
_BAD = frozenset(
    {"unknown", "rejected", "failed", "lost", "declined", "refused", "held", "suspended", "restricted", "overdue"}
)
_WAITS = frozenset(
    {
        *("open", "pending", "running", "collecting", "dunning", "waiting_for_customer", "processing", "in_flight"),
        *("drafted", "written"),
        *("requires_action", "requires_payment_method", "inquiry", "draft", "waiting", "needs_review", "paused"),
        *("under_processing", "in_dunning", "parked", "skipped", "to_do", "left", "under_way"),
        *("incomplete", "connecting", "not_effective", "lacks_balance"),
        *("suspense", "given_up", "reversed", "withheld", "freezing", "certifying", "begun", "written_off"),
    }
)

# What is longer does not fit into one line of a table.
_LINE_MAX = 48
# Of 9999 everybody sees how many digits it has.
_UNGROUPED_DIGITS = 4


@dataclass(frozen=True)
class Cell:
    """One value: its text, where it leads, and how it is shown. An amount keeps its currency for exports.

    One of several, such as the invoices of a request, has a part for each.
    """

    text: str = ""
    href: str = ""
    tone: str = ""
    currency: str = ""
    exported: str | None = None
    is_id: bool = False
    parts: "Sequence[Cell]" = ()

    @property
    def is_prose(self) -> bool:
        """Whether it is read as a sentence, over several lines: a note, a reason, several links."""
        is_long = len(self.text) > _LINE_MAX or "\n" in self.text
        return is_long and not self.href and not self.tone

    @property
    def plain(self) -> str:
        """The value in an export."""
        return self.text if self.exported is None else self.exported


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, the cell of a row, and whether it is one of numbers, or of amounts."""

    head: str
    cell: Callable[[Any], Cell]
    is_number: bool = False
    is_money: bool = False


@dataclass(frozen=True)
class Table:
    """A table as a page shows it. `empty` says what an empty one means."""

    title: str
    heads: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[Cell]]
    empty: str = "None."
    more: str = ""
    # The ids of its rows, where rows are chosen, and those that are.
    picks: Sequence[str] = ()
    picked: frozenset[str] = frozenset()


def table_of(
    title: str, columns: Sequence[Column], rows: Iterable[Any], *, empty: str = "None.", more: str = ""
) -> Table:
    """Make a table of rows. `more` is the address of the whole list."""
    shown = [[column.cell(row) for column in columns] for row in rows]
    return Table(title, [(column.head, column.is_number or column.is_money) for column in columns], shown, empty, more)


def text(value: object) -> Cell:
    """Show a value as it is; nothing for None."""
    return Cell("" if value is None else str(value))


def words(value: str | None) -> Cell:
    """Show a word of ours as it is read; in an export as it is."""
    return Cell((value or "").replace("_", " "), exported=value or "")


def moment(at: datetime | None) -> Cell:
    """Show a moment to the minute, in the time zone of the house; in an export in UTC."""
    return Cell(moment_text(at), exported=at.astimezone(UTC).isoformat() if at else "")


def day(on: date | None) -> Cell:
    """Show a day."""
    return Cell(on.isoformat() if on else "")


def money(amount_minor: int | None, currency: str | None, href: str = "") -> Cell:
    """Show an amount with its currency, its digits in groups of three where they are many; plain in an export."""
    if amount_minor is None or not currency:
        return Cell()
    plain = amount_text(amount_minor, currency)
    return Cell(f"{grouped(plain)} {currency}", href, currency=currency, exported=plain)


def grouped(plain: str) -> str:
    """Return a number with its digits in groups of three, where they are many."""
    whole, point, decimals = plain.partition(".")
    return f"{int(whole):,}{point}{decimals}" if len(whole.lstrip("-")) > _UNGROUPED_DIGITS else plain


def state(word: str) -> Cell:
    """Show the word of a state. Colour only repeats what the word says."""
    tone = "bad" if word in _BAD else "waits" if word in _WAITS else "good"
    return Cell(word.replace("_", " "), tone=tone, exported=word) if word else Cell()


def link(noun: str, id: str | None, shown: str | None = None) -> Cell:
    """Lead to the page of an object by its id."""
    return Cell(shown or id, address(noun, id), is_id=True, exported=shown or id) if id else Cell()


def links(noun: str, ids: Iterable[str]) -> Cell:
    """Lead to the pages of several objects."""
    parts = [link(noun, id) for id in ids]
    return Cell(", ".join(one.text for one in parts), parts=parts)


def named(cell: Cell, shown: str) -> Cell:
    """Return a cell with another text."""
    return replace(cell, text=shown)


def address(noun: str, id: str) -> str:
    """Return the address of an object's page. Ids of runs and messages have slashes of their own."""
    return f"/{noun}/{quote(id, safe='/')}"


def listed(noun: str, **filters: str) -> str:
    """Return the address of a list with its filters."""
    given = "&".join(f"{name}={quote(value, safe='')}" for name, value in filters.items() if value)
    return f"/{noun}?{given}" if given else f"/{noun}"
