"""Showing transactions: one with all that belongs to it, or page by page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from sqlalchemy import Row

from activities.ledger.transaction_queries import TransactionFilter, TransactionQueries
from commands.formatting import amount, document, moment, money
from commands.output import Output, table
from commands.session import read_settings, reading_database_of
from models.operations.ledger_states import TRANSACTION

PAGE = 500


async def show(output: Output, identifier: str) -> None:
    """Show a transaction with its lines, allocations, double entry, corrections and notes."""
    async with reading_database_of(read_settings()) as database:
        records = TransactionQueries(database)
        found = await records.look_up(identifier)
        lines = await records.lines(found.id)
        allocations = await records.allocations(found.id)
        transfers = await records.transfers(found.id)
        counterparts = await records.counterparts(found.id)
        notes = await records.notes(found.id)
    totals = {name: sum(getattr(line, name) for line in lines) for name in ("discount_minor", "net_minor", "tax_minor")}
    output.answer(
        {
            **document_of(found),
            **(totals if lines else {}),
            "lines": [document(row) for row in lines],
            "allocations": [document(row) for row in allocations],
            "transfers": [document(row) for row in transfers],
            "counterparts": [document(row) for row in counterparts],
            "notes": [document(row) for row in notes],
        },
        table("", "Transaction", found.id, rows=_facts(found, totals if lines else {}, counterparts)),
        *_tables(found.currency, lines, allocations, transfers, notes),
    )


async def list_pages(output: Output, wanted: TransactionFilter, *, after: str, limit: int, is_all: bool) -> None:
    """List transactions, newest first: one page, or all of them as they are read."""
    async with reading_database_of(read_settings()) as database:
        records = TransactionQueries(database)
        before = await records.behind(after)
        following = None
        with output.stream("transactions") as stream:
            async for rows in records.pages(wanted, before=before, size=PAGE if is_all else limit):
                stream.rows(map(document_of, rows), page_of(rows))
                if not is_all:
                    following = rows[-1].id if len(rows) == limit else None
                    break
            stream.finish({"next": following})
    if following:
        output.note(f"More: --after {following}")


def state_of(row: Row[Any]) -> str:
    """Return the word of a transaction's state: `settled` is a posted one of which nothing is left to settle."""
    return TRANSACTION.word(row.state, "settled" if row.is_settled else "")


def document_of(row: Row[Any]) -> Mapping[str, Any]:
    """Return a transaction as a program reads it."""
    return {**document(row), "state": state_of(row)}


def page_of(rows: Iterable[Row[Any]]) -> Table:
    """Return a table of transactions that fits 100 columns; a draft is named by its reference number."""
    shown = [
        (
            row.number or row.reference_number,
            row.account_id,
            state_of(row),
            row.posted_on or row.issued_on,
            row.due_on,
            money(row.total_minor, row.currency),
            "" if row.unsettled_minor is None else amount(row.unsettled_minor, row.currency),
        )
        for row in rows
    ]
    columns = ("Number", "Account", "State", "Posted", "Due", "Total", "Unsettled")
    return table("", *columns, rows=shown, right=("Total", "Unsettled"))


def _facts(found: Row[Any], totals: dict[str, int], counterparts: Iterable[Row[Any]]) -> list[tuple[str, object]]:
    totalled = {name: money(value, found.currency) for name, value in totals.items()}
    facts = [
        ("Number", found.number),
        ("Reference number", found.reference_number),
        ("Classification", f"{found.classification} ({found.side}), type {found.type_id}"),
        ("Category", found.category),
        ("State", state_of(found)),
        ("Account", found.account_id),
        ("Issued on, posted on, due on", ", ".join(str(day or "-") for day in _days(found))),
        ("Issued", moment(found.issued_at) if found.issued_at else ""),
        ("Posted", f"{moment(found.posted_at)} by {found.posted_by}" if found.posted_at else "no"),
        ("Made by", found.actor),
        ("Discount, net, tax", ", ".join(totalled.values())),
        ("Total", money(found.total_minor, found.currency)),
        ("Unsettled", "" if found.unsettled_minor is None else money(found.unsettled_minor, found.currency)),
        ("Outstanding", money(found.outstanding_minor, found.currency) if found.outstanding_minor else ""),
        ("Method", found.method),
        ("Gateway", f"{found.provider} {found.gateway_reference or ''}".strip() if found.provider else ""),
        ("Payment reference", found.payment_reference),
        ("Back office code", found.back_office_code),
        ("Addressed invoices", ", ".join(found.addressed_invoice_ids)),
        ("Meant for", found.intended_account_id),
        ("Issue reason", found.issue_reason),
        ("Rejected", f"{found.rejection_reason} by {found.rejected_by}" if found.rejected_at else ""),
        ("Made of", found.counterpart_id),
        *((f"Its {one.classification}", f"{one.number} on {one.account_id}") for one in counterparts),
    ]
    return [(name, value) for name, value in facts if value]


def _days(found: Row[Any]) -> tuple[object, ...]:
    return found.issued_on, found.posted_on, found.due_on


def _tables(
    currency: str,
    lines: Sequence[Row[Any]],
    allocations: Sequence[Row[Any]],
    transfers: Sequence[Row[Any]],
    notes: Sequence[Row[Any]],
) -> list[Table]:
    made = []
    if lines:
        columns = ("No.", "Product", "Quantity", "Price", "Discount", "Net", "Tax", "Total")
        made.append(table("Lines", *columns, rows=[_line(one, currency) for one in lines], right=columns[2:]))
    if periods := [(one.position, one.period_from, one.period_to) for one in lines if one.period_from]:
        made.append(table("Periods of lines", "Line", "From", "To", rows=periods))
    if allocations:
        rows = [(one.number, one.classification, money(one.amount_minor, currency)) for one in allocations]
        made.append(table("Allocated", "Number", "Classification", "Amount", rows=rows, right=("Amount",)))
    if taxes := [(line.position, tax) for line in lines for tax in (line.applied_taxes or {}).get("taxes", ())]:
        levied = [_applied_tax(position, tax, currency) for position, tax in taxes]
        heads = ("Line", "Authority", "Tax", "Percent", "On", "Amount")
        made.append(table("Taxes by a service", *heads, rows=levied, right=("On", "Amount")))
    if transfers:
        rows = [(one.debit_account, one.credit_account, money(one.amount_minor, currency)) for one in transfers]
        made.append(table("Double entry", "Debit", "Credit", "Amount", rows=rows, right=("Amount",)))
    if notes:
        rows = [(one.author, moment(one.noted_at), one.note) for one in notes]
        made.append(table("Notes", "Author", "At", "Note", rows=rows))
    return made


def _applied_tax(position: int, tax: Mapping[str, Any], currency: str) -> tuple[object, ...]:
    on = money(tax["taxable_minor"], currency) if "taxable_minor" in tax else ""
    return position, tax["authority"], tax["name"], tax.get("percent", ""), on, money(tax["tax_minor"], currency)


def _line(one: Row[Any], currency: str) -> tuple[object, ...]:
    percent = f"{one.tax_percent.normalize():f} %" if one.tax_percent else "service" if one.applied_taxes else "none"
    return (
        one.position,
        one.product_id,
        f"{one.quantity.normalize():f}",
        money(one.unit_price_minor, currency),
        money(one.discount_minor, currency),
        money(one.net_minor, currency),
        f"{percent}: {money(one.tax_minor, currency)}" if one.tax_minor else percent,
        money(one.total_minor, currency),
    )
