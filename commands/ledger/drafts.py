"""Creating and completing transactions: create, edit, post, reject, and write a note."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import select

from activities.documents import read_content
from activities.ledger.account_queries import AccountQueries
from activities.ledger.client import Receipt
from activities.ledger.transaction_calls import TransactionCalls
from activities.ledger.transaction_document import (
    CreditNoteDocument,
    InvoiceDocument,
    PaymentDocument,
    RefundDocument,
    changes_of,
    note_of,
    transaction_of,
)
from commands.ledger.transaction_writer import TransactionWriter, WriteOptions, transaction_writer
from commands.output import Output, table
from commands.session import read_settings, reading_database_of
from models.ledger.line_text import line_of
from models.ledger.transaction import LifeCycleState
from models.problem import Problem, RefusedError, refusal
from models.tables.reference import TransactionReasonRow

_REASONS = (
    select(TransactionReasonRow.id, TransactionReasonRow.name, TransactionReasonRow.purpose)
    .where(TransactionReasonRow.is_active)
    .order_by(TransactionReasonRow.purpose, TransactionReasonRow.id)
)

Fields = Mapping[str, Any]


async def create(
    output: Output,
    classification: str,
    account_id: str,
    given: Fields,
    file: Path | None,
    options: WriteOptions,
    *,
    is_draft: bool,
    is_acknowledged: bool,
) -> None:
    """Create a transaction on an account, posted unless it is to be a draft (F48 to F53)."""
    document = transaction_of({**_document_of(given, file), "classification": classification})
    async with transaction_writer(output, options) as writer:
        account = await AccountQueries(writer.database).find(account_id)
        if account is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        is_repeat = await writer.records.has_key(writer.options.key)
        arguments = await TransactionCalls(writer.database, account.currency).creation(document, is_repeat=is_repeat)
        if isinstance(document, InvoiceDocument | CreditNoteDocument):
            asked = document.model_dump_json(exclude_none=True)
            arguments["asked"] = sha256(f"{account_id} {is_draft} {asked}".encode()).hexdigest()
        if isinstance(document, RefundDocument):
            arguments["acknowledge_credit_limit"] = is_acknowledged
        receipt = await writer.ledger.write(
            {
                "invoice": "create_invoice",
                "credit_note": "create_credit_note",
                "payment": "create_payment",
                "refund": "create_refund",
            }[classification],
            key=writer.options.key,
            account_id=account_id,
            draft=is_draft,
            origin="user",
            actor=writer.options.actor,
            **arguments,
        )
        given_up = await _written_off(writer, document) if isinstance(document, PaymentDocument) else {}
        await writer.answer(receipt, account_id, **given_up)


async def edit(output: Output, identifier: str, given: Fields, file: Path | None, options: WriteOptions) -> None:
    """Change fields of a draft (F54)."""
    document = changes_of(_document_of(given, file))
    async with transaction_writer(output, options) as writer:
        found = await writer.records.require(identifier)
        changes = await TransactionCalls(writer.database, found.currency).changes(document)
        receipt = await writer.ledger.write(
            "edit_draft", transaction_id=found.id, changes=changes, actor=writer.options.actor
        )
        await writer.answer(receipt)


async def post(
    output: Output, identifier: str, options: WriteOptions, *, posted_on: Any, is_acknowledged: bool
) -> None:
    """Post a draft (F56 to F60)."""
    async with transaction_writer(output, options) as writer:
        found = await writer.records.require(identifier)
        receipt = await writer.ledger.write(
            "post_draft",
            transaction_id=found.id,
            posted_on=posted_on,
            acknowledge_credit_limit=is_acknowledged,
            actor=writer.options.actor,
        )
        await writer.answer(receipt, found.account_id)


async def reject(output: Output, identifier: str, reason: str, options: WriteOptions) -> None:
    """Reject a draft for one of the configured reasons (F55)."""
    async with transaction_writer(output, options) as writer:
        found = await writer.records.require(identifier)
        await writer.ledger.run("reject_draft", transaction_id=found.id, reason_id=reason, actor=writer.options.actor)
        await writer.answer(Receipt(found.id, found.reference_number, None, "rejected"))


async def note(output: Output, identifier: str, text: str, options: WriteOptions) -> None:
    """Add a shared note (F36)."""
    checked = note_of(text)
    async with transaction_writer(output, options) as writer:
        found = await writer.records.require(identifier)
        await writer.ledger.run("add_note", transaction_id=found.id, author=writer.options.actor, note=checked)
        notes = await writer.records.notes(found.id)
    rows = [(one.author, f"{one.noted_at:%Y-%m-%d %H:%M}Z", one.note) for one in notes]
    documents = [{"author": one.author, "note": one.note, "noted_at": one.noted_at} for one in notes]
    output.answer({"transaction_id": found.id, "notes": documents}, table("", "Author", "At", "Note", rows=rows))


async def reasons(output: Output) -> None:
    """List the reasons for rejecting drafts, and the suggested ones for issuing (F23, F33)."""
    async with reading_database_of(read_settings()) as database:
        rows = await database.read(_REASONS)
    documents = [{"id": row.id, "name": row.name, "purpose": row.purpose} for row in rows]
    output.answer({"reasons": documents}, table("", "Reason", "Name", "For", rows=[tuple(row) for row in rows]))


async def _written_off(writer: TransactionWriter, payment: PaymentDocument) -> dict[str, list[str]]:
    """Tell that money has come for what was given up, and return the numbers of those invoices."""
    named = [await writer.records.require(invoice) for invoice in payment.invoices]
    given_up = [str(one.number) for one in named if one.state == LifeCycleState.WRITTEN_OFF]
    if given_up:
        what = f"{', '.join(given_up)} was written off"
        writer.output.note(f"{what}: `duly transactions move` to the write-off account pays that debt.")
    return {"written_off": given_up} if given_up else {}


def _document_of(given: Fields, file: Path | None) -> dict[str, Any]:
    """Return what the options or the document say; both at once would leave open which of them counts."""
    fields = {field: value for field, value in given.items() if value not in (None, "", [], ())}
    if "lines" in fields:
        fields["lines"] = [line_of(text) for text in fields["lines"]]
    if file is None:
        return fields
    if fields:
        raise RefusedError([Problem(field, "one_source", "is given beside a document") for field in sorted(fields)])
    return read_content(file)
