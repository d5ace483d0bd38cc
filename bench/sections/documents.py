"""What customers are given, in files: pages and e-invoices a minute."""

from bench.figures.documents import CHECKED, TARGET_PER_MINUTE, DocumentSpeed
from bench.page import on, section, table, verdict


def documents(found: DocumentSpeed) -> str:
    """How many documents a minute are written."""
    given = next(kind for kind in found.kinds if kind.kind == CHECKED)
    return section(
        "Documents",
        f"Invoices of {found.lines} lines with two rates of VAT, written by {found.processes} processes at once."
        " Factur-X is the PDF with the e-invoice in it, checked by its XSD; the last line is that and the rules of"
        " EN 16931, which every e-invoice is checked by before anybody has it.",
        table(
            ("Written as", "A minute", "Bytes each"),
            [(kind.kind, f"{kind.per_minute:,.0f}", f"{kind.bytes:,}") for kind in found.kinds],
        ),
        verdict(
            f"{TARGET_PER_MINUTE:,} checked e-invoices a minute",
            f"{given.per_minute:,.0f}",
            met=given.per_minute >= TARGET_PER_MINUTE,
        ),
        on(found.machine),
    )
