"""The layouts of banks' CSV exports in the document: which columns a file has, and how they are written."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from activities.configuration.fields import Currency, SlugId
from activities.documents import DocumentPart
from models.bank.exports.layout import LayoutColumns, column_key
from models.bank.exports.values import is_date_format

ColumnName = Annotated[str, Field(min_length=1, max_length=100)]
ColumnNames = Annotated[tuple[ColumnName, ...], Field(max_length=12)]
Words = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=50)], ...], Field(max_length=30)]
Label = Annotated[str, Field(max_length=100)]


class LayoutColumnsPart(DocumentPart):
    """The names of the columns as the bank writes them; the second one of a name is `name#2`.

    Of a file that names none, all are places: `#1` is the first cell of a line.
    """

    booked_on: ColumnName
    value_on: ColumnName | None = None
    amount: ColumnName | None = None
    sign: ColumnName | None = None
    credit: ColumnName | None = None
    debit: ColumnName | None = None
    fee: ColumnName | None = None
    currency: ColumnName | None = None
    bank_account: ColumnName | None = None
    bank_reference: ColumnName | None = None
    end_to_end_id: ColumnName | None = None
    status: ColumnName | None = None
    kind: ColumnName | None = None
    balance: ColumnName | None = None
    structured_reference: ColumnNames = ()
    text: ColumnNames = ()
    payer: ColumnNames = ()

    @model_validator(mode="after")
    def _amount_is_one_way(self) -> Self:
        if (self.credit is None) != (self.debit is None):
            raise ValueError("credit: goes with debit, and debit with credit")
        if (self.amount is None) == (self.credit is None):
            raise ValueError("amount: name one column, or those of credit and debit")
        if self.sign is not None and self.amount is None:
            raise ValueError("sign: goes with amount")
        if not (self.text or self.structured_reference):
            raise ValueError("text: without the payer's words nobody's account is found")
        return self

    @model_validator(mode="after")
    def _column_says_one_thing(self) -> Self:
        columns = LayoutColumns(**self.given())
        if columns.are_mixed:
            raise ValueError("name each column, or give each its place, such as #1, where the file names none")
        names = [(field, column_key(name)) for field, name in columns.named()]
        money = [name for field, name in names if field in _ONE_EACH]
        if twice := sorted({name for name in money if [other for _, other in names].count(name) > 1}):
            raise ValueError(f"{twice[0]!r} is named for two fields")
        return self

    def given(self) -> dict[str, Any]:
        """Return what is named."""
        return self.model_dump(exclude_none=True)


# Fields that share their column with no other.
_ONE_EACH = frozenset({"amount", "sign", "credit", "debit", "fee", "currency", "bank_account", "balance", "status"})


class StatementLayoutPart(DocumentPart):
    """A bank's own CSV export. Without `encoding` it is Unicode or Windows-1252, whichever the file is.

    `skip_lines`: so many lines stand above the names of the columns; left out, they are looked for. `footer_lines`: so
    many lines at the end are no entries. `account_label`, `opening_balance` and `closing_balance` are what a line above
    or below the entries begins with that says the account, or a balance.
    """

    id: SlugId
    columns: LayoutColumnsPart
    delimiter: Literal[",", ";", "\t", "|"] = ";"
    encoding: Literal["", "utf-8-sig", "cp1252", "iso-8859-1", "iso-8859-15", "utf-16"] = ""
    date_format: Annotated[str, Field(max_length=20)] = "DD.MM.YYYY"
    decimal_mark: Literal[",", "."] = ","
    thousands_mark: Literal["", ".", ",", " ", "'"] = "."
    skip_lines: Annotated[int, Field(ge=0, le=50)] | None = None
    footer_lines: Annotated[int, Field(ge=0, le=20)] = 0
    currency: Currency | None = None
    bank_account: Annotated[str, Field(max_length=34, pattern=r"^[0-9A-Za-z ./-]*$")] = ""
    account_label: Label = ""
    opening_balance: Label = ""
    closing_balance: Label = ""
    credit_signs: Words = ()
    debit_signs: Words = ()
    booked_states: Words = ()
    return_kinds: Words = ()

    @field_validator("date_format")
    @classmethod
    def _format_is_one(cls, given: str) -> str:
        if not is_date_format(given):
            raise ValueError(
                "must have a day (DD or D), a month (MM, M or MMM) and a year (YYYY or YY), such as DD.MM.YY"
            )
        return given

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if self.decimal_mark == self.thousands_mark:
            raise ValueError("thousands_mark: is the decimal mark")
        if (self.currency is None) == (self.columns.currency is None):
            raise ValueError("currency: name one of all lines, or the column that has it")
        for field, words in (("sign", ("credit_signs", "debit_signs")), ("status", ("booked_states",))):
            for name in words:
                if (getattr(self.columns, field) is None) != (not getattr(self, name)):
                    raise ValueError(f"{name}: goes with columns.{field}")
        if self.return_kinds and self.columns.kind is None:
            raise ValueError("return_kinds: goes with columns.kind")
        if {one.casefold() for one in self.credit_signs} & {one.casefold() for one in self.debit_signs}:
            raise ValueError("debit_signs: one of them is among credit_signs")
        return self

    def stored(self) -> dict[str, Any]:
        """Return it as the database has it: what a document leaves out is left out, and has its meaning here."""
        columns = {name: _listed(value) for name, value in self.columns.given().items() if value}
        given = self.model_dump(exclude={"id", "columns"}, exclude_none=True, exclude_defaults=True)
        return {**{name: _listed(value) for name, value in given.items()}, "columns": columns}


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
