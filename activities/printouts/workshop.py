"""Writing files of documents: pages where they are asked for, electronic invoices in processes of their own.

Saxon aborts where a process was forked or has threads (akretion/factur-x #77), so what is validated is spawned. These
processes end with the one that spawned them.
"""

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import get_context, parent_process

import structlog
from jinja2 import TemplateError

from activities.printouts.bills.page import bill_page_of
from activities.printouts.catalogue import catalogue_of
from activities.printouts.markup import html_of, rtf_of
from activities.printouts.page import DocumentPage, page_of, statement_page_of
from activities.printouts.sheets import csv_of, sheet_of, xlsx_of
from activities.printouts.typeset import pdf_of, texts_of
from activities.reports.glyphs import scripts_without_glyph
from models.printouts.bill import BillFacts
from models.printouts.electronic import problems_of_electronic
from models.printouts.facts import ELECTRONIC, DocumentFacts, PrintFormat, StatementFacts
from models.problem import Problem, RefusedError

TEMPLATE_VERSION = "3"
"""Which templates write: it is raised with every change of them that is seen, and kept with each file."""


@dataclass(frozen=True)
class PrintJob:
    """A file to write: of which facts, as what, in which language (empty: the account's), and by which template.

    Without a template it is ours. Of an electronic invoice with pages it is that of the pages.
    """

    facts: DocumentFacts | StatementFacts | BillFacts
    format: PrintFormat
    language: str = ""
    template: str = field(default="", repr=False)


class OwnTemplateError(Exception):
    """A seller's own template that writes no document; what it says is for its author."""


def _errors_of_templates() -> tuple[type[Exception], ...]:
    from typst import TypstError  # noqa: PLC0415

    return TypstError, TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError


_PAGES = frozenset({PrintFormat.PDF, PrintFormat.FACTUR_X})
log = structlog.get_logger()

# As many electronic invoices are written at once as there are cores, up to a gigabyte of processes.
AT_ONCE = min(os.cpu_count() or 1, 4)

# One compiler of pages a process: it is no two threads' at once.
_typesetting = threading.Lock()
_spawned: list[ProcessPoolExecutor] = []


async def written(job: PrintJob) -> bytes:
    """Write a file. Raises RefusedError with every reason why it is no electronic invoice."""
    _say_what_is_not_shown(job)
    if job.format not in ELECTRONIC:
        return await asyncio.to_thread(write, job)
    _refuse_what_cannot_be(job)
    pool = _processes()
    try:
        return await _written_by(pool, job)
    except BrokenProcessPool:
        # It was ended from outside, or ended itself: another one tries once more, the same for all who waited for it.
        if pool in _spawned:
            _spawned.remove(pool)
        return await _written_by(_processes(), job)


def _say_what_is_not_shown(job: PrintJob) -> None:
    """Log what a PDF shows as `?`, before anybody has it."""
    if job.format in _PAGES and (scripts := not_shown_in(job)):
        log.warning("characters_without_glyph", document=_name(job), scripts=scripts)


def not_shown_in(job: PrintJob) -> list[str]:
    """Return the scripts of a document that its PDF shows as `?`; none where it shows all."""
    return scripts_without_glyph([job.facts.seller.name, *texts_of(page_of_job(job))])


def _name(job: PrintJob) -> str:
    return job.facts.number if isinstance(job.facts, (DocumentFacts, BillFacts)) else job.facts.buyer.account_id


def close() -> None:
    """End the processes of electronic invoices, if there are any: what they hold of the system is given back."""
    while _spawned:
        _spawned.pop().shutdown()


def _processes() -> ProcessPoolExecutor:
    # One is spawned where none is idle: who asks for one file after the other has one process, of 300 MB.
    if not _spawned:
        _spawned.append(ProcessPoolExecutor(AT_ONCE, get_context("spawn"), initializer=_end_with_parent))
    return _spawned[0]


async def _written_by(pool: ProcessPoolExecutor, job: PrintJob) -> bytes:
    content, broken = await asyncio.get_running_loop().run_in_executor(pool, write_validated, job)
    if broken:
        raise RefusedError(Problem("document", "electronic_invoice_valid", rule) for rule in broken)
    return content


def _end_with_parent() -> None:
    """Let nobody outlive the process that spawned it, however that ended."""

    def watch() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _refuse_what_cannot_be(job: PrintJob) -> None:
    if not isinstance(job.facts, DocumentFacts):
        raise RefusedError([Problem("format", "electronic_invoice", f"a {job.facts.kind} is no invoice")])
    if problems := list(problems_of_electronic(job.facts)):
        raise RefusedError(problems)


def write(job: PrintJob) -> bytes:
    """Write a file that is no electronic invoice. Raises OwnTemplateError."""
    with _naming_the_template(job):
        return _write(job)


@contextmanager
def _naming_the_template(job: PrintJob) -> Iterator[None]:
    try:
        yield
    except _errors_of_templates() as error:
        if not job.template:
            raise
        # In words: what a compiler raises is not passed from process to process.
        raise OwnTemplateError(f"{type(error).__name__}: {error}") from None


def _write(job: PrintJob) -> bytes:
    page, seller, on = page_of_job(job), job.facts.seller.name, _day(job)
    match job.format:
        case PrintFormat.HTML:
            return html_of(page, seller=seller, template=job.template)
        case PrintFormat.RTF:
            return rtf_of(page, seller=seller, template=job.template)
        case PrintFormat.CSV:
            return csv_of(sheet_of(job.facts))
        case PrintFormat.XLSX:
            return xlsx_of(page, sheet_of(job.facts), on, seller=seller)
        case _:
            with _typesetting:
                return pdf_of(page, on, seller=seller, template=job.template)


def write_validated(job: PrintJob) -> tuple[bytes, list[str]]:
    """Write an electronic invoice, and return with it which business rules it breaks. Only in a spawned process.

    Raises OwnTemplateError.
    """
    # Only where they may be loaded, and where they are used.
    from activities.printouts.electronic import electronic_invoice_of  # noqa: PLC0415
    from activities.printouts.hybrid import declared_as_factur_x  # noqa: PLC0415
    from activities.printouts.validation import broken_rules  # noqa: PLC0415

    facts = job.facts
    if not isinstance(facts, DocumentFacts):
        raise TypeError(f"a {facts.kind} is no invoice")
    words = catalogue_of(facts.locale, language=job.language)
    syntax = PrintFormat.UBL if job.format is PrintFormat.UBL else PrintFormat.CII
    xml = electronic_invoice_of(facts, syntax, words)
    broken = broken_rules(xml, syntax)
    if job.format is not PrintFormat.FACTUR_X or broken:
        return xml, broken
    with _naming_the_template(job):
        page = page_of(facts, words)
        pdf = pdf_of(page, facts.dated, seller=facts.seller.name, attached=xml.decode(), template=job.template)
    return declared_as_factur_x(pdf), []


def page_of_job(job: PrintJob) -> DocumentPage:
    """Return what is read on a document."""
    words = catalogue_of(job.facts.locale, language=job.language)
    if isinstance(job.facts, StatementFacts):
        return statement_page_of(job.facts, words)
    if isinstance(job.facts, BillFacts):
        return bill_page_of(job.facts, words)
    return page_of(job.facts, words)


def _day(job: PrintJob) -> date:
    match job.facts:
        case StatementFacts():
            return job.facts.until
        case BillFacts():
            return job.facts.as_of
        case _:
            return job.facts.dated
