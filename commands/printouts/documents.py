"""Printing documents to files, and showing what was printed."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from activities.printouts import workshop
from activities.printouts.bills.printing import BillPrinting
from activities.printouts.links import DocumentLinks
from activities.printouts.own.ours import our_template
from activities.printouts.printing import PrintedFile, Printing
from activities.printouts.queries import DocumentQueries
from activities.printouts.workshop import PrintJob, not_shown_in
from activities.reports.glyphs import CJK_PACKAGE, EMOJI_PACKAGE
from commands.formatting import document, moment, money
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of
from models.printouts.electronic import problems_of_electronic
from models.printouts.facts import DocumentFacts, PrintFormat
from models.problem import refusal


async def print_one(
    output: Output, transaction: str, format: PrintFormat, target: Path | None, *, language: str
) -> None:
    """Print the document of a transaction to a new file."""
    _require_new(target)
    with _closing_workshop():
        async with database_of(read_settings()) as database:
            printed = await Printing(database).document(transaction, format, language=language)
            queries = DocumentQueries(database)
            facts = await queries.facts((await queries.require(transaction)).id)
    _note_what_is_not_shown(output, facts, format)
    _answer(output, printed, target)


async def print_statement_of(
    output: Output,
    account: str,
    since: date | None,
    until: date | None,
    format: PrintFormat,
    target: Path | None,
    *,
    language: str,
) -> None:
    """Print an account's statement to a new file."""
    _require_new(target)
    last = until or datetime.now(UTC).date()
    async with reading_database_of(read_settings()) as database:
        printed = await Printing(database).statement(account, since, last, format, language=language)
    _answer(output, printed, target)


async def print_bill(output: Output, bill: str, format: PrintFormat, target: Path | None, *, language: str) -> None:
    """Print a bill to a new file."""
    _require_new(target)
    async with reading_database_of(read_settings()) as database:
        printed = await BillPrinting(database).bill(bill, format, language=language)
    _answer(output, printed, target)


async def link_one(output: Output, transaction: str, format: PrintFormat, days: int, *, language: str) -> None:
    """Print a document and make a link to it."""
    settings = read_settings()
    with _closing_workshop():
        async with database_of(settings) as database:
            printed = await Printing(database).document(transaction, format, language=language)
            if not printed.id:
                raise refusal("transaction", "document_posted", "a draft is given to nobody: post it first")
            link = await DocumentLinks(database).made(printed.id, days=days)
    url = f"{settings.public_url}{link.path}"
    output.answer(
        {"url": url, "expires_at": link.expires_at, "format": printed.format, "language": printed.language},
        table("", "Link", url, rows=[("Until", moment(link.expires_at)), ("Language", printed.language)]),
    )


async def show(output: Output, transaction: str) -> None:
    """Show a document's facts and files."""
    async with reading_database_of(read_settings()) as database:
        queries = DocumentQueries(database)
        found = await queries.require(transaction)
        facts = await queries.facts(found.id)
        files = await queries.files(found.id)
    problems = list(problems_of_electronic(facts))
    seller = {name: value for name, value in asdict(facts.seller).items() if name != "logo"}
    answer: dict[str, Any] = {
        **{name: value for name, value in asdict(facts).items() if name != "seller"},
        "kind": facts.kind,
        "seller": seller,
        "vat": [{**asdict(vat), "tax_by_rate_minor": vat.tax_by_rate_minor} for vat in facts.vat()],
        "due_minor": facts.due_minor,
        "files": [document(row) for row in files],
        "electronic_invoice": not problems,
        "problems": [problem.as_document() for problem in problems],
    }
    rows = [
        ("Kind", facts.kind),
        ("State", facts.state),
        ("Seller", facts.seller.name),
        ("Buyer", facts.buyer.name),
        ("Total", money(facts.total_minor, facts.currency)),
        *((f"VAT {vat.percent.normalize():f} %", money(vat.tax_minor, facts.currency)) for vat in facts.vat()),
        ("To be paid", money(facts.due_minor, facts.currency)),
        ("E-invoice", "\n".join(str(problem) for problem in problems) or "can be written"),
    ]
    printed = [(row.format, row.language, row.bytes, moment(row.printed_at), row.sha256[:16]) for row in files]
    output.answer(
        answer,
        table("", "Document", facts.number or facts.reference_number, rows=rows),
        table("Printed", "Format", "Language", "Bytes", "At", "SHA-256", rows=printed, right=("Bytes",)),
    )


@contextmanager
def _closing_workshop() -> Iterator[None]:
    """Leave no process behind: a command ends at once, and nobody would clean up after it."""
    try:
        yield
    finally:
        workshop.close()


def _require_new(target: Path | None) -> None:
    if target is not None and target.exists():
        raise refusal("output", "new_file", f"{target} is there already")


def _note_what_is_not_shown(output: Output, facts: DocumentFacts, format: PrintFormat) -> None:
    """Say what a PDF shows as `?`, before anybody sends it."""
    if format in {PrintFormat.PDF, PrintFormat.FACTUR_X} and (scripts := not_shown_in(PrintJob(facts, format))):
        missing = ", ".join(scripts)
        fonts = f"{CJK_PACKAGE} has Chinese, Japanese, Korean, {EMOJI_PACKAGE} emoji"
        output.note(f"Characters without a font are shown as ?: {missing}; {fonts}")


def _answer(output: Output, printed: PrintedFile, target: Path | None) -> None:
    path = target or Path(printed.name)
    try:
        # A customer's document is its owner's to read, and no file is written over.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(printed.content)
    except FileExistsError as error:
        raise refusal("output", "new_file", f"{path} is there already") from error
    except OSError as error:
        raise refusal("output", "file_writable", f"{path}: {error.strerror}") from error
    answer = {"file": str(path), "format": printed.format, "language": printed.language, "sha256": printed.sha256}
    rows = [("Language", printed.language), ("SHA-256", printed.sha256)]
    output.answer({**answer, "bytes": len(printed.content)}, table("", "File", str(path), rows=rows))


async def show_our_template(output: Output, kind: str) -> None:
    """Print our own template of a format as it stands, to be kept in a file."""
    template = our_template(kind)
    if output.as_json:
        output.answer({"format": kind, "template": template})
    else:
        sys.stdout.write(template)
