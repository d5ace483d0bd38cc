"""Statements of SWIFT MT940, read with the library `mt-940`, any number of statements in a file (decision 0124)."""

import codecs
import logging
import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import mt940

from activities.bank.formats.mt940_details import RETURNS, details_of
from activities.bank.formats.mt940_text import one_by_one, plain, without_lines
from models.bank.balance import StatementBalance
from models.bank.entry import BankEntry, is_reference
from models.bank.identity import LineIdentity, digest
from models.currency import UnknownCurrencyError
from models.imports.columns import BANK
from models.money import Money, MoneyError
from models.problem import Problem

KIND, INTERIM = "mt940", "mt942"
# The library logs what it cannot read, with what a payer wrote.
logging.getLogger("mt940").setLevel(logging.CRITICAL)
_BEGINNING = 4096
_STATEMENT, _LINE = re.compile(r"(?m)^(?=:20:)"), re.compile(r"(?m)^:61:")
# A report of the day so far: it has a floor limit, and no balance that it opens with.
_OF_A_REPORT, _OPENING = re.compile(r"(?m)^:34F:"), re.compile(r"(?m)^:60[FM]:")
# A balance whose amount has other marks than a comma before its decimals: the library would read 1 of "1.234,50".
_ODD_BALANCE = re.compile(r"(?m)^:(60|62)[FM]:[DC]\d{6}[A-Z]{3}(?!\d+(?:,\d*)?\s*$)")
_BALANCES = {"60": "opening", "62": "closing"}
# A credit, and a debit that the bank took back; what it only expects is not booked.
_CREDITS, _EXPECTED = frozenset({"C", "RD", "EC"}), frozenset({"EC", "ED"})
# The details keep their lines: what is to be read there stands in a bank's own lines, which the library would join.
_AS_WRITTEN: dict[str, list[Any]] = {"post_transaction_details": []}
# Some banks write more below a line than the standard has room for.
_OPTIONS = mt940.Options(unbounded_details=True)
# Names that stand for a reference further down, in Dutch files.
_ELSEWHERE = frozenset({"EREF", "PREF", "MARF"})
# What an amount that was not read to its end goes on with.
_OF_AN_AMOUNT = frozenset(".,'\u2019\u00a00123456789")
# A direct debit or a cheque that came back.
_RETURNED_ITEMS = frozenset({"NRTI", "SRTI", "FRTI"})
# What German banks write in a field of their own, `:NS:`, beside a line: the payer's words, and the payer.
_WORDS_BESIDE, _NAMES_BESIDE = range(1, 15), range(15, 17)
# The type of a line that states none; the library would take the next line for more of it.
_NO_TYPE = "-"


class _Line(mt940.tags.Statement):
    """A line as banks write it: expected money has a mark of its own, and references may be longer than they should."""

    pattern = (
        mt940.tags.Statement.pattern.replace("R?[DC]", "[RE]?[DC]")
        .replace("{0,16}", "{0,35}")
        .replace(".{0,23}", ".{0,35}")
        .replace("(?P<extra_details>.*)", "(?P<extra_details>[\\s\\S]*)")
    )

    def __call__(self, transactions: mt940.models.Transactions, value: dict[str, Any]) -> dict[str, Any]:
        """Return what the line says, with a type in any case."""
        return super().__call__(transactions, {**value, "id": value.get("id") or _NO_TYPE})


class _Number(mt940.tags.StatementNumber):
    """The number of a statement, however it is written: `5/1`, ` /1`, `2026-17`."""

    pattern = r"(?P<statement_number>\d{1,5}(?=/?\d{0,5}$)|.*)"


class _Unread(mt940.tags.Tag):
    """A field of which nothing is read, whatever a bank writes there."""

    pattern = r"[\s\S]*"


_TAGS: dict[int | str, mt940.tags.Tag] = {
    **mt940.models.Transactions.default_tags(), 61: _Line(), 28: _Number(),
    13: _Unread(), 21: _Unread(), 64: _Unread(), 65: _Unread(), 90: _Unread(), "90C": _Unread(), "90D": _Unread(),
}  # fmt: skip


def is_mt940(path: Path) -> bool:
    """Say whether a file is one of MT940: a statement begins near its beginning."""
    with path.open("rb") as file:
        beginning = _decoded(file.read(_BEGINNING))
    return _STATEMENT.search(_with_lines(beginning)) is not None and not beginning.lstrip().startswith("<")


def statement_lines(path: Path) -> Iterator[BankEntry | Problem | StatementBalance]:
    """Yield the lines of each statement, then its balances. A statement that cannot be read costs no other."""
    text = _with_lines(_decoded(path.read_bytes()))
    line = 1
    for count, block in enumerate(_STATEMENT.split(text)):
        if block.startswith(":20:"):
            yield from _lines(block, line, count)
        line += block.count("\n")


def _with_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _lines(block: str, first: int, count: int) -> Iterator[BankEntry | Problem | StatementBalance]:
    places = [first + block.count("\n", 0, found.start()) for found in _LINE.finditer(block)]
    block = plain(block)
    is_report = _OF_A_REPORT.search(block) is not None and _OPENING.search(block) is None
    unread = frozenset(_BALANCES[found[1]] for found in _ODD_BALANCE.finditer(block))
    whole = _parsed(block)
    is_whole = whole is not None and len(whole) == len(places)
    lines = list(whole) if whole is not None and is_whole else [_only(_parsed(one)) for one in one_by_one(block)]
    # Where the head cannot be read either, nobody knows whose account and which currency the lines have.
    about = whole if is_whole else _parsed(without_lines(block))
    if about is None or len(lines) != len(places):
        yield Problem(
            "statement", "mt940", "cannot be read: none of its lines is posted", BANK, first, f"statement {count}"
        )
        return
    reader = _Reader(about.data, INTERIM if is_report else KIND, unread)
    for place, transaction in zip(places, lines, strict=True):
        try:
            if transaction is None:
                raise ValueError("the day, the side or the amount is not as MT940 has it")
            yield reader.entry(transaction.data, place)
        except (MoneyError, UnknownCurrencyError, ValueError, KeyError, AttributeError) as error:
            reader.balance = replace(reader.balance, is_known=False)
            yield Problem("line", "mt940", f"cannot be read: {error}"[:300], BANK, place, f"statement {count}")
    yield reader.stated(first)


def _parsed(block: str) -> mt940.models.Transactions | None:
    statement = mt940.models.Transactions(
        processors={**mt940.models.Transactions.DEFAULT_PROCESSORS, **_AS_WRITTEN}, tags=_TAGS, options=_OPTIONS
    )
    try:
        statement.parse(block)
    except Exception:  # noqa: BLE001
        # What the library raises is of many kinds and quotes the file.
        return None
    return statement


def _only(statement: mt940.models.Transactions | None) -> mt940.models.Transaction | None:
    return statement[0] if statement is not None and len(statement) == 1 else None


class _Reader:
    """Reads the lines of one statement."""

    def __init__(self, data: Mapping[str, Any], kind: str, unread: Container[str] = ()) -> None:
        self._data = data
        self._unread = unread
        self._kind = kind
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
        status, amount = str(line["status"]).upper(), line["amount"]
        currency = str(amount.currency or self._currency)
        minor = _minor(abs(amount.amount), currency)
        booked_on = date.fromisoformat(str(line.get("entry_date") or line["date"])[:10])
        given, own = str(line.get("bank_reference") or "").strip(), str(line.get("customer_reference") or "").strip()
        if line["id"] == _NO_TYPE and str(line.get("customer_reference") or "")[:1] in _OF_AN_AMOUNT:
            # The library would read 1 of "1.234,50", and the rest as somebody's reference.
            raise ValueError("the amount has other marks than a comma before its decimals, or too many digits")
        # Lines are known by what has always been hashed of them, also where it says nothing.
        hashed, own = own, "" if own in _ELSEWHERE else own
        details = str(line.get("transaction_details") or "").replace("\t", " ")
        stated = details_of(details)
        type_of, extra = str(line["id"]), str(line.get("extra_details") or "").strip()
        is_credit = status in _CREDITS
        identity = LineIdentity(
            booked_on, given if is_reference(given) else "", minor if is_credit else -minor, currency, self._account,
            content=digest(f"{line.get('date')}|{hashed}|{details}|{line.get('extra_details')}"), kind=self._kind,
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
            end_to_end_id=stated.end_to_end_id or own,
            text="\n".join([*stated.texts, *_beside(line, _WORDS_BESIDE), "  ", extra]).strip(),
            payer=stated.payer or " ".join(_beside(line, _NAMES_BESIDE)),
            is_named_by_sender=not is_reference(given) and is_reference(own),
            is_booked=status not in _EXPECTED,
            is_return=status.startswith("R")
            or stated.is_return
            or type_of in _RETURNED_ITEMS
            or type_of[1:] in RETURNS,
            return_reason=stated.return_reason,
            read_as=identity,
        )
        if entry.is_booked:
            self.balance = self.balance.plus(entry.signed_minor, currency)
        return entry

    def stated(self, line: int) -> StatementBalance:
        """Return the balances of the statement with what its lines have come to."""
        opening, closing = (self._stated(name) for name in ("opening", "closing"))
        return replace(self.balance, line=line, opening_minor=opening, closing_minor=closing)

    def _stated(self, name: str) -> int | None:
        found = None if name in self._unread else self._data.get(f"final_{name}_balance")
        if found is None or str(found.amount.currency) != self.balance.currency:
            return None
        try:
            minor = _minor(abs(found.amount.amount), self.balance.currency)
        except (MoneyError, UnknownCurrencyError):
            return None
        return -minor if found.status == "D" else minor


def _beside(line: Mapping[str, Any], numbers: range) -> list[str]:
    found = (str(line.get(f"non_swift_{number:02}") or "").strip() for number in numbers)
    return [text for text in found if text]


def _minor(amount: Decimal, currency: str) -> int:
    plain = f"{amount:f}"
    whole, _, decimals = plain.partition(".")
    return Money.parse(f"{whole}.{decimals.rstrip('0')}" if decimals.strip("0") else whole, currency).amount_minor
