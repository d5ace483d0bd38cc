"""The rows of the bank's CSV files: statement lines, payees, and answers about refunds."""

from collections.abc import Mapping

from models.bank.entry import BankEntry
from models.bank.payee import IbanError, Payee, bic_is_written_well, iban_of
from models.bank.refund_answer import AnswerStatus, BankRefundAnswer
from models.imports.columns import ANSWERS, BANK, PAYEES
from models.imports.rows import Cells
from models.money import AMOUNT_MINOR_MAX


def bank_entry(line: int, cells: Mapping[str, str]) -> BankEntry:
    """Read a statement line. Raises RefusedError with everything that is wrong with it."""
    reading = Cells(BANK, line, cells)
    currency = reading.currency("currency")
    amount_minor = reading.amount("amount", currency, least=-AMOUNT_MINOR_MAX)
    if currency and not amount_minor and not reading.problems:
        reading.refuse("amount", "amount_not_zero", "is nothing")
    entry = BankEntry(
        line=line,
        reference=reading.within("bank_reference", 100),
        is_credit=amount_minor > 0,
        amount_minor=abs(amount_minor),
        currency=currency,
        booked_on=reading.day("booked_on"),
        bank_account=reading.within("bank_account", 34),
        account_id=reading.text("account_id"),
        structured_reference=reading.text("structured_reference"),
        text=reading.text("text"),
        payer=reading.text("payer"),
        owner_reference=reading.text("owner_reference"),
    )
    return reading.finish(entry)


def payee(line: int, cells: Mapping[str, str]) -> Payee:
    """Read where an account's refund is to go. Raises RefusedError; an IBAN is in no message."""
    reading = Cells(PAYEES, line, cells)
    iban = ""
    try:
        iban = iban_of(reading.text("iban"))
    except IbanError as error:
        if reading.text("iban"):
            reading.refuse("iban", "iban_valid", str(error))
    if not bic_is_written_well(reading.text("bic")):
        reading.refuse("bic", "bic_format", "must be 8 or 11 letters and digits")
    name = reading.within("name", 70)
    return reading.finish(Payee(reading.id("account_id"), name, iban, reading.text("bic")))


def refund_answer(line: int, cells: Mapping[str, str]) -> BankRefundAnswer:
    """Read what became of a refund. Raises RefusedError with everything that is wrong with the row."""
    reading = Cells(ANSWERS, line, cells)
    status = reading.one_of("status", set(AnswerStatus), "status_exists", f"is none of {', '.join(AnswerStatus)}")
    return reading.finish(
        BankRefundAnswer(
            line=line,
            reference=reading.text("reference"),
            status=AnswerStatus(status) if status in set(AnswerStatus) else AnswerStatus.PENDING,
            amount=reading.text("amount"),
            reason=reading.within("reason", 400),
        )
    )
