"""What a person says of a transaction, in options or in a TOML or JSON document: checked before it is priced."""

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from models.cards.card_number import holds_card_number
from models.problem import Problem, RefusedError


def _no_card_number(text: str) -> str:
    if holds_card_number(text):
        raise ValueError("seems to hold a card number, which is never stored")
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


class Part(BaseModel):
    """A table of the document; a word that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LineDocument(Part):
    """A line (F37, F124): prices in major units; the discount is an amount such as 20.00, or a rate such as 15%."""

    product: Code
    quantity: Quantity = Decimal(1)
    price: Amount
    discount: Discount = "0"
    tax_rate: Code | None = None
    description: Words | None = None
    period_from: date | None = None
    period_to: date | None = None
    sales_channel: Words | None = None


class _Document(Part):
    """What every transaction may have (F30 to F34)."""

    type: Code | None = None
    category: Words | None = None
    issued_on: date | None = None
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


class _Holder(Part):
    document: TransactionDocument


class ChangesDocument(Part):
    """What an edit changes; what is not given stays, what is cleared becomes empty (F54)."""

    type: Code | None = None
    category: Words | None = None
    issued_on: date | None = None
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
            raise ValueError("says nothing to change")
        if both := sorted(given & set(self.clear)):
            raise ValueError(f"{both[0]} is both given and cleared")
        return self


class NoteDocument(Part):
    """A shared note (F36)."""

    note: Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_no_card_number)]


def read_file(path: Path) -> dict[str, Any]:
    """Read a document from a TOML or JSON file; numbers come as decimals. Raises RefusedError when it is neither."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".json":
            content: object = json.loads(text, parse_float=Decimal)
        else:
            content = tomllib.loads(text, parse_float=Decimal)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        rule = path.suffix.removeprefix(".") or "toml"
        raise RefusedError([Problem("document", rule, str(error), path.name)]) from error
    except UnicodeDecodeError as error:
        raise RefusedError([Problem("document", "utf8", f"is not UTF-8: {error.reason}", path.name)]) from error
    if not isinstance(content, dict):
        raise RefusedError([Problem("document", "object", "must be one object", path.name)])
    return content


def transaction_of(given: Mapping[str, Any]) -> TransactionDocument:
    """Check what is said of a new transaction. Raises RefusedError with every problem."""
    try:
        return _Holder.model_validate({"document": given}).document
    except ValidationError as error:
        raise RefusedError(problems_of(error)) from error


def changes_of(given: Mapping[str, Any]) -> ChangesDocument:
    """Check what is said of an edit. Raises RefusedError with every problem."""
    try:
        return ChangesDocument.model_validate(given)
    except ValidationError as error:
        raise RefusedError(problems_of(error)) from error


def note_of(text: str) -> str:
    """Check a note. Raises RefusedError."""
    try:
        return NoteDocument(note=text).note
    except ValidationError as error:
        raise RefusedError(problems_of(error)) from error


def problems_of(error: ValidationError) -> list[Problem]:
    """Return what is wrong with a document, field by field."""
    return [
        Problem(_place(problem["loc"]), problem["type"], problem["msg"].removeprefix("Value error, "))
        for problem in error.errors(include_url=False, include_input=False)
    ]


def _place(location: tuple[int | str, ...]) -> str:
    # The first words are our own wrapping and the classification; the person wrote neither.
    words = location[2:] if location[:1] == ("document",) else location
    return ".".join(str(word) for word in words) or "document"
