"""Pages of a document as PDF/A-3b, tagged for screen readers, by Typst: the same bytes whenever it is typeset again."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import typst

from activities.printouts.page import DocumentPage

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "templates" / "document.typ"
# Fonts of our own: what a server has installed would make other pages on other servers.
_FONTS = _HERE / "fonts"


def pdf_of(page: DocumentPage, on: date, *, seller: str, attached: str = "") -> bytes:
    """Typeset a page, dated a day; `attached` is the electronic invoice in it. Raises TypstError: no such logo."""
    content = {**asdict(page), "seller": seller, "attached": attached, "wide": _widest(page)}
    compiled = _compiler().compile(
        format="pdf",
        sys_inputs={"page": json.dumps(content)},
        pdf_standards=["a-3b", "ua-1"],
        timestamp=datetime(on.year, on.month, on.day, tzinfo=UTC),
    )
    if not isinstance(compiled, bytes):
        raise TypeError("a PDF is one file")
    return compiled


def _widest(page: DocumentPage) -> str:
    """Return the label of the column that takes what room is left: the second, as numbers are short."""
    return page.columns[min(1, len(page.columns) - 1)].label if page.columns else ""


@cache
def _compiler() -> typst.Compiler:
    """Return the one compiler of a process: it keeps what it has read."""
    return typst.Compiler(
        str(_TEMPLATE), root=str(_TEMPLATE.parent), font_paths=[str(_FONTS)], ignore_system_fonts=True
    )
