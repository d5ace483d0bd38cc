"""The tables of the document that the ledger works by: types and their numbers, reasons, due dates, own accounts."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from activities.configuration.fields import AccountId, Currency, Id, MethodId, Name, TypeId
from activities.documents import DocumentPart
from models.ledger.allocation import Principle
from models.ledger.transaction import Classification

# What a document writes where something is to have none.
NONE = "none"
Category = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(max_length=200)]


class TransactionType(DocumentPart):
    """A type of transaction (F14 to F21) and its numbers (F28); what it says nothing of stays as it is.

    A new type has a name and a classification, and is numbered like its classification unless it has a prefix. Types
    with the same prefix share its series. Where `gap_free` is not given, a series stays what it is, and a new one
    is without gaps for what the law of many countries wants so: invoices, credit notes, cancellations of invoices.
    """

    id: TypeId
    classification: Classification | None = None
    name: Name | None = None
    alternative_code: Text | None = None
    description: Text | None = None
    payment_methods: Annotated[tuple[MethodId, ...], Field(min_length=1)] | None = None
    categories: tuple[Category, ...] | None = None
    default: bool | None = None
    active: bool | None = None
    prefix: Annotated[str, Field(pattern=r"^[A-Z]{1,8}$")] | None = None
    per_year: bool = False
    gap_free: bool | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.prefix is None and (self.per_year or self.gap_free is not None):
            raise ValueError("prefix: per_year and gap_free are of a series, which its prefix names")
        if self.default and self.active is False:
            raise ValueError("default: a type out of use cannot be the default")
        for field in ("payment_methods", "categories"):
            named = getattr(self, field) or ()
            if twice := sorted({one for one in named if named.count(one) > 1}):
                raise ValueError(f"{field}: {twice[0]} is there twice")
        return self

    def stored(self) -> dict[str, object]:
        """Return what the document says of it, by the columns of the database; its numbers apart."""
        names = {"payment_methods": "allowed_methods", "categories": "allowed_categories"}
        names |= {"default": "is_default", "active": "is_active"}
        given = self.model_dump(exclude={"id", "prefix", "per_year", "gap_free"}, exclude_none=True)
        return {names.get(field, field): as_list(value) for field, value in given.items()}


class TransactionReason(DocumentPart):
    """Why a draft is rejected (F23), or why a transaction is issued (F33)."""

    id: TypeId
    name: Name
    purpose: Literal["rejection", "issue"]
    active: bool = True


class DueDateRule(DocumentPart):
    """When an invoice is due (F112 to F114): days after it is posted, or a day of a month so many months after.

    Days are whole days, a day that a month lacks is its last. Within the proximity a due date may be given, and an
    account's credit period moves it; without either the earliest day of it is the due date.
    """

    id: TypeId
    number_of_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    day_of_month: Annotated[int, Field(ge=1, le=31)] | None = None
    after_months: Annotated[int, Field(ge=0, le=120)] | None = None
    proximity_operator: Literal["minus", "plus", "plus_minus"] | None = None
    proximity_days: Annotated[int, Field(ge=1, le=366)] | None = None
    active: bool = True

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        if (self.number_of_days is None) == (self.day_of_month is None):
            raise ValueError("number_of_days: it or day_of_month, one of them, says when")
        if (self.day_of_month is None) != (self.after_months is None):
            raise ValueError("after_months: belongs to day_of_month, and is required with it")
        if (self.proximity_operator is None) != (self.proximity_days is None):
            raise ValueError("proximity_days: it and proximity_operator are given together")
        if self.proximity_operator in {"minus", "plus_minus"} and (self.proximity_days or 0) > (
            self.number_of_days if self.number_of_days is not None else 366
        ):
            raise ValueError("proximity_days: an invoice would be due before it is posted")
        return self

    def stored(self) -> dict[str, object]:
        """Return the rule by the columns of the database."""
        kind = "days_after" if self.day_of_month is None else "day_of_month"
        return {"kind": kind, "is_active": self.active, **self.model_dump(exclude={"id", "active"})}


class LedgerDefinition(DocumentPart):
    """What all accounts work by (F24, F100): due date rule, allocation principle, product of write-offs.

    What it says nothing of stays as it is; `write_off_product = "none"` takes the product away, and nothing is written
    off until there is one (F22).
    """

    due_date_rule: TypeId | None = None
    allocation_principle: Principle | None = None
    write_off_product: Id | None = None

    def stored(self) -> dict[str, object]:
        """Return what the document says, by the columns of the database."""
        names = {"due_date_rule": "due_date_rule_id", "write_off_product": "write_off_product_id"}
        given = self.model_dump(exclude_none=True)
        if given.get("write_off_product") == NONE:
            given["write_off_product"] = None
        return {names.get(field, field): value for field, value in given.items()}


class InternalAccount(DocumentPart):
    """An account of the company's own, for what it charges to itself (X46); its currency is ISO 4217 and stays.

    Out of use it takes no new transactions.
    """

    id: AccountId
    name: Name
    currency: Currency
    active: bool = True


def as_list(value: object) -> object:
    """Return what the driver takes: lists for what is several."""
    return list(value) if isinstance(value, tuple) else value
