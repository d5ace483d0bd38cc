"""How a line of a statement is known again, whatever file brings it: by day, amount, and what the bank gives (0122)."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Self
from urllib.parse import quote

CSV = "csv"
_LENGTH_MAX = 60
_ACCOUNT = re.compile(r"[^0-9A-Z]")
_KEY = re.compile(
    r"bank:(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}):(?P<reference>[^:]*):(?P<amount>-?[0-9]+)(?P<currency>[A-Z]{3})"
    r":(?P<content>[0-9a-f]*)#(?P<occurrence>[0-9]+)(?P<position>\.[0-9a-f]+)?(?:/(?P<place>[0-9]+))?"
    r"@(?P<account>[0-9A-Z]*)@(?P<kind>[a-z0-9]+)(?:\.(?P<statement>[0-9a-f]+))?"
)


@dataclass(frozen=True)
class LineIdentity:
    """What tells an entry of a statement, and a detail of it by its `place` (0 is the whole), from every other.

    A reference of "" is none: then the content does. Of equal ones in a statement each has its `occurrence`, from 1,
    and perhaps a position that the bank gives. The amount is signed and the whole entry's, in minor units.
    """

    booked_on: date
    reference: str
    amount_minor: int
    currency: str
    account: str = ""
    content: str = ""
    occurrence: int = 1
    position: str = ""
    place: int = 0
    kind: str = CSV
    statement: str = ""

    @property
    def key(self) -> str:
        """The idempotency key of the payment. Keys of a day lie side by side."""
        position = f".{digest(self.position, 8)}" if self.position else ""
        place = f"/{self.place}" if self.place else ""
        statement = f".{digest(self.statement, 8)}" if self.statement else ""
        return (
            f"{day_prefix(self.booked_on)}{_shortened(self.reference)}:{self.amount_minor}{self.currency}"
            f":{self.content}#{self.occurrence}{position}{place}@{_bare(self.account)}@{self.kind}{statement}"
        )

    @property
    def is_referenced(self) -> bool:
        """Whether the bank has given the entry a reference."""
        return self.reference != ""

    def of_detail(self, place: int) -> Self:
        """Return the identity of a detail of this entry."""
        return replace(self, place=place)


@dataclass(frozen=True)
class KnownLine:
    """A line that an earlier import has brought, or this file further up, as its key says."""

    reference: str
    amount_minor: int
    currency: str
    content: str
    occurrence: int
    position: str
    place: int
    account: str
    kind: str
    statement: str
    is_of_this_file: bool = False

    @classmethod
    def read(cls, key: str) -> Self | None:
        """Read a key; None when it is none of these."""
        found = _KEY.fullmatch(key)
        if found is None:
            return None
        return cls(
            reference=found["reference"],
            amount_minor=int(found["amount"]),
            currency=found["currency"],
            content=found["content"],
            occurrence=int(found["occurrence"]),
            position=found["position"] or "",
            place=int(found["place"] or 0),
            account=found["account"],
            kind=found["kind"],
            statement=found["statement"] or "",
        )


def day_prefix(day: date) -> str:
    """Return what the keys of a day's lines begin with."""
    return f"bank:{day}:"


def digest(text: str, length: int = 16) -> str:
    """Return a short hash by which a text is known again."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _shortened(reference: str) -> str:
    quoted = quote(reference, safe="")
    return quoted if len(quoted) <= _LENGTH_MAX else f"={digest(reference, 32)}"


def _bare(account: str) -> str:
    return _ACCOUNT.sub("", account.upper())[:34]


@lru_cache(maxsize=1024)
def is_one_account(one: str, other: str) -> bool:
    """Say whether two ways to write a bank account are one: a file may leave it out, or leave out the IBAN's frame."""
    short, long = sorted((_bare(one), _bare(other)), key=len)
    return not short or short == long or (len(short) >= _BBAN_MIN and long[4:].endswith(short))


_BBAN_MIN = 6
