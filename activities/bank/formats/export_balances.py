"""The balances of a bank's own CSV export: one behind each line, or stated above and below the lines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from models.bank.balance import StatementBalance
from models.bank.exports.layout import StatementLayout, column_key
from models.bank.exports.line import ExportedLine
from models.bank.exports.values import minor_of


@dataclass
class _Chain:
    """The lines of one account and currency, in the order of the file, which may be the newest first."""

    first: ExportedLine
    last: ExportedLine
    moved_minor: int = 0
    is_stated: bool = True


class ExportBalances:
    """Adds up the lines of an export and compares them with what it says of its balances."""

    def __init__(self, layout: StatementLayout) -> None:
        self._layout = layout
        self._chains: dict[tuple[str, str], _Chain] = {}
        self._rows: list[Sequence[str]] = []
        self.is_known = True

    def add(self, line: ExportedLine) -> None:
        """Add a line, if it is booked: what is not has not moved a balance yet."""
        entry = line.entry
        if not entry.is_booked:
            return
        chain = self._chains.setdefault((entry.bank_account, entry.currency), _Chain(line, line))
        chain.last = line
        chain.moved_minor += _moved(line)
        chain.is_stated = chain.is_stated and line.balance_minor is not None

    def stated(self, rows: Iterable[Sequence[str]]) -> None:
        """Take note of rows above or below the lines, which may state a balance."""
        self._rows += rows

    def found(self) -> Iterator[StatementBalance]:
        """Yield the balances of each account and currency, as far as the file states both."""
        for (account, currency), chain in self._chains.items():
            balance = StatementBalance(
                statement=account, line=chain.last.entry.line, currency=currency, entries_minor=chain.moved_minor,
                is_known=self.is_known,
            )  # fmt: skip
            opening, closing = self._by_label(currency) if len(self._chains) == 1 else (None, None)
            if opening is None and chain.is_stated:
                opening, closing = _by_lines(chain)
            yield replace(balance, opening_minor=opening, closing_minor=closing)

    def _by_label(self, currency: str) -> tuple[int | None, int | None]:
        opening, closing = (
            self._labelled(label, currency) for label in (self._layout.opening_balance, self._layout.closing_balance)
        )
        return (opening, closing) if opening is not None and closing is not None else (None, None)

    def _labelled(self, label: str, currency: str) -> int | None:
        key = column_key(label)
        for cells in self._rows if key else ():
            if cells and column_key(cells[0]).startswith(key):
                for cell in cells[1:]:
                    try:
                        return minor_of(cell, currency, self._layout.decimal_mark, self._layout.thousands_mark)
                    except ValueError:
                        continue
        return None


def _moved(line: ExportedLine) -> int:
    return line.entry.signed_minor - line.fee_minor


def _by_lines(chain: _Chain) -> tuple[int, int]:
    """Return the opening and closing balance, by whichever end of the file is the older one."""
    ways = [
        (before.balance_minor - _moved(before), after.balance_minor)
        for before, after in ((chain.first, chain.last), (chain.last, chain.first))
        if before.balance_minor is not None and after.balance_minor is not None
    ]
    is_newest_first = chain.first.entry.booked_on > chain.last.entry.booked_on
    is_one_day = chain.first.entry.booked_on == chain.last.entry.booked_on
    if is_one_day:
        # Of one day nothing says which way it goes: either way may add up.
        return next((way for way in ways if way[0] + chain.moved_minor == way[1]), ways[0])
    return ways[1] if is_newest_first else ways[0]
