"""Payment status reports of ISO 20022 (pain.002), any version: what the bank answers about a file that it was given."""

from collections.abc import Iterator
from pathlib import Path

from activities.bank.iso20022 import Leaves, elements
from models.bank.refund_answer import BankRefundAnswer, status_of
from models.imports.columns import ANSWERS
from models.problem import Problem


def status_answers(path: Path) -> Iterator[BankRefundAnswer | Problem]:
    """Yield the status that pain.002 gives each payment. One of the group or batch alone is none."""
    for found in elements(path, ("TxInfAndSts",), ANSWERS):
        if isinstance(found, Problem):
            yield found
            continue
        one = Leaves(found)
        amount, currency = one.amounts.get("OrgnlTxRef/Amt/InstdAmt", [("", "")])[0]
        reasons = one.all("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry", "StsRsnInf/AddtlInf")
        yield BankRefundAnswer(
            line=one.line,
            reference=one.first("OrgnlEndToEndId"),
            status=status_of(one.first("TxSts")),
            amount=amount,
            currency=currency,
            reason=" ".join(reasons)[:400],
        )
