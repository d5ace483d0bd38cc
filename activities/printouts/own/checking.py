"""Whether a seller's own template may write documents: tried on every kind, in every language, before it is kept.

Whatever stands on ours stands on theirs: an invoice without its tax, its number or why no tax is charged is none.
"""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from lxml import etree, html
from pypdf import PdfReader

from activities.printouts.catalogue import PRINTED_LANGUAGES
from activities.printouts.own.samples import SAMPLES
from activities.printouts.page import DocumentPage
from activities.printouts.workshop import OwnTemplateError, PrintJob, page_of_job, write
from models.printouts.facts import PrintFormat

# Of Typst: what brings in another file, a program, or the electronic invoice, which stands behind every template. What
# is read is held to our own templates by the compiler.
_BRINGS_IN = re.compile(r"(?:^|[#{;(,])\s*(import|include)\b|\b(eval|plugin|pdf\.attach)\s*\(", re.MULTILINE)
_UNESCAPED = re.compile(r"\{%[-+]?\s*autoescape\b")
_RUNS = frozenset(
    {"script", "iframe", "object", "embed", "applet", "link", "base", "form", "frame", "frameset", "portal"}
)
_FETCHES = frozenset({"src", "srcset", "href", "poster", "data", "background", "action", "formaction", "xlink:href"})
_OF_ITSELF = re.compile(r"#|data:image/|mailto:|tel:", re.IGNORECASE)
_STYLE = re.compile(r"""url\(\s*["']?(?!#|data:)|@import|image-set|expression\(|\\""", re.IGNORECASE)
_RTF_ESCAPE = re.compile(r"\\u(-?\d+)\?|\\'([0-9a-f]{2})|\\([\\{}])|\\\*?[a-z]+-?\d*\s?|[{}]")
_TEXTS_MOST = 3


def problems_of_templates(templates: Mapping[Any, str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with templates, by their format; at most one problem of each."""
    for name, text in templates.items():
        if problem := _problem(PrintFormat(name), text):
            yield name, problem


def _problem(format: PrintFormat, template: str) -> str:
    if format is PrintFormat.PDF and (found := _BRINGS_IN.search(template)):
        return f"has {found[1] or found[2]} in it: a template is one file, and brings nothing in"
    if format is not PrintFormat.PDF and _UNESCAPED.search(template):
        return "has autoescape in it: what people write is a text, and never part of a page"
    for language in PRINTED_LANGUAGES:
        for sample, facts in SAMPLES.items():
            job = PrintJob(facts, format, language, template)
            try:
                content = write(job)
            except OwnTemplateError as error:
                return f"{sample} in {language!r}: {error}"
            if problem := _unsafe(content) if format is PrintFormat.HTML else "":
                return f"{sample} in {language!r}: {problem}"
            shown = _squeezed(_READERS[format](content))
            missing = [text for text in _required(page_of_job(job), facts.seller.name) if _squeezed(text) not in shown]
            if missing:
                named = ", ".join(map(repr, missing[:_TEXTS_MOST]))
                return f"{sample} in {language!r} leaves out {named}"
    return ""


def _required(page: DocumentPage, seller: str) -> Iterator[str]:
    """Yield every text that has to stand on a document: all but labels, and what is there for the eye."""
    yield from (seller, page.subject, page.mark, *page.recipient, *page.notes)
    yield from (value for _, value in page.facts)
    yield from (line for row in page.rows for cell in row for line in cell.splitlines())
    yield from (part for total in page.totals for part in (total.label, total.value))
    yield from (line for block in page.footer for line in block)


def _squeezed(text: str) -> str:
    """Return a text without what lines and pages are made of."""
    return "".join(text.replace("\N{SOFT HYPHEN}", "").replace("\N{ZERO WIDTH SPACE}", "").split())


def _text_of_pdf(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)


def _text_of_html(content: bytes) -> str:
    body = html.document_fromstring(content.decode())
    etree.strip_elements(body, "style", "head", "title", with_tail=False)
    return "".join(map(str, body.itertext()))


def _text_of_rtf(content: bytes) -> str:
    def plain(found: re.Match[str]) -> str:
        if found[1]:
            return (int(found[1]) % 65536).to_bytes(2, "little").decode("utf-16-le", "replace")
        return chr(int(found[2], 16)) if found[2] else found[3] or ""

    return _RTF_ESCAPE.sub(plain, content.decode("ascii"))


_READERS = {PrintFormat.PDF: _text_of_pdf, PrintFormat.HTML: _text_of_html, PrintFormat.RTF: _text_of_rtf}


def _unsafe(content: bytes) -> str:
    """Return what a page runs or fetches; nothing where it is all in itself."""
    for element in html.document_fromstring(content.decode()).iter():
        tag = str(element.tag).lower()
        if tag in _RUNS or (tag == "meta" and "http-equiv" in element.attrib):
            return f"has {tag} in it: a document runs nothing, and fetches nothing"
        if tag == "style" and _STYLE.search(element.text or ""):
            return "has a style in it that fetches something"
        for name, value in ((str(one).lower(), str(held)) for one, held in element.attrib.items()):
            is_elsewhere = name in _FETCHES and not _OF_ITSELF.match(value.strip())
            if name.startswith("on") or is_elsewhere or (name == "style" and _STYLE.search(value)):
                return f"has {name} in it: a document runs nothing, and fetches nothing"
    return ""
