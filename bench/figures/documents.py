"""How many documents a minute are written: pages, e-invoices, and e-invoices checked by the rules of EN 16931."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from multiprocessing import get_context

import psutil

from activities.printouts.catalogue import catalogue_of
from activities.printouts.electronic import electronic_invoice_of
from activities.printouts.hybrid import declared_as_factur_x
from activities.printouts.page import page_of
from activities.printouts.typeset import pdf_of
from activities.printouts.workshop import PrintJob, write, write_validated
from bench.machine import Machine, this_machine
from models.ledger.transaction import Classification, LifeCycleState
from models.money import vat_of
from models.printouts.facts import Buyer, DocumentFacts, DocumentLine, PrintFormat, Seller, VatCategory

TARGET_PER_MINUTE = 2_000
LINES = 20
# As customers are given it: the page, the e-invoice in it, its XSD and the rules of EN 16931.
CHECKED = "Factur-X, checked"
WARM_UP = 2
_DAY = date(2026, 11, 29)


@dataclass(frozen=True)
class Written:
    """Documents of one kind, how long all of them took, and how large each is."""

    kind: str
    documents: int
    seconds: float
    bytes: int

    @property
    def per_minute(self) -> float:
        """How many were written a minute."""
        return 60 * self.documents / self.seconds


@dataclass(frozen=True)
class DocumentSpeed:
    """Each kind, written by so many processes at once."""

    machine: Machine
    processes: int
    lines: int
    kinds: tuple[Written, ...]


async def measure_documents(*, documents: int) -> DocumentSpeed:
    """Write so many invoices of each kind, one process a core."""
    processes = psutil.cpu_count() or 1
    kinds: Sequence[tuple[str, Callable[[int], int]]] = (
        ("PDF", plain_pages),
        ("Factur-X", unchecked_invoice),
        (CHECKED, checked_invoice),
    )
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        written = [await asyncio.to_thread(_measure, pool, kind, work, documents) for kind, work in kinds]
    return DocumentSpeed(await this_machine(), processes, LINES, tuple(written))


def _measure(pool: ProcessPoolExecutor, kind: str, work: Callable[[int], int], documents: int) -> Written:
    # Templates are read and rules compiled once a process.
    _ = list(pool.map(work, range(WARM_UP * (psutil.cpu_count() or 1))))
    started = time.perf_counter()
    sizes = list(pool.map(work, range(documents), chunksize=4))
    return Written(kind, documents, round(time.perf_counter() - started, 3), sum(sizes) // documents)


def plain_pages(number: int) -> int:
    """Write an invoice as PDF; return its size."""
    return len(write(PrintJob(invoice(number), PrintFormat.PDF)))


def unchecked_invoice(number: int) -> int:
    """Write an invoice as Factur-X, checked by its XSD alone; return its size."""
    facts = invoice(number)
    words = catalogue_of(facts.locale)
    xml = electronic_invoice_of(facts, PrintFormat.CII, words)
    pdf = pdf_of(page_of(facts, words), facts.dated, seller=facts.seller.name, attached=xml.decode())
    return len(declared_as_factur_x(pdf))


def checked_invoice(number: int) -> int:
    """Write an invoice as Factur-X, checked by the rules; return its size."""
    content, broken = write_validated(PrintJob(invoice(number), PrintFormat.FACTUR_X))
    assert broken == []
    return len(content)


def invoice(number: int) -> DocumentFacts:
    """Return the facts of an invoice with two rates of VAT, another one for each number."""
    lines = tuple(_line(position, 1_000 + 37 * (number % 100) + position) for position in range(1, LINES + 1))
    seller = Seller("house", "Fibernetz GmbH", "Hauptstraße 1", "10115", "Berlin", "DE", "DE123456789")
    buyer = Buyer(f"acc_{number}", "Müller & Söhne KG", "", "Lange Gasse 5", "", "1010", "Wien", "AT")
    return DocumentFacts(
        transaction_id=f"ft_{number}",
        classification=Classification.INVOICE,
        state=LifeCycleState.POSTED,
        number=f"INV-{number:010}",
        reference_number=f"R{number}",
        issued_on=_DAY,
        posted_on=_DAY,
        due_on=_DAY,
        currency="EUR",
        total_minor=sum(line.total_minor for line in lines),
        locale="de_DE",
        reason="",
        method="",
        payment_reference="",
        seller=seller,
        buyer=buyer,
        lines=lines,
        related=(),
    )


def _line(position: int, net_minor: int) -> DocumentLine:
    percent = Decimal(19 if position % 4 else 7)
    tax_minor = vat_of(net_minor, percent)
    return DocumentLine(
        position=position,
        product_id="fibre",
        name=f"Fibre 500, line {position}",
        quantity=Decimal(1),
        unit_price_minor=net_minor,
        discount_percent=None,
        discount_minor=0,
        net_minor=net_minor,
        tax_percent=percent,
        tax_minor=tax_minor,
        total_minor=net_minor + tax_minor,
        period_from=date(2026, 11, 1),
        period_to=date(2026, 11, 30),
        tax_category=VatCategory.STANDARD,
    )
