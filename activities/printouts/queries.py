"""What documents say, read from the ledger, and what was printed of them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, func, select

from activities.database import Database
from activities.ledger.statement_queries import StatementQueries
from activities.ledger.transaction_queries import TransactionQueries
from models.printouts.facts import OF_ACCOUNTS, DocumentFacts, DocumentKind, StatementFacts
from models.problem import refusal
from models.tables.transactions import DocumentFileRow

NO_SELLER = "no seller is set: `duly definitions apply` takes a [[sellers]] table"

_FACTS = TypeAdapter(DocumentFacts)
_STATEMENT = TypeAdapter(StatementFacts)

_FILES = select(
    DocumentFileRow.id,
    DocumentFileRow.format,
    DocumentFileRow.language,
    DocumentFileRow.template_version,
    DocumentFileRow.sha256,
    func.octet_length(DocumentFileRow.content).label("bytes"),
    DocumentFileRow.printed_at,
).order_by(DocumentFileRow.id)


def facts_of(document: Mapping[str, Any]) -> DocumentFacts:
    """Read what the database says of a document.

    Raises RefusedError: nobody sells (no seller is set), or its VAT is to be said in another currency without a rate.
    """
    if document["seller"] is None:
        raise refusal("seller", "seller_set", NO_SELLER)
    facts = _FACTS.validate_python(document)
    if (conversion := facts.tax_conversion) is not None and conversion.tax_minor is None:
        what = (
            f"VAT of {facts.number} in {facts.currency} is owed in {conversion.currency} too, and no reference rate of"
            f" {facts.dated} is known: `duly import rates` takes the file of that day"
        )
        raise refusal("currency", "exchange_rate_known", what)
    return facts


class DocumentQueries:
    """Reads documents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def require(self, word: str) -> Row[Any]:
        """Return the transaction behind a number or id. Raises RefusedError: there is none, or it has no document."""
        found = await TransactionQueries(self._database).require(word)
        of_transactions = set(DocumentKind) - OF_ACCOUNTS
        if str(found.classification) not in of_transactions:
            allowed = ", ".join(sorted(of_transactions))
            raise refusal(
                "transaction", "document_kind", f"a {found.classification} is not printed; these are: {allowed}"
            )
        return found

    async def facts(self, transaction_id: str) -> DocumentFacts:
        """Return what a document says: as it was printed first, else as it is now."""
        return facts_of(await self.stored(transaction_id))

    async def stored(self, transaction_id: str) -> Mapping[str, Any]:
        """Return the same as the database has it."""
        kept: Mapping[str, Any] | None = await self._database.call("kept_document", transaction_id=transaction_id)
        if kept is not None:
            return kept
        now: Mapping[str, Any] = await self._database.call("document_facts", transaction_id=transaction_id)
        return now

    async def files(self, transaction_id: str) -> Sequence[Row[Any]]:
        """Return what was printed of a document, without the files themselves."""
        return await self._database.read(_FILES.where(DocumentFileRow.transaction_id == transaction_id))

    async def file(self, transaction_id: str, format: str, language: str) -> Row[Any] | None:
        """Return a file with its content, or None where it was not printed yet."""
        row = DocumentFileRow
        return await self._database.read_first(
            select(row.id, row.sha256, row.content).where(
                row.transaction_id == transaction_id, row.format == format, row.language == language
            )
        )

    async def statement(self, account_id: str, since: date | None, until: date) -> StatementFacts:
        """Return an account's postings between two days. Raises RefusedError: no such account, no seller."""
        records = StatementQueries(self._database)
        account = await records.now(account_id)
        if account is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        parties = await self._database.call("statement_parties", account_id=account_id)
        if parties["seller"] is None:
            raise refusal("seller", "seller_set", NO_SELLER)
        rows = await records.statement(account_id, since, until)
        closing = rows[-1].balance_minor if rows else await records.balance_on(account_id, until)
        return _STATEMENT.validate_python(
            {
                **parties,
                "currency": account.currency,
                "since": since,
                "until": until,
                "opening_minor": rows[0].balance_minor - rows[0].amount_minor if rows else closing,
                "closing_minor": closing,
                "unsettled_minor": account.unsettled_minor,
                "rows": [_posting(row) for row in rows],
            }
        )


def _posting(row: Row[Any]) -> dict[str, Any]:
    names = ("number", "classification", "due_on", "amount_minor", "balance_minor")
    return {"on": row.posted_on, **{name: getattr(row, name) for name in names}}
