"""The seal of a certificate: a hash over every member's outcome, which anybody can compute again."""

import hashlib
from dataclasses import dataclass

_SEPARATOR = "|"


@dataclass(frozen=True)
class SealedItem:
    """A member as the seal covers it; amounts in minor units."""

    member_id: str
    currency: str
    amount_minor: int
    settled_minor: int
    outcome: str
    reason: str
    transaction_id: str | None

    @property
    def line(self) -> str:
        """The text that is hashed; what is absent is left out with its separator, as the database does it."""
        parts = (
            self.member_id,
            self.currency,
            str(self.amount_minor),
            str(self.settled_minor),
            self.outcome,
            self.reason,
            self.transaction_id,
        )
        return _SEPARATOR.join(part for part in parts if part is not None)


class Seal:
    """Computes a seal member by member, in order of their ids."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.members = 0

    def add(self, item: SealedItem) -> None:
        """Take the next member in."""
        if self.members:
            self._hash.update(b"\n")
        self._hash.update(item.line.encode())
        self.members += 1

    def hexdigest(self) -> str:
        """Return the seal over the members so far."""
        return self._hash.hexdigest()
