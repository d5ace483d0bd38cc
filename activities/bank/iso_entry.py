"""One entry of a statement in ISO 20022, or one detail of it: what moved, and what it says of whose money it is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from activities.bank.formats.mt940_details import RETURNS
from activities.bank.iso20022 import Leaves
from activities.bank.iso_details import minor_in
from models.bank.entry import BankEntry, is_reference
from models.bank.refund_answer import exported_ids_in
from models.currency import UnknownCurrencyError
from models.moment import YEARS, YEARS_MEANING
from models.money import AMOUNT_MINOR_MAX, MoneyError
from models.problem import refusal

_SIDES = ("CRDT", "DBIT")
_BOOKED, _NOT_BOOKED = "BOOK", frozenset({"PDNG", "INFO", "FUTR"})
# Bank transaction codes of what came back: returned, or taken back as not paid or cancelled; cheques and drafts too.
_RETURNS = frozenset({"RRTN", "RPCR", "UPDD", "PRDD", "UPCQ", "UPCT", "UDFT", "CQRV"})
_TRUE = frozenset({"true", "1"})
# Codes of German banks: the type of SWIFT, the business code, and perhaps more, such as `NRTI+159+00931`.
_OF_GERMAN_BANKS = re.compile(r"[NSF](?P<type>[A-Z0-9]{3})\+(?P<business>[0-9]{3})(?:\+.*)?")
# The first version of the messages has other names for references and documents.
_STRUCTURED = ("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef")
_DOCUMENTS = (
    "RmtInf/Strd/RfrdDocInf/Nb", "RmtInf/Strd/RfrdDocInf/RfrdDocNb", "RmtInf/Strd/RfrdDocInf/LineDtls/Id/Nb",
)  # fmt: skip
_TEXTS = ("RmtInf/Ustrd", "RmtInf/Strd/AddtlRmtInf", "AddtlTxInf")
# By what banks on the way have called a payment.
_OTHER_IDS = (
    "Refs/AcctSvcrRef", "Refs/InstrId", "Refs/TxId", "Refs/UETR", "Refs/ClrSysRef", "Refs/MndtId", "Refs/ChqNb",
    "Refs/Prtry/Ref", "RltdRmtInf/RmtId",
)  # fmt: skip
_PAYEE_ACCOUNT = "RltdPties/CdtrAcct/Id/IBAN"
_PAYER_NAMES = tuple(f"RltdPties/{one}/{name}" for one in ("Dbtr", "UltmtDbtr") for name in ("Nm", "Pty/Nm"))
# What a detail says of a payment beside references and texts, and what of these is form and no word.
_FURTHER = frozenset({"Purp/Prtry", "RtrInf/Orgtr/Nm", "RltdAgts/DbtrAgt/FinInstnId/Nm"})
_FORMAL = ("/Cd", "/Amt", "/CdtDbtInd", "/Dt", "/RltdDt", "/Issr", "/IBAN", "/BIC", "/BICFI")
# Between what is no line of one text: nothing is read across it.
_APART = "\n  \n"
# As many details of a batch that cannot be split are read for its words.
_DETAILS_SHOWN = 50


def moved(whole: Leaves, day: str, *, is_statement: bool) -> BankEntry:
    """Read what an entry moved, when, and whether it is booked. Raises RefusedError."""
    side = whole.first("CdtDbtInd")
    if side not in _SIDES:
        raise refusal("CdtDbtInd", "value_required", "must be CRDT or DBIT")
    text, currency = whole.amounts.get("Amt", [("", "")])[0]
    if not text:
        raise refusal("Amt", "value_required", "is missing, or has no currency")
    try:
        minor = minor_in(text, currency)
    except (MoneyError, UnknownCurrencyError) as error:
        raise refusal("Amt", "amount_format", str(error)) from error
    if not 0 <= minor <= AMOUNT_MINOR_MAX:
        raise refusal("Amt", "amount_positive", "must be nothing or more, and what one payment can carry")
    status = whole.first("Sts/Cd", "Sts", "Sts/Prtry")
    return BankEntry(
        line=whole.line,
        reference="",
        is_credit=side == _SIDES[0],
        amount_minor=minor,
        currency=currency,
        booked_on=_day(whole.first("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm") or day),
        # In a statement everything is booked unless it says otherwise.
        is_booked=status == _BOOKED or (is_statement and status not in _NOT_BOOKED),
    )


def with_words(
    entry: BankEntry, whole: Leaves, details: Sequence[Leaves], *, named: str, is_part: bool = False, **more: Any
) -> BankEntry:
    """Return an entry under a name with what it says, in itself and in these details of it: payer, references, texts.

    What a batch says of itself is kept with each part of it, and names nobody: it may tell of another part. `more` are
    other fields of the entry.
    """
    is_batch = is_part or more.get("is_unsplit", False)
    shown = details[:_DETAILS_SHOWN]
    structured = _all(shown, *_STRUCTURED)
    party = "RltdPties/Dbtr" if entry.is_credit else "RltdPties/Cdtr"
    ultimate = party.replace("ies/", "ies/Ultmt")
    only = shown[0] if len(details) == 1 else None
    payer, behind = ("" if only is None else only.first(f"{one}/Nm", f"{one}/Pty/Nm") for one in (party, ultimate))
    given = [
        *_all([only] if only else [], *_OTHER_IDS),
        *(whole.all("AddtlNtryInf") if is_batch else ()),
        *(text for detail in shown for text in _unread(detail)),
    ]
    ids = dict.fromkeys(id for id in given if is_reference(id))
    own = {*whole.all("AcctSvcrRef"), *_all([only] if only else [], "Refs/AcctSvcrRef")}
    texts = (
        *("\n".join(_all(shown, path)) for path in _TEXTS),
        "\n".join(whole.all("AddtlNtryInf")) if len(details) <= 1 and not is_batch else "",
    )
    return replace(
        entry,
        **more,
        reference=named,
        is_named_by_sender=only is not None and named in set(_sent_ids(only)) - own,
        line=only.line if only else entry.line,
        structured_reference=structured[0] if structured else "",
        other_references=tuple(structured[1:]),
        documents=tuple(_all(shown, *_DOCUMENTS)),
        end_to_end_id=only.first("Refs/EndToEndId") if only else "",
        text=_APART.join(text for text in texts if text),
        payer=payer or behind,
        ultimate_payer=behind if payer and behind != payer else "",
        other_ids=tuple(id for id in ids if id != named),
        payee_iban=only.first(_PAYEE_ACCOUNT).replace(" ", "") if only and not entry.is_credit else "",
        return_reason=next(iter(_all(shown, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")), ""),
        return_text=" ".join(_all(shown, "RtrInf/AddtlInf")),
        is_return=_is_return(whole) or any(_is_return(detail) for detail in shown),
    )


def _unread(detail: Leaves) -> Iterator[str]:
    """Yield what a detail says further of the payment and of who sent it: it names nobody, and is kept for a person.

    Bank accounts are left out, which are not kept (decision 0121), and so is what the payee is called, which is us.
    """
    read = {*_STRUCTURED, *_DOCUMENTS, *_TEXTS, *_OTHER_IDS, *_PAYER_NAMES}
    for path, texts in detail.texts.items():
        top, _, below = path.partition("/")
        is_name = top == "RltdPties" and path.endswith("/Nm") and not below.startswith(("Cdtr", "UltmtCdtr"))
        is_words = top in {"RmtInf", "RltdRmtInf", "SplmtryData"} and not path.endswith(_FORMAL)
        is_id = top == "Refs" and below not in {"EndToEndId", "AcctSvcrRef"}
        if path not in read and (is_name or is_words or is_id or path in _FURTHER):
            yield from texts


def own_reference(whole: Leaves, detail: Leaves | None, place: int) -> str:
    """Return what an entry or detail is called: by the bank, else by whoever sent it."""
    own, shared = "" if detail is None else detail.first("Refs/AcctSvcrRef"), whole.first("AcctSvcrRef")
    if place and is_reference(shared) and (not is_reference(own) or own == shared):
        return f"{shared}/{place}"
    given = (own, shared, *(_sent_ids(detail) if detail else ()), whole.first("NtryRef"))
    return next((one[:100] for one in given if is_reference(one)), "")


def _sent_ids(detail: Leaves) -> list[str]:
    """Return what a payment was called by whoever sent it, and by their bank."""
    return [detail.first(f"Refs/{name}")[:100] for name in ("EndToEndId", "TxId", "InstrId")]


def batch_ids(whole: Leaves, details: Sequence[Leaves], batches: Sequence[Leaves]) -> tuple[str, ...]:
    """Return by what a batch that we sent is named: its payment information, or its message, in fields or in words."""
    found = [one for batch in batches for one in batch.all("Btch/PmtInfId", "Btch/MsgId")]
    found += [one for detail in details[:_DETAILS_SHOWN] for one in detail.all("Refs/PmtInfId", "Refs/MsgId")]
    written = [*whole.all("AddtlNtryInf"), *_all(details[:_DETAILS_SHOWN], "RmtInf/Ustrd", "AddtlTxInf")]
    found += [id for text in written for id in exported_ids_in(text)]
    return tuple(dict.fromkeys(one for one in found if is_reference(one)))


def _is_return(leaves: Leaves) -> bool:
    codes = leaves.all("BkTxCd/Domn/Fmly/SubFmlyCd")
    return (
        leaves.first("RvslInd").lower() in _TRUE
        or "RtrInf" in leaves.names
        or any(code in _RETURNS for code in codes)
        or any(_says_return(code) for code in leaves.all("BkTxCd/Prtry/Cd"))
    )


def _says_return(code: str) -> bool:
    found = _OF_GERMAN_BANKS.fullmatch(code)
    return found is not None and (found["type"] == "RTI" or found["business"] in RETURNS)


def _all(details: Sequence[Leaves], *paths: str) -> list[str]:
    return [text for detail in details for text in detail.all(*paths)]


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError as error:
        raise refusal("BookgDt", "day_exists", f"{text!r} is not a day of the calendar") from error
    if day.year not in YEARS:
        raise refusal("BookgDt", "day_in_years", f"{day} is not within {YEARS_MEANING}")
    return day
