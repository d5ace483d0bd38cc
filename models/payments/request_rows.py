"""The rows of a file of payment requests: what each cell must be before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.imports.columns import PAYMENT_REQUESTS
from models.imports.rows import Cells
from models.payments.order import ID_MEANING, ID_PATTERN
from models.payments.request_terms import InvalidPaymentRequestError, PaymentRequestTerms
from models.payments.validity import VALID_DAYS_MAX, InvalidValidityError, seconds_of

YES_OR_NO = ("yes", "no")


@dataclass(frozen=True)
class PaymentRequestLine:
    """A request that somebody asks for, and the line it stands in."""

    line: int
    request_id: str
    terms: PaymentRequestTerms | None


def payment_request_line(line: int, cells: Mapping[str, str], *, sender: str, reason: str) -> PaymentRequestLine:
    """Read a request. Raises RefusedError with everything that is wrong with the row."""
    reading = Cells(PAYMENT_REQUESTS, line, cells)
    id = reading.matching("request_id", ID_PATTERN, "id_format", ID_MEANING)
    currency = reading.currency("currency")
    amount, least, most = (reading.amount(name, currency, least=1) for name in ("amount", "least", "most"))
    valid_days = reading.whole("valid_days", 1, VALID_DAYS_MAX)
    valid_seconds = _validity(reading)
    mail = reading.one_of("mail", YES_OR_NO, "yes_or_no", "must be yes or no")
    terms = None
    if not reading.problems:
        try:
            terms = PaymentRequestTerms(
                reading.text("account_id"),
                reading.text("title"),
                description=reading.text("description"),
                amount_minor=amount,
                currency=currency if amount or least or most else "",
                invoices=tuple(reading.text("invoices").split()),
                valid_days=valid_days,
                is_mailed=mail == "yes",
                sender=sender,
                sender_email=reading.text("sender_email"),
                reason=reason,
                least_minor=least,
                most_minor=most,
                payers=tuple(reading.text("payers").split()),
                owner_name=reading.text("owner_name"),
                owner_email=reading.text("owner_email"),
                valid_seconds=valid_seconds,
            )
        except InvalidPaymentRequestError as error:
            field, _, message = str(error).partition(": ")
            reading.refuse(field, "payment_request_valid", message)
    return reading.finish(PaymentRequestLine(line, id, terms))


def _validity(reading: Cells) -> int:
    try:
        return seconds_of(reading.text("valid_for"))
    except InvalidValidityError as error:
        reading.refuse("valid_for", "validity_format", str(error))
        return 0
