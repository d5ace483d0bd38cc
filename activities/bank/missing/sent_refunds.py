"""The refunds that a file says the bank has: pain.001 or CSV as `refunds export` wrote it, pain.002, or a statement."""

from collections.abc import Iterator
from pathlib import Path

from activities.bank.iso20022 import STATUS_REPORT, Leaves, elements, local, message_of
from activities.bank.iso_statement import KINDS, statement_entries
from activities.imports.csv_files import csv_rows
from models.bank.entry import BankEntry
from models.bank.missing.sent_refund import SentRefund, is_refund_reference, period_in
from models.bank.rows import sent_refund
from models.currency import UnknownCurrencyError
from models.imports.columns import SENT_REFUNDS
from models.money import Money, MoneyError
from models.problem import Problem, RefusedError, refusal

TRANSFERS = "CstmrCdtTrfInitn"
SPLIT = "file_is_split"
_AS_ONE_LINE = "is a whole file of refunds in one line, which names none of them: adopt the pain.001 or CSV itself"

# By the element of one transfer: where the file's id stands, and within it reference, amount, bank account and text.
_TRANSFERS = {
    TRANSFERS: (
        "CdtTrfTxInf",
        ("GrpHdr", "MsgId"),
        ("PmtId/EndToEndId", "Amt/InstdAmt", "CdtrAcct/Id/IBAN", "RmtInf/Ustrd"),
    ),
    STATUS_REPORT: (
        "TxInfAndSts",
        ("OrgnlGrpInfAndSts", "OrgnlMsgId"),
        (
            "OrgnlEndToEndId",
            "OrgnlTxRef/Amt/InstdAmt",
            "OrgnlTxRef/CdtrAcct/Id/IBAN",
            "OrgnlTxRef/RmtInf/Ustrd",
        ),
    ),
}


def refunds_in(path: Path) -> Iterator[SentRefund | Problem]:
    """Yield the refunds of a file, and the problem of each that cannot be read. Raises RefusedError: it is none."""
    match message_of(path):
        case "":
            return csv_rows(SENT_REFUNDS, path, sent_refund)
        case message if message in _TRANSFERS:
            return _of_transfers(path, message)
        case message if message in KINDS:
            return _of_statement(path)
        case message:
            raise refusal("file", "refunds_message", f"holds {message}; it must be pain.001, CSV, pain.002 or camt.053")


def _of_transfers(path: Path, message: str) -> Iterator[SentRefund | Problem]:
    one, (header, id_path), paths = _TRANSFERS[message]
    file = ""
    for element in elements(path, {one, header}, SENT_REFUNDS):
        if isinstance(element, Problem):
            yield element
        elif local(element) == header:
            file = Leaves(element).first(id_path)
        else:
            yield _transfer(Leaves(element), file, paths)


def _transfer(leaves: Leaves, file: str, paths: tuple[str, str, str, str]) -> SentRefund | Problem:
    reference, amount, account, text = paths
    text_amount, currency = leaves.amounts.get(amount, [("", "")])[0]
    try:
        paid = Money.parse(text_amount, currency)
    except (MoneyError, UnknownCurrencyError) as error:
        return Problem("amount", "amount_format", str(error), SENT_REFUNDS, leaves.line)
    period = period_in((file,), leaves.first(text))
    # Another system's id may be anything: what is kept is ours.
    file = file if period_in((file,), "") else ""
    iban = leaves.first(account).replace(" ", "").upper()
    return _checked(SentRefund(leaves.line, file, period, leaves.first(reference), paid, iban=iban))


def _of_statement(path: Path) -> Iterator[SentRefund | Problem]:
    for one in statement_entries(path):
        if isinstance(one, Problem):
            yield one
        elif isinstance(one, BankEntry) and not one.is_credit and one.is_booked and not one.is_return:
            if not is_refund_reference(one.end_to_end_id):
                # What leaves the account for other reasons is none of these.
                if _is_file(one):
                    yield Problem("file", SPLIT, _AS_ONE_LINE, SENT_REFUNDS, one.line)
                continue
            file = next((id for id in one.batch_ids if period_in((id,), "")), "")
            paid = Money(one.amount_minor, one.currency)
            period = period_in(one.batch_ids, one.text)
            yield _checked(SentRefund(one.line, file, period, one.end_to_end_id, paid, iban=one.payee_iban))


def _is_file(entry: BankEntry) -> bool:
    """Whether a debit pays a whole file of ours, by the file's name or by the payments in it."""
    sent = entry.sent_ids
    return bool(period_in(entry.batch_ids, "")) or (bool(sent) and all(map(is_refund_reference, sent)))


def _checked(refund: SentRefund) -> SentRefund | Problem:
    if not is_refund_reference(refund.reference):
        # It is not repeated: it may be anything.
        return _not_ours("reference", "is no reference that Duly has given, such as R17", refund.line)
    if not refund.period:
        return _not_ours("file", "neither its id nor its text names a month of refunds", refund.line)
    return refund


def _not_ours(field: str, message: str, line: int) -> Problem:
    return Problem(field, "written_here", message, SENT_REFUNDS, line)


def all_refunds_in(path: Path) -> tuple[list[SentRefund], list[Problem]]:
    """Return the refunds of a file, and the problems of lines that each hold a whole file of them (`file_is_split`).

    Raises RefusedError with the problems of all that cannot be read, or (`refunds_named`) when it names no refund.
    """
    found = list(refunds_in(path))
    problems = [one for one in found if isinstance(one, Problem)]
    if unread := [one for one in problems if one.rule != SPLIT]:
        raise RefusedError(unread)
    if not found:
        raise refusal("file", "refunds_named", "names no refund of ours: adopt the pain.001 or CSV that the bank has")
    return [one for one in found if isinstance(one, SentRefund)], problems
