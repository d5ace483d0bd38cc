"""Pages of a document as PDF/A-3b, tagged for screen readers, by Typst: the same bytes whenever it is typeset again."""

import json
import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from activities.printouts.page import DocumentPage

if TYPE_CHECKING:
    import typst

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "templates" / "document.typ"
# Fonts of our own: what a server has installed would make other pages on other servers.
_FONTS = _HERE / "fonts"
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
    content |= {"logo": page.logo, "qr": page.qr}
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
    """Return a page whose every character has a glyph: PDF/A takes no other, and one emoji would be no invoice."""
    if isinstance(content, dict):
        return {name: _shown(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_shown(value) for value in content]
    return "".join(map(_with_glyph, content)) if isinstance(content, str) else content


@cache
def _with_glyph(character: str) -> str:
    if character in "\n\t" or ord(character) in _glyphs():
        return character
    # What is not seen is left out: joiners, variation selectors, control characters.
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Mn"} else "?"


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(code for file in _FONTS.glob("*.ttf") for code in _characters_of(file.read_bytes()))


def _characters_of(font: bytes) -> Iterator[int]:
    """Yield the characters of a TrueType font, from the formats 4 and 12 of its `cmap` (OpenType 1.9)."""
    tables = (struct.unpack_from(">4sIII", font, 12 + 16 * at) for at in range(struct.unpack_from(">H", font, 4)[0]))
    start = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
    for at in range(struct.unpack_from(">H", font, start + 2)[0]):
        place = start + struct.unpack_from(">I", font, start + 4 + 8 * at + 4)[0]
        (format_,) = struct.unpack_from(">H", font, place)
        if format_ == 12:
            for group in range(struct.unpack_from(">I", font, place + 12)[0]):
                first, last, _ = struct.unpack_from(">III", font, place + 16 + 12 * group)
                yield from range(first, last + 1)
        elif format_ == 4:
            (size,) = struct.unpack_from(">H", font, place + 6)
            ends = struct.unpack_from(f">{size // 2}H", font, place + 14)
            firsts = struct.unpack_from(f">{size // 2}H", font, place + 16 + size)
            # The last stretch ends the table and has no character.
            for first, last in list(zip(firsts, ends, strict=True))[:-1]:
                yield from range(first, last + 1)


@cache
def _compiler() -> "typst.Compiler":
    """Return the one compiler of a process: it keeps what it has read."""
    # Not with the module: every worker would hold it, and most write no page (decision 0250).
    import typst  # noqa: PLC0415

    return typst.Compiler(root=str(_TEMPLATE.parent), font_paths=[str(_FONTS)], ignore_system_fonts=True)


@cache
def _ours() -> str:
    return _TEMPLATE.read_text(encoding="utf-8")
