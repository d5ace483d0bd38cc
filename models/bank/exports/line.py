"""One line of a bank's own CSV export as an entry of a statement, or everything that is wrong with it (F122)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from models.bank.entry import BankEntry, is_reference
from models.bank.exports.layout import StatementLayout
from models.bank.exports.values import day_of, minor_of
from models.bank.identity import LineIdentity, digest, is_one_account
from models.currency import UnknownCurrencyError, exponent_of
from models.imports.columns import BANK
from models.money import AMOUNT_MINOR_MAX
from models.problem import Problem, RefusedError

Cells = Mapping[str, Sequence[str]]
REFERENCE_MAX, ACCOUNT_MAX = 100, 34
# Between what is no line of one text: nothing is read across it.
_APART = "\n  \n"


@dataclass(frozen=True)
class ExportedLine:
    """An entry with what stands beside it in minor units: the bank's charge, and the balance after it, if stated."""

    entry: BankEntry
    fee_minor: int = 0
    balance_minor: int | None = None


class LineReader:
    """Reads the lines of one file. `account` is what stands above them, if anything does."""

    def __init__(self, layout: StatementLayout, account: str = "") -> None:
        self._layout = layout
        self._account = account or layout.bank_account
        self._equal: Counter[LineIdentity] = Counter()

    def line(self, number: int, cells: Cells) -> ExportedLine:
        """Return a line. Raises RefusedError with everything that is wrong with it, by the layout's fields."""
        line = _Line(self._layout, self._account, number, cells).read()
        identity = line.entry.read_as
        if identity is None or not line.entry.is_booked:
            return line
        self._equal[identity] += 1
        return replace(line, entry=replace(line.entry, read_as=replace(identity, occurrence=self._equal[identity])))


class _Line:
    def __init__(self, layout: StatementLayout, account: str, number: int, cells: Cells) -> None:
        self._layout = layout
        self._account = account
        self._number = number
        self._cells = cells
        self._problems: list[Problem] = []

    def read(self) -> ExportedLine:
        currency = self._currency()
        signed = self._signed(currency) if currency else 0
        is_booked = self._is_booked()
        day = self._day("booked_on" if self._first("booked_on") or not self._first("value_on") else "value_on")
        account = self._bank_account()
        fee = abs(self._minor("fee", currency)) if currency and self._first("fee") else 0
        balance = self._minor("balance", currency) if currency and self._first("balance") else None
        reference = self._short("bank_reference", REFERENCE_MAX)
        if self._problems:
            raise RefusedError(self._problems)
        entry = self._entry(day, signed, currency, account, reference)
        return ExportedLine(replace(entry, is_booked=is_booked), fee, balance)

    def _is_booked(self) -> bool:
        if self._layout.columns.status:
            return self._first("status").casefold() in {state.casefold() for state in self._layout.booked_states}
        # What waits has no day of booking yet. It comes again under that day, and would be posted under both.
        return bool(self._first("booked_on"))

    def _entry(self, day: date, signed: int, currency: str, account: str, reference: str) -> BankEntry:
        structured = [one for one in self._all("structured_reference") if is_reference(one)]
        texts, payer, sent = self._all("text"), " ".join(self._all("payer")), self._first("end_to_end_id")
        identity = LineIdentity(
            day, reference if is_reference(reference) else "", signed, currency, account,
            content=digest("\n".join(" ".join(one.split()) for one in (*texts, payer, sent, *structured))),
            kind=self._layout.kind,
        )  # fmt: skip
        kind = self._first("kind").casefold()
        return BankEntry(
            line=self._number,
            reference=identity.reference or identity.content,
            is_credit=signed > 0,
            amount_minor=abs(signed),
            currency=currency,
            booked_on=day,
            bank_account=account,
            structured_reference=structured[0] if structured else "",
            other_references=tuple(structured[1:]),
            end_to_end_id=sent,
            text=_APART.join(texts),
            payer=payer,
            is_return=any(one.casefold() in kind for one in self._layout.return_kinds),
            read_as=identity,
        )

    def _signed(self, currency: str) -> int:
        columns = self._layout.columns
        if columns.amount:
            minor = self._minor("amount", currency)
            return self._by_sign(minor) if columns.sign else minor
        credit, debit = (self._minor(name, currency) if self._first(name) else 0 for name in ("credit", "debit"))
        if not self._first("credit") and not self._first("debit"):
            self._refuse("credit", "value_required", "and the debit are empty")
        if credit and debit:
            self._refuse("credit", "one_side", "and the debit are both filled in")
        if credit < 0:
            self._refuse("credit", "amount_positive", "is below zero")
        # Some banks write what left below zero, others do not.
        return credit or -abs(debit)

    def _by_sign(self, minor: int) -> int:
        sign = self._first("sign").casefold()
        if sign in {one.casefold() for one in self._layout.debit_signs}:
            return -abs(minor)
        if sign not in {one.casefold() for one in self._layout.credit_signs}:
            self._refuse("sign", "sign_known", f"is {self._first('sign')!r}, of which the layout says nothing")
        elif minor < 0:
            self._refuse("amount", "amount_positive", "is below zero, and its sign says that it came")
        return minor

    def _minor(self, field: str, currency: str) -> int:
        text = self._first(field)
        if not text:
            self._refuse(field, "value_required", "is empty")
            return 0
        try:
            minor = minor_of(text, currency, self._layout.decimal_mark, self._layout.thousands_mark)
        except ValueError as error:
            self._refuse(field, "amount_format", str(error))
            return 0
        if abs(minor) > AMOUNT_MINOR_MAX and field != "balance":
            self._refuse(field, "amount_range", "is more than one payment can carry")
        return minor

    def _day(self, field: str) -> date:
        if not self._first(field):
            self._refuse(field, "value_required", "is empty")
            return date.min
        try:
            return day_of(self._first(field), self._layout.date_format)
        except ValueError as error:
            self._refuse(field, "day_format", str(error))
            return date.min

    def _currency(self) -> str:
        code = self._first("currency").upper() if self._layout.columns.currency else self._layout.currency
        if not code:
            self._refuse("currency", "value_required", "is empty")
            return ""
        try:
            exponent_of(code)
        except UnknownCurrencyError as error:
            self._refuse("currency", "currency_exists", str(error))
            return ""
        return code

    def _bank_account(self) -> str:
        given = self._short("bank_account", ACCOUNT_MAX + 20).replace(" ", "")[:ACCOUNT_MAX]
        if given and self._layout.bank_account and not is_one_account(given, self._layout.bank_account):
            self._refuse("bank_account", "account_of_layout", "is another account than the layout's")
        return given or self._account

    def _short(self, field: str, length: int) -> str:
        text = self._first(field)
        if len(text) > length:
            self._refuse(field, "text_length", f"has {len(text)} characters, at most {length}")
        return text[:length]

    def _first(self, field: str) -> str:
        return next((one for one in self._cells.get(field, ()) if one), "")

    def _all(self, field: str) -> list[str]:
        return [one for one in self._cells.get(field, ()) if one]

    def _refuse(self, field: str, rule: str, message: str) -> None:
        self._problems.append(Problem(field, rule, message, BANK, self._number))
