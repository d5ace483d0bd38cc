"""Statements of SWIFT MT940, read with the library `mt-940`, any number of statements in a file (decision 0124)."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import mt940

from models.bank.balance import StatementBalance
from models.bank.entry import BankEntry, is_reference
from models.bank.identity import LineIdentity, digest
from models.currency import UnknownCurrencyError
from models.imports.columns import BANK
from models.money import Money, MoneyError
from models.problem import Problem

KIND = "mt940"
# The library logs what it cannot read, with what a payer wrote.
logging.getLogger("mt940").setLevel(logging.CRITICAL)
_BEGINNING = 4096
_STATEMENT, _LINE = re.compile(r"(?m)^(?=:20:)"), re.compile(r"(?m)^:61:")
# A credit, and a debit that the bank took back; what it only expects is not booked.
_CREDITS, _EXPECTED = frozenset({"C", "RD", "EC"}), frozenset({"EC", "ED"})
# The details keep their lines: what is to be read there stands in a bank's own lines, which the library would join.
_AS_WRITTEN: dict[str, list[Any]] = {"post_transaction_details": []}
# Of details with subfields: what the payer wrote, and who that is.
_SUBFIELD = re.compile(r"\?([0-9]{2})")
_TEXTS, _PARTY = (*range(20, 30), *range(60, 64)), (32, 33)
_END_TO_END = re.compile(r"(?:EREF\+|/EREF/)([^/+?\n]{1,35})")


def is_mt940(path: Path) -> bool:
    """Say whether a file is one of MT940: a statement begins near its beginning."""
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    return re.search(rb"(?m)^:20:", beginning) is not None and not beginning.lstrip().startswith(b"<")


def statement_lines(path: Path) -> Iterator[BankEntry | Problem | StatementBalance]:
    """Yield the lines of each statement, then its balances. A statement that cannot be read costs no other."""
    text = _decoded(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    line = 1
    for count, block in enumerate(_STATEMENT.split(text)):
        if block.startswith(":20:"):
            yield from _lines(block, line, count)
        line += block.count("\n")


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _lines(block: str, first: int, count: int) -> Iterator[BankEntry | Problem | StatementBalance]:
    places = [first + block.count("\n", 0, found.start()) for found in _LINE.finditer(block)]
    try:
        statement = mt940.models.Transactions(
            processors={**mt940.models.Transactions.DEFAULT_PROCESSORS, **_AS_WRITTEN}
        )
        statement.parse(block)
    except Exception as error:  # noqa: BLE001
        # What the library raises is of many kinds and quotes the file.
        problem = f"cannot be read ({type(error).__name__}): none of its lines is posted"
        yield Problem("statement", "mt940", problem, BANK, first, f"statement {count}")
        return
    data, transactions = statement.data, list(statement)
    if len(transactions) != len(places):
        problem = f"has {len(places)} lines, of which {len(transactions)} can be read"
        yield Problem("statement", "mt940", problem, BANK, first, f"statement {count}")
        return
    reader = _Reader(data)
    for place, transaction in zip(places, transactions, strict=True):
        try:
            yield reader.entry(transaction.data, place)
        except (MoneyError, UnknownCurrencyError, ValueError, KeyError, AttributeError) as error:
            reader.balance = replace(reader.balance, is_known=False)
            yield Problem("line", "mt940", f"cannot be read: {error}"[:300], BANK, place, f"statement {count}")
    yield reader.stated(first)


class _Reader:
    """Reads the lines of one statement."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self._account = str(data.get("account_identification") or "").replace(" ", "")[:34]
        self._id = f"{data.get('transaction_reference') or ''} {data.get('statement_number') or ''}".strip()
        self._currency = next(
            (str(one.amount.currency) for name in ("final_opening_balance", "intermediate_opening_balance")
             if (one := data.get(name)) is not None), "",
        )  # fmt: skip
        self._equal: Counter[LineIdentity] = Counter()
        self.balance = StatementBalance(statement=self._id, currency=self._currency)

    def entry(self, line: Mapping[str, Any], place: int) -> BankEntry:
        """Return a line of the statement. Raises ValueError or MoneyError."""
        status, amount = str(line["status"]), line["amount"]
        currency = str(amount.currency or self._currency)
        minor = _minor(abs(amount.amount), currency)
        booked_on = date.fromisoformat(str(line.get("entry_date") or line["date"])[:10])
        given, own = str(line.get("bank_reference") or "").strip(), str(line.get("customer_reference") or "").strip()
        details = str(line.get("transaction_details") or "").replace("\t", " ")
        texts, payer = _words(details)
        end_to_end = _END_TO_END.search("".join(texts))
        is_credit = status in _CREDITS
        identity = LineIdentity(
            booked_on, given if is_reference(given) else "", minor if is_credit else -minor, currency, self._account,
            content=digest(f"{line.get('date')}|{own}|{details}|{line.get('extra_details')}"), kind=KIND,
            statement=self._id,
        )  # fmt: skip
        self._equal[identity] += 1
        identity = replace(identity, occurrence=self._equal[identity])
        entry = BankEntry(
            line=place,
            reference=next((one[:100] for one in (given, own) if is_reference(one)), identity.content),
            is_credit=is_credit,
            amount_minor=minor,
            currency=currency,
            booked_on=booked_on,
            bank_account=self._account,
            end_to_end_id=end_to_end[1].strip() if end_to_end else own,
            text="\n".join([*texts, "  ", str(line.get("extra_details") or "")]).strip(),
            payer=payer,
            is_booked=status not in _EXPECTED,
            is_return=status.startswith("R"),
            read_as=identity,
        )
        if entry.is_booked:
            self.balance = self.balance.plus(entry.signed_minor, currency)
        return entry

    def stated(self, line: int) -> StatementBalance:
        """Return the balances of the statement with what its lines have come to."""
        opening, closing = (self._stated(f"final_{name}_balance") for name in ("opening", "closing"))
        return replace(self.balance, line=line, opening_minor=opening, closing_minor=closing)

    def _stated(self, name: str) -> int | None:
        found = self._data.get(name)
        if found is None or str(found.amount.currency) != self.balance.currency:
            return None
        try:
            minor = _minor(abs(found.amount.amount), self.balance.currency)
        except (MoneyError, UnknownCurrencyError):
            return None
        return -minor if found.status == "D" else minor


def _words(details: str) -> tuple[list[str], str]:
    """Return the texts of a line's details with their own lines, and the payer where it is told apart."""
    fields = _SUBFIELD.split(details.replace("\n", ""))
    if len(fields) == 1:
        return details.split("\n"), ""
    named = [(int(name), value) for name, value in zip(fields[1::2], fields[2::2], strict=True)]
    payer = "".join(value for name, value in named if name in _PARTY).strip()
    return [value for name, value in named if name in _TEXTS], payer


def _minor(amount: Decimal, currency: str) -> int:
    plain = f"{amount:f}"
    whole, _, decimals = plain.partition(".")
    return Money.parse(f"{whole}.{decimals.rstrip('0')}" if decimals.strip("0") else whole, currency).amount_minor
