"""From a checked document to the call of the ledger's function that writes it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import select

from activities.database import Database
from activities.ledger.transaction_document import (
    ChangesDocument,
    CreditNoteDocument,
    InvoiceDocument,
    LineDocument,
    PaymentDocument,
    RefundDocument,
    TransactionDocument,
)
from activities.ledger.transaction_pricing import minor_units, priced_lines
from activities.ledger.transaction_queries import TransactionQueries
from models.problem import refusal
from models.tables.configuration import ProviderMethodRow

# A field of the document, and what the ledger calls it.
_PARAMETERS = {
    "type": "type_id",
    "category": "category",
    "issued_on": "issued_on",
    "posted_on": "posted_on",
    "back_office_code": "back_office_code",
    "due_on": "due_on",
    "reason": "issue_reason",
    "method": "method",
    "reference": "payment_reference",
    "preference": "payment_preference",
    "voucher": "voucher_number",
}
_COLUMNS = {**_PARAMETERS, "amount": "total_minor", "invoices": "addressed_invoice_ids", "lines": "lines"}
_NEVER_EMPTY = frozenset({"amount", "method", "lines", "issued_on"})


class TransactionCalls:
    """Prices what a document says in an account's currency, and finds the invoices that it names."""

    def __init__(self, database: Database, currency: str) -> None:
        self._database = database
        self._records = TransactionQueries(database)
        self._currency = currency

    async def creation(self, document: TransactionDocument, *, is_repeat: bool = False) -> dict[str, Any]:
        """Return the arguments of the function that creates what the document says, less account and key.

        Of what was asked before under its key, only the ledger judges: whatever has changed since, it answers the same.
        """
        given = document.model_dump(exclude_none=True)
        arguments = {_PARAMETERS[word]: value for word, value in given.items() if word in _PARAMETERS}
        if isinstance(document.issued_on, datetime):
            arguments["issued_at"] = arguments.pop("issued_on")
        arguments["currency"] = self._currency
        match document:
            case InvoiceDocument():
                return {**arguments, "lines": await self._lines(document.lines)}
            case CreditNoteDocument():
                lines = await self._lines(document.lines)
                return {**arguments, "lines": lines, "addressed_invoice_ids": await self._ids(document.invoices)}
            case PaymentDocument():
                await self._require_method_of_ours(document.method, is_repeat=is_repeat)
                invoices = await self._ids(document.invoices)
                return {**arguments, "amount_minor": self._minor(document.amount), "addressed_invoice_ids": invoices}
            case RefundDocument():
                await self._require_method_of_ours(document.method, is_repeat=is_repeat)
                return {**arguments, "amount_minor": self._minor(document.amount)}

    async def changes(self, document: ChangesDocument) -> dict[str, Any]:
        """Return the changes as the ledger takes them. Raises RefusedError for a field that cannot be empty."""
        if stuck := sorted(set(document.clear) - (_COLUMNS.keys() - _NEVER_EMPTY)):
            raise refusal("clear", "field_may_be_empty", f"{stuck[0]} cannot be cleared")
        given = document.model_dump(mode="json", exclude_none=True, exclude={"clear", "lines", "amount", "invoices"})
        changed: dict[str, Any] = {_COLUMNS[word]: value for word, value in given.items()}
        if isinstance(document.issued_on, datetime):
            changed["issued_at"] = changed.pop("issued_on")
        changed |= {_COLUMNS[word]: [] if word == "invoices" else None for word in document.clear}
        if document.lines is not None:
            changed["lines"] = await priced_lines(self._database, document.lines, self._currency)
        if document.amount is not None:
            changed["total_minor"] = self._minor(document.amount)
        if document.invoices is not None:
            changed["addressed_invoice_ids"] = await self._ids(document.invoices)
        if document.method is not None:
            await self._require_method_of_ours(document.method)
        return changed

    async def _lines(self, lines: Sequence[LineDocument]) -> Jsonb:
        return Jsonb(await priced_lines(self._database, lines, self._currency))

    async def _ids(self, words: Sequence[str]) -> list[str]:
        return [(await self._records.require(word)).id for word in words]

    def _minor(self, amount: str) -> int:
        return minor_units(amount, self._currency)

    async def _require_method_of_ours(self, method: str, *, is_repeat: bool = False) -> None:
        if not is_repeat:
            await require_method_of_ours(self._database, method)


async def require_method_of_ours(database: Database, method: str) -> None:
    """Refuse a method that a gateway handles (F27): its money is requested there, not written by hand."""
    row = ProviderMethodRow
    handled = await database.read_first(select(row.provider_id).where(row.payment_method_id == method))
    if handled:
        raise refusal(
            "method",
            "method_is_not_a_gateways",
            f"{method} is handled by {handled.provider_id}, which moves its money; `payments create` charges it now",
        )
