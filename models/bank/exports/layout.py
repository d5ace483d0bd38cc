"""How a bank's own CSV export is written: which columns say what, and how days and amounts stand in them (F122)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from models.bank.identity import digest

DELIMITERS = (",", ";", "\t", "|")
# A column of a file that names none: `#3` is the third cell of a line.
_PLACE = re.compile(r"#[1-9][0-9]?")
# What changes while a line stays the same line, or is a part of its day and amount already.
_NOT_HASHED = frozenset({"balance", "status", "fee", "value_on"})


@dataclass(frozen=True)
class LayoutColumns:
    """The names of a file's columns; "" or () is none. The second column of a name is `name#2`, and `#2` the second
    cell where the file names no columns.

    The amount is one column, below zero for money that left; or one with `sign` beside it; or `credit` and `debit`.
    """

    booked_on: str
    value_on: str = ""
    amount: str = ""
    sign: str = ""
    credit: str = ""
    debit: str = ""
    fee: str = ""
    currency: str = ""
    bank_account: str = ""
    bank_reference: str = ""
    end_to_end_id: str = ""
    status: str = ""
    kind: str = ""
    balance: str = ""
    structured_reference: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    payer: tuple[str, ...] = ()

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield each field that has a column, with the column's name."""
        for field in fields(self):
            value = getattr(self, field.name)
            yield from ((field.name, name) for name in ([value] if isinstance(value, str) else value) if name)

    @property
    def are_places(self) -> bool:
        """Whether the columns have places and no names."""
        return all(_PLACE.fullmatch(name) for _, name in self.named())

    @property
    def are_mixed(self) -> bool:
        """Whether some columns have places and others names: no file is so."""
        return not self.are_places and any(_PLACE.fullmatch(name) for _, name in self.named())


@dataclass(frozen=True)
class StatementLayout:
    """A bank's CSV export as its owner has configured it (`statement_layouts` of the definitions document)."""

    id: str
    columns: LayoutColumns
    delimiter: str = ";"
    encoding: str = ""
    date_format: str = "DD.MM.YYYY"
    decimal_mark: str = ","
    thousands_mark: str = "."
    skip_lines: int | None = None
    footer_lines: int = 0
    currency: str = ""
    bank_account: str = ""
    account_label: str = ""
    opening_balance: str = ""
    closing_balance: str = ""
    credit_signs: tuple[str, ...] = ()
    debit_signs: tuple[str, ...] = ()
    booked_states: tuple[str, ...] = ()
    return_kinds: tuple[str, ...] = ()

    @classmethod
    def read(cls, id: str, document: Mapping[str, Any]) -> Self:
        """Return a layout as it was stored."""
        given = {**_frozen(document), "id": id, "columns": LayoutColumns(**_frozen(document["columns"]))}
        return cls(**given)

    @property
    def is_headless(self) -> bool:
        """Whether no line of the file names its columns: all of them are places."""
        return self.columns.are_places

    @property
    def kind(self) -> str:
        """The kind of file by which its lines are known again.

        Other columns make another kind: what a line says then is another thing, and one that has come before in the
        old way is a doubt (`models/bank/recognition.py`), not a second payment.
        """
        read = [f"{field}={name}" for field, name in self.columns.named() if field not in _NOT_HASHED]
        return f"export{digest(chr(10).join(read), 8)}"


def _frozen(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}


def column_key(name: str) -> str:
    """Return a column's name as it is compared: without case, marks of encoding, and blanks of any kind but one."""
    return " ".join(name.replace("\ufeff", "").split()).casefold()


def places_of(header: list[str]) -> dict[str, int]:
    """Return where each column stands; the second of a name is `name#2`."""
    places: dict[str, int] = {}
    for place, name in enumerate(map(column_key, header)):
        count = 1
        while (key := name if count == 1 else f"{name}#{count}") in places:
            count += 1
        if name:
            places[key] = place
    return places


def cells_of(line: list[str]) -> dict[str, int]:
    """Return where each cell of a line without names stands."""
    return {f"#{place + 1}": place for place in range(len(line))}
