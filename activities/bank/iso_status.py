"""Payment status reports of ISO 20022 (pain.002), any version: what a bank answers about a file that it was given."""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from activities.bank.iso20022 import Leaves, elements, local
from models.bank.entry import is_reference
from models.bank.refund_answer import DUPLICATES, BankBatchAnswer, BankRefundAnswer, status_of
from models.card_number import without_card_numbers
from models.imports.columns import ANSWERS
from models.problem import Problem

# One transaction, one payment information, and the whole file: the name that each had, and its status.
_TRANSACTION = "TxInfAndSts"
_FILE = "OrgnlGrpInfAndSts"
_BATCHES = {
    "OrgnlPmtInfAndSts": ("OrgnlPmtInfId", "PmtInfSts"),
    _FILE: ("OrgnlMsgId", "GrpSts"),
}
# The second version of the message has other names for the last two.
_CODES = ("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry", "StsRsnInf/StsRsn/Cd", "StsRsnInf/StsRsn/Prtry")
_REASON_MAX = 400
_WORDS = ("StsRsnInf/AddtlInf", "StsRsnInf/AddtlStsRsnInf")


def status_answers(path: Path) -> Iterator[BankRefundAnswer | BankBatchAnswer | Problem]:
    """Yield the status that pain.002 gives each payment, each batch and the file, wherever it gives one."""
    of_file = ("", "")
    for found in elements(path, (_TRANSACTION, *_BATCHES), ANSWERS):
        if isinstance(found, Problem):
            yield found
            continue
        if (name := local(found)) == _TRANSACTION:
            yield _transaction(Leaves(found), _of_batch(found), of_file)
            continue
        one = Leaves(found, leaving_out=(_TRANSACTION,))
        id, status = _BATCHES[name]
        if name == _FILE:
            of_file = (one.first(status), _reason(one))
        if one.first(status):
            codes = set(one.all(*_CODES))
            yield BankBatchAnswer(
                one.line,
                status_of(one.first(status)),
                ids=(one.first(id),),
                reason=_reason(one),
                is_duplicate=bool(codes & DUPLICATES),
            )


def _of_batch(element: "etree._Element") -> tuple[str, str]:
    """Return the status of the batch that a payment is in, and why; empty where it has none."""
    around = element.getparent()
    if around is None:
        return "", ""
    one = Leaves(around, leaving_out=(_TRANSACTION,))
    return one.first("PmtInfSts"), _reason(one)


def _transaction(one: Leaves, batch: tuple[str, str], file: tuple[str, str]) -> BankRefundAnswer:
    sent = (one.first("OrgnlEndToEndId"), one.first("OrgnlInstrId"))
    amount, currency = one.amounts.get("OrgnlTxRef/Amt/InstdAmt", [("", "")])[0]
    # One without a status of its own has that of its batch, or else of the file.
    status, reason = next((each for each in ((one.first("TxSts"), ""), batch, file) if each[0]), ("", ""))
    return BankRefundAnswer(
        line=one.line,
        # Some banks give back but one of the two names that a payment has.
        reference=next((id for id in sent if is_reference(id)), sent[0]),
        status=status_of(status),
        amount=amount,
        currency=currency,
        reason=_bounded(f"{_reason(one)} {reason}".strip()),
    )


def _reason(one: Leaves) -> str:
    return _bounded(" ".join(one.all(*_CODES, *_WORDS)))


def _bounded(words: str) -> str:
    """Cut what a bank says: a card number first, for a part of it would not be known for one."""
    return without_card_numbers(words[: 10 * _REASON_MAX])[:_REASON_MAX]
