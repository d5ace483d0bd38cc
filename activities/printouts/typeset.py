"""Pages of a document as PDF/A-3b, tagged for screen readers, by Typst: the same bytes whenever it is typeset again."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from activities.printouts.page import DocumentPage
from activities.reports.glyphs import cjk_family, font_folders, shown

if TYPE_CHECKING:
    import typst

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "templates" / "document.typ"
# Behind every template, so that no electronic invoice is without itself.
_ATTACHING = """#{
  let given = json(bytes(sys.inputs.page)).attached
  if given != "" {
    let how = (relationship: "alternative", mime-type: "text/xml", description: "Factur-X")
    pdf.attach("factur-x.xml", bytes(given), ..how)
  }
}
"""


def pdf_of(page: DocumentPage, on: date, *, seller: str, attached: str = "", template: str = "") -> bytes:
    """Typeset a page, dated a day, by a template or by ours; `attached` is the electronic invoice in it.

    Raises TypstError: no such logo, or a template that makes no PDF/A that a screen reader reads.
    """
    content = {**_shown({**asdict(page), "seller": seller, "wide": _widest(page)}), "attached": attached}
    content |= {"logo": page.logo, "qr": page.qr, "cjk": cjk_family([seller, *texts_of(page)])}
    compiled = _compiler().compile(
        f"{template or _ours()}\n{_ATTACHING}".encode(),
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


def _shown(content: Any) -> Any:
    """Return a page whose every character has a glyph."""
    if isinstance(content, dict):
        return {name: _shown(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_shown(value) for value in content]
    return shown(content) if isinstance(content, str) else content


def texts_of(page: DocumentPage) -> Iterator[str]:
    """Yield every text that stands on a page."""
    return _texts({name: value for name, value in asdict(page).items() if name not in {"logo", "qr"}})


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, (dict, list, tuple)):
        for value in content.values() if isinstance(content, dict) else content:
            yield from _texts(value)


@cache
def _compiler() -> "typst.Compiler":
    """Return the one compiler of a process: it keeps what it has read."""
    # Not with the module: every worker would hold it, and most write no page (decision 0250).
    import typst  # noqa: PLC0415

    return typst.Compiler(root=str(_TEMPLATE.parent), font_paths=font_folders(), ignore_system_fonts=True)


@cache
def _ours() -> str:
    return _TEMPLATE.read_text(encoding="utf-8")
