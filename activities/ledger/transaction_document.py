"""A transaction as a person writes it, in options or in a TOML or JSON document: checked before it is priced."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationError, model_validator

from activities.documents import DocumentPart, document_problems
from models.card_number import REFUSED, holds_card_number
from models.problem import RefusedError


def _no_card_number(text: str) -> str:
    if holds_card_number(text):
        raise ValueError(REFUSED)
    return text


def _as_text(given: object) -> object:
    # TOML and JSON have numbers; ours are read as decimals, never as floats, so their text is exact.
    return str(given) if isinstance(given, int | Decimal) and not isinstance(given, bool) else given


Words = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_no_card_number)]
Code = Annotated[str, Field(pattern=r"^[!-~]{1,64}$"), AfterValidator(_no_card_number)]
Key = Annotated[str, Field(min_length=1, max_length=200)]
Amount = Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[0-9]{1,16}(\.[0-9]{1,4})?$")]
Discount = Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[0-9]{1,16}(\.[0-9]{1,4})?%?$")]
Quantity = Annotated[Decimal, BeforeValidator(_as_text), Field(gt=0, max_digits=18, decimal_places=6)]


class AppliedTaxDocument(DocumentPart):
    """A tax that a tax service has computed for a line (F40): who levies it, what it is called, amounts in major units.

    `taxable` is what it was computed on, where that is not the line's net amount; `percent` is the service's rate.
    """

    authority: Words
    name: Words
    tax: Amount
    percent: Annotated[Decimal, BeforeValidator(_as_text), Field(ge=0, le=100, decimal_places=6)] | None = None
    taxable: Amount | None = None


class LineDocument(DocumentPart):
    """A line (F37, F124): prices in major units; the discount is an amount such as 20.00, or a rate such as 15%.

    Its tax is that of its rate, or, with `applied_taxes`, the sum of what a tax service has computed.
    """

    product: Code
    quantity: Quantity = Decimal(1)
    price: Amount
    discount: Discount = "0"
    tax_rate: Code | None = None
    description: Words | None = None
    period_from: date | None = None
    period_to: date | None = None
    sales_channel: Words | None = None
    applied_taxes: Annotated[tuple[AppliedTaxDocument, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _is_taxed_by_one(self) -> Self:
        if self.applied_taxes and self.tax_rate is not None:
            raise ValueError("tax_rate: a service has computed the taxes of this line")
        return self


class _Document(DocumentPart):
    """What every transaction may have (F30 to F34)."""

    type: Code | None = None
    category: Words | None = None
    issued_on: date | AwareDatetime | None = None
    posted_on: date | None = None
    back_office_code: Code | None = None


class InvoiceDocument(_Document):
    """An invoice."""

    classification: Literal["invoice"]
    lines: tuple[LineDocument, ...] = ()
    due_on: date | None = None


class CreditNoteDocument(_Document):
    """A credit note, and the invoices it is meant for (F89)."""

    classification: Literal["credit_note"]
    lines: tuple[LineDocument, ...] = ()
    invoices: tuple[Code, ...] = ()
    reason: Words | None = None


class PaymentDocument(_Document):
    """A payment: amount in major units of the account's currency, and the invoices it is meant for (F90 to F92)."""

    classification: Literal["payment"]
    amount: Amount
    method: Code
    invoices: tuple[Code, ...] = ()
    reference: Words | None = None
    preference: Code | None = None
    voucher: Code | None = None


class RefundDocument(_Document):
    """A refund: amount in major units of the account's currency (F93)."""

    classification: Literal["refund"]
    amount: Amount
    method: Code
    reference: Words | None = None
    preference: Code | None = None
    reason: Words | None = None


TransactionDocument = Annotated[
    InvoiceDocument | CreditNoteDocument | PaymentDocument | RefundDocument, Field(discriminator="classification")
]


class _Holder(DocumentPart):
    document: TransactionDocument


class ChangesDocument(DocumentPart):
    """What an edit changes; what is not given stays, what is cleared becomes empty (F54)."""

    type: Code | None = None
    category: Words | None = None
    issued_on: date | AwareDatetime | None = None
    back_office_code: Code | None = None
    due_on: date | None = None
    lines: tuple[LineDocument, ...] | None = None
    invoices: tuple[Code, ...] | None = None
    amount: Amount | None = None
    method: Code | None = None
    reference: Words | None = None
    preference: Code | None = None
    reason: Words | None = None
    clear: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _changes_something_and_nothing_twice(self) -> Self:
        given = self.model_fields_set - {"clear"}
        if not given and not self.clear:
            raise ValueError("names nothing to change")
        if both := sorted(given & set(self.clear)):
            raise ValueError(f"{both[0]} is both given and cleared")
        return self


class NoteDocument(DocumentPart):
    """A shared note (F36)."""

    note: Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_no_card_number)]


def transaction_of(given: Mapping[str, Any]) -> TransactionDocument:
    """Check a new transaction. Raises RefusedError with every problem."""
    try:
        return _Holder.model_validate({"document": given}).document
    except ValidationError as error:
        # The first two names of a place are our own wrapping and the classification; the person wrote neither.
        raise RefusedError(document_problems(error, wrapping=2)) from error


def changes_of(given: Mapping[str, Any]) -> ChangesDocument:
    """Check an edit. Raises RefusedError with every problem."""
    try:
        return ChangesDocument.model_validate(given)
    except ValidationError as error:
        raise RefusedError(document_problems(error)) from error


def note_of(text: str) -> str:
    """Check a note. Raises RefusedError."""
    try:
        return NoteDocument(note=text).note
    except ValidationError as error:
        raise RefusedError(document_problems(error)) from error
