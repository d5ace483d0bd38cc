"""Statements (camt.053) and payment status reports (pain.002) of ISO 20022, any version (decision 0120).

Elements are found by their local names. An entry that cannot be read becomes a problem with its line; the rest goes on.
"""

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from models.bank.entry import BankEntry, is_reference
from models.bank.refund_answer import BankRefundAnswer, status_of
from models.currency import UnknownCurrencyError
from models.imports.columns import ANSWERS, BANK
from models.moment import YEARS, YEARS_MEANING
from models.money import AMOUNT_MINOR_MAX, Money, MoneyError
from models.problem import Problem, RefusedError, refusal

STATEMENT, STATUS_REPORT = "BkToCstmrStmt", "CstmrPmtStsRpt"


def message_of(path: Path) -> str:
    """Return the name of the message in an XML file, such as BkToCstmrStmt; "" when the file is no XML."""
    with path.open("rb") as file:
        if not file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return ""
    try:
        with path.open("rb") as file:
            for depth, (_, element) in enumerate(_parse(file, "start")):
                if depth == 1:
                    return str(etree.QName(element).localname)
    except etree.XMLSyntaxError as error:
        raise RefusedError([Problem("file", "xml", str(error.msg), path.name)]) from error
    raise RefusedError([Problem("file", "iso_20022", "holds no message of ISO 20022", path.name)])


def statement_entries(path: Path) -> Iterator[BankEntry | Problem]:
    """Yield the entries of camt.053; a batch entry becomes one for each of its details."""
    for entry in _elements(path, "Ntry", BANK):
        yield from [entry] if isinstance(entry, Problem) else _entries_of(entry)


def status_answers(path: Path) -> Iterator[BankRefundAnswer | Problem]:
    """Yield the status that pain.002 gives each payment. One of the group or batch alone is none."""
    for found in _elements(path, "TxInfAndSts", ANSWERS):
        if isinstance(found, Problem):
            yield found
            continue
        amount = found.find("{*}OrgnlTxRef/{*}Amt/{*}InstdAmt")
        reasons = (
            _text(found, "StsRsnInf/Rsn/Cd"),
            _text(found, "StsRsnInf/Rsn/Prtry"),
            _text(found, "StsRsnInf/AddtlInf"),
        )
        yield BankRefundAnswer(
            line=_line(found),
            reference=_text(found, "OrgnlEndToEndId"),
            status=status_of(_text(found, "TxSts")),
            amount="" if amount is None else (amount.text or "").strip(),
            currency="" if amount is None else str(amount.get("Ccy") or ""),
            reason=" ".join(reason for reason in reasons if reason)[:400],
        )


def _parse(file: BinaryIO, event: str) -> "etree.iterparse[tuple[str, etree._Element]]":
    # A bank's file is still somebody else's file: no entity is expanded, no DTD and no address is opened.
    return etree.iterparse(
        file, events=(event,), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )


def _elements(path: Path, name: str, source: str) -> Iterator["etree._Element | Problem"]:
    """Yield the elements of one name and forget each, so that memory stays flat."""
    try:
        with path.open("rb") as file:
            for _, element in _parse(file, "end"):
                if etree.QName(element).localname == name:
                    yield element
                    _forget(element, name)
    except etree.XMLSyntaxError as error:
        yield Problem("file", "xml", str(error.msg), source, error.lineno or 0)


def _forget(element: "etree._Element", name: str) -> None:
    # The newest stays as an empty shell, for the parser still holds it; the one before it goes.
    element.clear()
    before, parent = element.getprevious(), element.getparent()
    if before is not None and parent is not None and etree.QName(before).localname == name:
        parent.remove(before)


def _entries_of(entry: "etree._Element") -> Iterator[BankEntry | Problem]:
    details = entry.findall("{*}NtryDtls/{*}TxDtls")
    try:
        entries = [_entry(entry, detail, len(details)) for detail in details] or [_entry(entry, None, 0)]
        _require_sum(entry, entries)
    except RefusedError as refused:
        yield from refused.problems
        return
    yield from entries


def _entry(entry: "etree._Element", detail: "etree._Element | None", details: int) -> BankEntry:
    """Read an entry, or one detail of a batch: what the detail lacks is read from the entry."""
    part = entry if detail is None else detail
    amount = _amount(entry, part if details > 1 else entry)
    remittance = " ".join(_texts(part, "RmtInf/Ustrd")) or _text(entry, "AddtlNtryInf")
    is_credit = _text(entry, "CdtDbtInd") == "CRDT"
    payer = "RltdPties/Dbtr" if is_credit else "RltdPties/Cdtr"
    return BankEntry(
        line=_line(part),
        reference=_reference(entry, detail, details),
        is_credit=is_credit,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        booked_on=_booked_on(entry),
        bank_account=_bank_account(entry),
        structured_reference=_text(part, "RmtInf/Strd/CdtrRefInf/Ref"),
        end_to_end_id=_text(part, "Refs/EndToEndId"),
        text=remittance,
        payer=_text(part, f"{payer}/Nm") or _text(part, f"{payer}/Pty/Nm"),
        is_booked=(_text(entry, "Sts/Cd") or _text(entry, "Sts")) == "BOOK",
        is_return=_text(entry, "RvslInd") == "true" or part.find("{*}RtrInf") is not None,
    )


def _reference(entry: "etree._Element", detail: "etree._Element | None", details: int) -> str:
    """Return the bank's own reference. Details of a batch that share the entry's are distinguished by their place."""
    own = "" if detail is None else _text(detail, "Refs/AcctSvcrRef")
    shared = _text(entry, "AcctSvcrRef")
    if details > 1 and (not is_reference(own) or own == shared) and is_reference(shared) and detail is not None:
        return f"{shared}/{entry.findall('{*}NtryDtls/{*}TxDtls').index(detail) + 1}"
    found = next((reference for reference in (own, shared) if is_reference(reference)), "")
    if not found:
        raise _refused(entry, "AcctSvcrRef", "value_required", "the bank gives the entry no reference of its own")
    return found[:100]


def _amount(entry: "etree._Element", part: "etree._Element") -> Money:
    found = next((one for path in ("Amt", "AmtDtls/TxAmt/Amt") if (one := part.find(_path(path))) is not None), None)
    if found is None:
        raise _refused(part, "Amt", "value_required", "is missing")
    if _text(entry, "CdtDbtInd") not in {"CRDT", "DBIT"}:
        raise _refused(entry, "CdtDbtInd", "value_required", "must be CRDT or DBIT")
    try:
        amount = Money.parse((found.text or "").strip(), str(found.get("Ccy") or ""))
    except (MoneyError, UnknownCurrencyError) as error:
        raise _refused(found, "Amt", "amount_format", str(error)) from error
    if not 0 < amount.amount_minor <= AMOUNT_MINOR_MAX:
        raise _refused(found, "Amt", "amount_positive", "must be more than nothing, and what one payment can carry")
    return amount


def _booked_on(entry: "etree._Element") -> date:
    text = _text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm") or _text(entry, "ValDt/Dt")
    try:
        day = date.fromisoformat(text[:10])
    except ValueError as error:
        raise _refused(entry, "BookgDt", "day_exists", f"{text!r} is not a day of the calendar") from error
    if day.year not in YEARS:
        raise _refused(entry, "BookgDt", "day_in_years", f"{day} is not within {YEARS_MEANING}")
    return day


def _bank_account(entry: "etree._Element") -> str:
    statement = entry.getparent()
    if statement is None:
        return ""
    return _text(statement, "Acct/Id/IBAN") or _text(statement, "Acct/Id/Othr/Id")[:34]


def _require_sum(entry: "etree._Element", entries: list[BankEntry]) -> None:
    whole = _amount(entry, entry)
    if len(entries) > 1 and (sum(one.amount_minor for one in entries), {one.currency for one in entries}) != (
        whole.amount_minor,
        {whole.currency},
    ):
        raise _refused(entry, "TxDtls", "details_add_up", f"the details of the entry do not add up to its {whole}")


def _refused(element: "etree._Element", field: str, rule: str, message: str) -> RefusedError:
    return RefusedError([Problem(field, rule, message, BANK, _line(element))])


def _line(element: "etree._Element") -> int:
    return int(getattr(element, "sourceline", None) or 0)


@cache
def _path(names: str) -> str:
    return "/".join(f"{{*}}{name}" for name in names.split("/"))


def _text(element: "etree._Element", names: str) -> str:
    return next(iter(_texts(element, names)), "")


def _texts(element: "etree._Element", names: str) -> list[str]:
    return [text for one in element.findall(_path(names)) if (text := (one.text or "").strip())]


def require_statement(path: Path) -> None:
    """Refuse an XML file that is no statement of booked entries, such as an intraday report."""
    if (message := message_of(path)) not in {"", STATEMENT}:
        raise refusal("file", "camt_053", f"holds {message}; a statement of booked entries is camt.053 ({STATEMENT})")
