"""Payment status reports of ISO 20022 (pain.002), any version: what a bank answers about a file that it was given."""

from collections.abc import Iterator
from pathlib import Path

from activities.bank.iso20022 import Leaves, elements, local
from models.bank.refund_answer import DUPLICATES, BankBatchAnswer, BankRefundAnswer, status_of
from models.imports.columns import ANSWERS
from models.problem import Problem

# One transaction, one payment information, and the whole file: the name that each had, and its status.
_TRANSACTION = "TxInfAndSts"
_BATCHES = {
    "OrgnlPmtInfAndSts": ("OrgnlPmtInfId", "PmtInfSts"),
    "OrgnlGrpInfAndSts": ("OrgnlMsgId", "GrpSts"),
}


def status_answers(path: Path) -> Iterator[BankRefundAnswer | BankBatchAnswer | Problem]:
    """Yield the status that pain.002 gives each payment, each batch and the file, wherever it gives one."""
    for found in elements(path, (_TRANSACTION, *_BATCHES), ANSWERS):
        if isinstance(found, Problem):
            yield found
            continue
        if (name := local(found)) == _TRANSACTION:
            yield _transaction(Leaves(found))
            continue
        one = Leaves(found, leaving_out=(_TRANSACTION,))
        id, status = _BATCHES[name]
        if one.first(status):
            codes = set(one.all("StsRsnInf/Rsn/Cd"))
            yield BankBatchAnswer(
                one.line,
                status_of(one.first(status)),
                ids=(one.first(id),),
                reason=_reason(one),
                is_duplicate=bool(codes & DUPLICATES),
            )


def _transaction(one: Leaves) -> BankRefundAnswer:
    amount, currency = one.amounts.get("OrgnlTxRef/Amt/InstdAmt", [("", "")])[0]
    return BankRefundAnswer(
        line=one.line,
        reference=one.first("OrgnlEndToEndId"),
        status=status_of(one.first("TxSts")),
        amount=amount,
        currency=currency,
        reason=_reason(one),
    )


def _reason(one: Leaves) -> str:
    return " ".join(one.all("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry", "StsRsnInf/AddtlInf"))[:400]
