"""Entries of camt.053, camt.052 and camt.054, any version: what an account at the bank got and gave (decision 0122).

An entry that cannot be read becomes a problem with its line and number; the rest goes on.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lxml import etree

from activities.bank.iso20022 import NOTIFICATION, REPORT, STATEMENT, Leaves, elements, line_of, local, message_of
from activities.bank.iso_details import minor_in, parts_of
from activities.bank.iso_entry import batch_ids, moved, own_reference, with_words
from models.bank.balance import StatementBalance
from models.bank.entry import BankEntry, is_reference
from models.bank.identity import LineIdentity, digest
from models.currency import UnknownCurrencyError
from models.imports.columns import BANK
from models.money import Money, MoneyError
from models.problem import Problem, RefusedError

KINDS = {STATEMENT: "camt053", REPORT: "camt052", NOTIFICATION: "camt054"}
Read = BankEntry | Problem | StatementBalance

# The standard has fifteen digits for a number of transactions.
_COUNT_DIGITS_MAX = 15
_DAY_LENGTH = len("2026-05-20")
_ENTRY, _AROUND = "Ntry", ("Stmt", "Rpt", "Ntfctn")
_ACCOUNT = ("Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/BBAN", "Acct/Id/PrtryAcct/Id", "Acct/Id/UPIC")
# What differs where a statement is fetched again, or says nothing of whose money it is.
_VARIES = frozenset({"NtryRef", "Sts", "BookgDt", "BkTxCd"})


def statement_entries(path: Path) -> Iterator[Read]:
    """Yield the entries of each statement in a file, then its balance; a batch becomes one for each of its details."""
    kind = KINDS.get(message_of(path), "camt")
    statement: _Statement | None = None
    count = 0
    for found in elements(path, (_ENTRY, *_AROUND), BANK):
        if isinstance(found, Problem):
            yield found
            continue
        is_entry = local(found) == _ENTRY
        if statement is None:
            around = found.getparent() if is_entry else found
            statement = _Statement(kind, around)
        if is_entry:
            count += 1
            yield from statement.entries(found, count)
        else:
            yield statement.balance(found)
            statement = None


class _Statement:
    """One statement of an account: what holds for each of its entries, and how far it has been read."""

    def __init__(self, kind: str, around: "etree._Element | None") -> None:
        head = None if around is None else Leaves(around, leaving_out=(_ENTRY, "Bal"))
        self._kind = kind
        self._account = "" if head is None else head.first(*_ACCOUNT).replace(" ", "")[:34]
        page = "" if head is None else head.first("StmtPgntn/PgNb", "RptPgntn/PgNb", "NtfctnPgntn/PgNb")
        is_last = head is None or head.first("StmtPgntn/LastPgInd") in {"", "true", "1"}
        self._id = "" if head is None else f"{head.first('Id')} {page}".strip()
        self._day = _day_of(around, head)
        self._equal: Counter[LineIdentity] = Counter()
        # Of several pages the first has the opening balance and the last the closing one.
        self._balance = StatementBalance(statement=self._id, is_known=is_last and page in {"", "1"})

    def entries(self, element: "etree._Element", count: int) -> Iterator[BankEntry | Problem]:
        """Yield what an entry is, or the problem with it."""
        whole = Leaves(element, leaving_out=("NtryDtls",))
        details = [Leaves(detail) for detail in element.findall("{*}NtryDtls/{*}TxDtls")]
        try:
            entry = moved(whole, _settled(details) or self._day, is_statement=self._kind == KINDS[STATEMENT])
        except RefusedError as refused:
            self._balance = replace(self._balance, is_known=False)
            yield from (replace(one, source=BANK, line=whole.line, id=f"entry {count}") for one in refused.problems)
            return
        if entry.is_booked:
            self._balance = self._balance.plus(entry.signed_minor, entry.currency)
        batches = [Leaves(one, leaving_out=("TxDtls",)) for one in element.findall("{*}NtryDtls")]
        identity = self._identity(entry, whole, details)
        entry = replace(
            entry, bank_account=self._account, read_as=identity, batch_ids=batch_ids(whole, details, batches)
        )
        yield from self._parts(entry, identity, whole, details, payments=_payments_in(batches))

    def _parts(
        self, entry: BankEntry, identity: LineIdentity, whole: Leaves, details: Sequence[Leaves], *, payments: int
    ) -> Iterator[BankEntry]:
        moved_money, side = Money(entry.amount_minor, entry.currency), whole.first("CdtDbtInd")
        parts = parts_of(moved_money, side, details, payments=payments)
        if parts is None or len(parts) == 1:
            shown = details if parts is None else [detail for detail, _ in parts if detail is not None]
            named = own_reference(whole, details[0] if len(details) == 1 else None, 0) or identity.content
            sent = tuple(detail.first("Refs/EndToEndId") for detail in details) if parts is None else ()
            yield with_words(entry, whole, shown, named=named, is_unsplit=parts is None, sent_ids=sent)
            return
        for place, (detail, minor) in enumerate(parts, 1):
            named = own_reference(whole, detail, place) or f"{identity.content}/{place}"
            shown, own = [detail] if detail is not None else [], {"read_as": identity.of_detail(place)}
            yield with_words(entry, whole, shown, named=named, is_part=True, amount_minor=minor, **own)

    def _identity(self, entry: BankEntry, whole: Leaves, details: Sequence[Leaves]) -> LineIdentity:
        given = [whole.first("AcctSvcrRef")]
        if len(details) == 1:
            given.append(details[0].first("Refs/AcctSvcrRef"))
        texts = [
            f"{path}={text}"
            for leaves in (whole, *details)
            for path, found in leaves.texts.items()
            if path.partition("/")[0] not in _VARIES
            for text in found
        ]
        identity = LineIdentity(
            entry.booked_on,
            next((one for one in given if is_reference(one)), ""),
            entry.signed_minor,
            entry.currency,
            self._account,
            content=digest("\n".join(texts)),
            kind=self._kind,
            statement=self._id,
        )
        self._equal[identity] += 1
        return replace(identity, occurrence=self._equal[identity], position=whole.first("NtryRef"))

    def balance(self, element: "etree._Element") -> StatementBalance:
        """Return the balances that the statement states, with what its entries have come to."""
        found: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for child in element:
            if local(child) == "Bal" and self._kind == KINDS[STATEMENT]:
                bal = Leaves(child)
                text, currency = bal.amounts.get("Amt", [("", "")])[0]
                try:
                    minor = minor_in(text, currency)
                except (MoneyError, UnknownCurrencyError):
                    continue
                code, day = bal.first("Tp/CdOrPrtry/Cd", "Tp/Cd"), bal.first("Dt/Dt", "Dt/DtTm")[:_DAY_LENGTH]
                stated = (day, minor if bal.first("CdtDbtInd") != "DBIT" else -minor)
                found.setdefault((code, currency), []).append(stated)
        currency = self._balance.currency or next((currency for _, currency in found), "")
        # A statement of several days may state the balances of each: it opens with the first and closes with the last.
        opening = found.get(("OPBD", currency), found.get(("PRCD", currency), ()))
        closing = found.get(("CLBD", currency), ())
        return replace(
            self._balance, line=line_of(element), currency=currency,
            opening_minor=min(opening, key=_day_stated)[1] if opening else None,
            closing_minor=max(closing, key=_day_stated)[1] if closing else None,
        )  # fmt: skip


def _day_stated(balance: tuple[str, int]) -> str:
    return balance[0]


def _payments_in(batches: Sequence[Leaves]) -> int:
    """Return how many payments an entry is of, as far as it says so."""
    stated = [batch.first("Btch/NbOfTxs") for batch in batches]
    return sum(int(one) for one in stated if one.isascii() and one.isdigit() and len(one) <= _COUNT_DIGITS_MAX)


def _day_of(around: "etree._Element | None", head: Leaves | None) -> str:
    """Return the day of entries that state none: the statement's end or closing balance's, or when it was made."""
    if around is None or head is None:
        return ""
    closing = [Leaves(one) for one in around.iterfind("{*}Bal")]
    days = [one.first("Dt/Dt", "Dt/DtTm") for one in closing if one.first("Tp/CdOrPrtry/Cd", "Tp/Cd") == "CLBD"]
    message = around.getparent()
    made = None if message is None else message.findtext("{*}GrpHdr/{*}CreDtTm")
    stated = (head.first("FrToDt/ToDtTm", "FrToDt/ToDt"), *days, head.first("CreDtTm"), (made or "").strip())
    return next((day for day in stated if day), "")


def _settled(details: Sequence[Leaves]) -> str:
    """Return the day on which the details of an entry were settled, where it is one."""
    days = {detail.first("RltdDts/IntrBkSttlmDt") for detail in details}
    return days.pop() if len(days) == 1 else ""
