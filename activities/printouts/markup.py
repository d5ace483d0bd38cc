"""A document as HTML and as RTF, from templates whose every value is escaped."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from activities.printouts.page import DocumentPage, TableColumn

_TEMPLATES = Path(__file__).parent / "templates"
# In twentieths of a point, between the margins of the template.
_RTF_WIDTH = 9350
_RTF_NUMBER_WIDTH = 1200
_RTF_CELL = {True: "\\pard\\intbl\\qr ", False: "\\pard\\intbl\\ql "}
_RTF_SPECIAL = {"\\": "\\\\", "{": "\\{", "}": "\\}", "\n": "\\line ", "\t": "\\tab "}


def html_of(page: DocumentPage, *, seller: str, template: str = "") -> bytes:
    """Write a page as one HTML file, by a template or by ours, with nothing to fetch and nothing that runs.

    Raises jinja2.TemplateError for a template that does not fit.
    """
    found = _own("html").from_string(template) if template else _environment().get_template("document.html")
    return found.render(page=page, seller=seller).encode()


def rtf_of(page: DocumentPage, *, seller: str, template: str = "") -> bytes:
    """Write a page as RTF, by a template or by ours, in ASCII: other characters stand as their numbers.

    Raises jinja2.TemplateError, and UnicodeEncodeError for a template that is not ASCII.
    """
    found = _own("rtf").from_string(template) if template else _environment().get_template("document.rtf")
    return found.render(page=page, seller=seller).encode("ascii")


class RtfText(str):
    """What is RTF already, and no text to be escaped."""

    __slots__ = ()


def rtf_text(text: str) -> str:
    """Escape a text for RTF: no character of it is read as a command; what lies above U+FFFF takes two numbers."""
    return RtfText("".join(_RTF_SPECIAL.get(one) or (one if " " <= one <= "~" else _numbers(one)) for one in text))


def _numbers(character: str) -> str:
    units = character.encode("utf-16-le")
    found = (int.from_bytes(units[at : at + 2], "little", signed=True) for at in range(0, len(units), 2))
    return "".join(f"\\u{number}?" for number in found)


def _rtf_page(text: str) -> str:
    field = r"{\field{\*\fldinst %s}{\fldrslt 1}}"
    before, _, rest = text.partition("{page}")
    between, _, after = rest.partition("{pages}")
    parts = (rtf_text(before), field % "PAGE", rtf_text(between), field % "NUMPAGES", rtf_text(after))
    return RtfText("".join(parts))


def _rtf_color(color: str) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return RtfText(f"\\red{red}\\green{green}\\blue{blue};")


def _rtf_row(cells: Sequence[str], columns: Sequence[TableColumn], is_head: bool) -> str:
    ends, end = [], 0
    numbers = sum(column.is_number for column in columns)
    words = len(columns) - numbers
    for column in columns:
        end += _RTF_NUMBER_WIDTH if column.is_number else (_RTF_WIDTH - numbers * _RTF_NUMBER_WIDTH) // max(1, words)
        ends.append(f"\\clbrdrb\\brdrs\\brdrw10\\cellx{end}")
    weight = ("\\b ", "\\b0 ") if is_head else ("", "")
    written = (
        "".join((_RTF_CELL[column.is_number], weight[0], rtf_text(cell), weight[1], "\\cell"))
        for cell, column in zip(cells, columns, strict=True)
    )
    return RtfText("".join(("\\trowd", "\\trhdr" if is_head else "", "\\trgaph70", *ends, "\n", *written, "\\row")))


def _data_uri(svg: str) -> str:
    """Return a picture as an address that holds it: in an `img` an SVG runs nothing and fetches nothing."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= _FILTERS
    return environment


@cache
def _own(kind: str) -> Environment:
    """Return where a seller's template runs: it sees a page and nothing of Python, and every value of it is escaped."""
    environment = ImmutableSandboxedEnvironment(
        autoescape=kind == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        finalize=None if kind == "html" else _as_rtf,
    )
    environment.filters |= _FILTERS
    # Nobody's text becomes part of a page.
    del environment.filters["safe"]
    return environment


def _as_rtf(value: object) -> str:
    return value if isinstance(value, RtfText) else rtf_text(str(value))


_FILTERS: Mapping[str, Callable[..., str]] = {
    "data_uri": _data_uri,
    "rtf": rtf_text,
    "rtf_color": _rtf_color,
    "rtf_page": _rtf_page,
    "rtf_row": _rtf_row,
}
