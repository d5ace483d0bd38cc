"""What the credits of a statement came to, by currency: each is posted, in suspense, known, a payout or refused."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from activities.bank.statement_import import Outcome, Result
from models.bank.entry import BankEntry

_REFUSED = "refused"
_COLUMNS = (Outcome.POSTED, Outcome.SUSPENSE, Outcome.UNCHANGED, Outcome.PAYOUT, Outcome.DIRECT_DEBIT, _REFUSED)


class StatementTotals:
    """Adds up what came, and what became of it, in minor units."""

    def __init__(self) -> None:
        self._credits: Counter[str] = Counter()
        self._became: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, entries: Iterable[BankEntry], results: Iterable[Result]) -> None:
        """Add entries with what became of them; of one that was refused there is no result."""
        outcomes = {id(one.entry): one.outcome for one in results}
        for entry in entries:
            if entry.is_income and entry.amount_minor:
                self._credits[entry.currency] += entry.amount_minor
                self._became[entry.currency][outcomes.get(id(entry), _REFUSED)] += entry.amount_minor

    def as_documents(self) -> list[dict[str, str | int]]:
        """Return the sums of each currency. What cannot be read has no amount, and is in none of them."""
        return [
            {
                "currency": currency,
                "credits_minor": self._credits[currency],
                **{f"{name}_minor": self._became[currency][name] for name in _COLUMNS},
            }
            for currency in sorted(self._credits)
        ]
