"""The rows of the bank's CSV files: statement lines, payees, and answers about refunds."""

import re
from collections.abc import Mapping

from models.bank.entry import BankEntry
from models.bank.missing.sent_refund import SentRefund, is_refund_reference, period_in
from models.bank.payee import IbanError, Payee, bic_is_written_well, iban_of
from models.bank.refund_answer import AnswerStatus, BankRefundAnswer
from models.imports.columns import ANSWERS, BANK, PAYEES, SENT_REFUNDS
from models.imports.rows import Cells
from models.money import AMOUNT_MINOR_MAX, Money

# How banks of other countries write an amount and a day, where only one reading is left: `-1.234,56`, `1'234.56`,
# `12,50-`; `20.05.2026`, `20260520`. Three digits behind the only mark may be thousands, and stay as they are.
_AMOUNT = re.compile(
    r"(?P<sign>[-+\u2212]?)(?P<whole>[0-9]{1,3}(?:(?P<mark>[.,'\u2019 \u00a0\u202f])[0-9]{3})*|[0-9]+)"
    r"(?:(?P<point>[.,])(?P<decimals>[0-9]{1,2}))?(?P<behind>-?)"
)
_DAY = re.compile(r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})")
_COMPACT = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})")


def bank_entry(line: int, cells: Mapping[str, str]) -> BankEntry:
    """Read a statement line. Raises RefusedError with everything that is wrong with it."""
    read_so = {"amount": plain_amount(cells["amount"]), "booked_on": plain_day(cells["booked_on"])}
    reading = Cells(BANK, line, {**cells, **read_so})
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


def plain_amount(text: str) -> str:
    """Return an amount as `-1234.56`, or as it stands where it has another reading, or none."""
    found = _AMOUNT.fullmatch(text)
    is_divided = found is not None and found["mark"] is not None
    if found is None or (found["sign"] and found["behind"]):
        return text
    # Only a mark of thousands that a second mark or a gap tells apart is one; `1,234` alone is not.
    if is_divided and (found["mark"] == found["point"] or (found["point"] is None and found["mark"] in ".,")):
        return text
    whole = re.sub(r"[^0-9]", "", found["whole"])
    sign = "-" if found["behind"] or found["sign"] in {"-", "\u2212"} else ""
    return f"{sign}{whole}" + (f".{found['decimals']}" if found["point"] else "")


def plain_day(text: str) -> str:
    """Return a day as `2026-05-20`, or as it stands where it is written in another way."""
    found = _DAY.fullmatch(text) or _COMPACT.fullmatch(text)
    return f"{found['year']}-{found['month']:0>2}-{found['day']:0>2}" if found else text


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


def sent_refund(line: int, cells: Mapping[str, str]) -> SentRefund:
    """Read a refund of a CSV file that `refunds export` wrote. Raises RefusedError with all that is wrong with it."""
    reading = Cells(SENT_REFUNDS, line, cells)
    currency = reading.currency("currency")
    amount_minor = reading.amount("amount", currency, least=1)
    if not is_refund_reference(reading.text("reference")):
        reading.refuse("reference", "written_here", "is no reference that Duly has given")
    if not (period := period_in((), reading.text("description"))):
        reading.refuse("description", "written_here", "names no month, such as Refund 2026-11")
    account_id, reference = reading.id("account_id"), reading.text("reference")
    reading.finish(None)
    return SentRefund(line, "", period, reference, Money(amount_minor, currency), account_id)
