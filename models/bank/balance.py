"""Whether a statement holds every entry that its balances tell of: opening and entries come to the closing balance."""

from dataclasses import dataclass, replace
from typing import Self

from models.money import Money
from models.problem import Problem


@dataclass(frozen=True)
class StatementBalance:
    """The balances of one statement in minor units, below zero where the account is overdrawn; None if not stated.

    `entries_minor` is what was booked. It is not known where an entry could not be read, or had another currency.
    """

    statement: str = ""
    line: int = 0
    currency: str = ""
    opening_minor: int | None = None
    entries_minor: int = 0
    closing_minor: int | None = None
    is_known: bool = True

    def plus(self, signed_minor: int, currency: str) -> Self:
        """Return the balance with one more booked entry."""
        is_known = self.is_known and self.currency in {"", currency}
        return replace(self, currency=currency, entries_minor=self.entries_minor + signed_minor, is_known=is_known)

    def problem(self, source: str) -> Problem | None:
        """Return what is wrong; None where it is right, or where the statement does not say."""
        if not self.is_known or self.opening_minor is None or self.closing_minor is None:
            return None
        sums = (self.opening_minor, self.entries_minor, self.opening_minor + self.entries_minor, self.closing_minor)
        if sums[2] == sums[3]:
            return None
        opening, entries, both, closing = (Money(minor, self.currency) for minor in sums)
        message = f"{opening} and entries of {entries} come to {both}, and the statement closes with {closing}"
        return Problem("balance", BALANCE_ADDS_UP, message, source, self.line, self.statement)


BALANCE_ADDS_UP = "balance_adds_up"
