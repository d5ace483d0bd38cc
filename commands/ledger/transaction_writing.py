"""Writing transactions: create, edit, post, reject, and write a note."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from activities.ledger.account_queries import AccountQueries
from activities.ledger.client import Receipt
from activities.ledger.transaction_calls import TransactionCalls
from activities.ledger.transaction_document import RefundDocument, changes_of, note_of, read_file, transaction_of
from commands.ledger.transaction_answer import Asked, Desk, desk_of
from commands.output import Output, table
from commands.session import database_of, read_settings
from models.ledger.line_text import line_of
from models.problem import Problem, RefusedError, refusal

Given = Mapping[str, Any]


async def create(
    output: Output,
    classification: str,
    account_id: str,
    given: Given,
    file: Path | None,
    asked: Asked,
    *,
    is_draft: bool,
    is_acknowledged: bool,
) -> None:
    """Create a transaction on an account, posted unless it is to be a draft (F48 to F53)."""
    said = transaction_of({**_said(given, file), "classification": classification})
    async with desk_of(output, asked) as desk:
        account = await AccountQueries(desk.database).find(account_id)
        if account is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        arguments = await TransactionCalls(desk.database, account.currency).creation(said)
        if isinstance(said, RefundDocument):
            arguments["acknowledge_credit_limit"] = is_acknowledged
        receipt = await desk.ledger.write(
            f"create_{classification}",
            key=desk.asked.key,
            account_id=account_id,
            draft=is_draft,
            origin="user",
            actor=desk.asked.actor,
            **arguments,
        )
        await desk.answer(receipt, account_id)


async def edit(output: Output, word: str, given: Given, file: Path | None, asked: Asked) -> None:
    """Change fields of a draft (F54)."""
    said = changes_of(_said(given, file))
    async with desk_of(output, asked) as desk:
        found = await desk.records.require(word)
        changes = await TransactionCalls(desk.database, found.currency).changes(said)
        receipt = await desk.ledger.write("edit_draft", transaction_id=found.id, changes=changes)
        await _note_change(desk, found.id, f"edited {', '.join(sorted(changes))}")
        await desk.answer(receipt)


async def post(output: Output, word: str, asked: Asked, *, posted_on: Any, is_acknowledged: bool) -> None:
    """Post a draft (F56 to F60)."""
    async with desk_of(output, asked) as desk:
        found = await desk.records.require(word)
        receipt = await desk.ledger.write(
            "post_draft",
            transaction_id=found.id,
            posted_on=posted_on,
            acknowledge_credit_limit=is_acknowledged,
        )
        if found.state == "draft":
            await _note_change(desk, found.id, "posted")
        await desk.answer(receipt, found.account_id)


async def reject(output: Output, word: str, reason: str, asked: Asked) -> None:
    """Reject a draft for one of the configured reasons (F55)."""
    async with desk_of(output, asked) as desk:
        found = await desk.records.require(word)
        await desk.ledger.run("reject_draft", transaction_id=found.id, reason_id=reason, actor=desk.asked.actor)
        await desk.answer(Receipt(found.id, found.reference_number, None, "rejected"))


async def note(output: Output, word: str, text: str, asked: Asked) -> None:
    """Add a shared note (F36)."""
    said = note_of(text)
    async with desk_of(output, asked) as desk:
        found = await desk.records.require(word)
        await _note_change(desk, found.id, said)
        notes = await desk.records.notes(found.id)
    rows = [(one.author, f"{one.noted_at:%Y-%m-%d %H:%M}Z", one.note) for one in notes]
    documents = [{"author": one.author, "note": one.note, "noted_at": one.noted_at} for one in notes]
    output.answer({"transaction_id": found.id, "notes": documents}, table("", "Author", "At", "Note", rows=rows))


async def reasons(output: Output) -> None:
    """List the reasons for rejecting drafts, and the suggested ones for issuing (F23, F33)."""
    async with database_of(read_settings()) as database:
        rows = await database.rows(
            "select id, name, purpose from duly.transaction_reasons where is_active order by purpose, id"
        )
    documents = [{"id": row.id, "name": row.name, "purpose": row.purpose} for row in rows]
    output.answer({"reasons": documents}, table("", "Reason", "Name", "For", rows=[tuple(row) for row in rows]))


async def _note_change(desk: Desk, transaction_id: str, text: str) -> None:
    await desk.ledger.run("add_note", transaction_id=transaction_id, author=desk.asked.actor, note=text)


def _said(given: Given, file: Path | None) -> dict[str, Any]:
    """Return what the options or the document say; both at once would leave open which of them counts."""
    said = {word: value for word, value in given.items() if value not in (None, "", [], ())}
    if "lines" in said:
        said["lines"] = [line_of(text) for text in said["lines"]]
    if file is None:
        return said
    if said:
        raise RefusedError([Problem(word, "one_source", "is given beside a document") for word in sorted(said)])
    return read_file(file)
