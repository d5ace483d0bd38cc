"""Messages of ISO 20022, any version and envelope: which one a file holds, and what stands in its elements (0120).

Elements are found by their local names. What is read streams, so that memory stays flat at any size.
"""

from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

import sepaxml
from lxml import etree

from models.problem import Problem, RefusedError

STATEMENT, REPORT, NOTIFICATION = "BkToCstmrStmt", "BkToCstmrAcctRpt", "BkToCstmrDbtCdtNtfctn"
STATUS_REPORT = "CstmrPmtStsRpt"
# The second version of the report is named by its identifier.
_NAMED_OTHERWISE = {"pain.002.001.02": STATUS_REPORT}
# As much of a file as says whether it is XML, in the encodings that banks use.
_BEGINNING = 512
_BEFORE = b"\xef\xbb\xbf \t\r\n"
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def is_valid(document: bytes, schema: str) -> bool:
    """Say whether a document keeps the ISO schema of a version, such as pain.001.001.09."""
    return _schema(schema).validate(etree.fromstring(document))


@cache
def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(Path(sepaxml.__file__).parent / "schemas" / f"{name}.xsd"))


def message_of(path: Path) -> str:
    """Return the name of the message in an XML file, such as BkToCstmrStmt; "" when the file is no XML."""
    with path.open("rb") as file:
        _skip_what_is_before(file)
        if not _is_xml(file.read(_BEGINNING)):
            return ""
    try:
        with path.open("rb") as file:
            _skip_what_is_before(file)
            return _named_message(file, path)
    except etree.XMLSyntaxError as error:
        raise RefusedError([Problem("file", "xml", str(error.msg), path.name)]) from error


def elements(path: Path, names: Collection[str], source: str) -> Iterator["etree._Element | Problem"]:
    """Yield the elements of some names, each before the one around it, and forget them."""
    try:
        with path.open("rb") as file:
            _skip_what_is_before(file)
            for _, element in _parse(file, "end"):
                if local(element) in names:
                    yield element
                    _forget(element)
    except etree.XMLSyntaxError as error:
        yield Problem("file", "xml", str(error.msg), source, error.lineno or 0)


class Leaves:
    """What stands in an element: the texts of each path below it, and the amounts with their currencies."""

    def __init__(self, element: "etree._Element", leaving_out: Collection[str] = ()) -> None:
        self.line = line_of(element)
        self.names: set[str] = set()
        self.texts: dict[str, list[str]] = {}
        self.amounts: dict[str, list[tuple[str, str]]] = {}
        for child in element:
            name = local(child)
            if name and name not in leaving_out:
                self.names.add(name)
                self._read(child, name)

    def first(self, *paths: str) -> str:
        """Return the first text of the first path that has one; "" if none has."""
        return next((self.texts[path][0] for path in paths if path in self.texts), "")

    def all(self, *paths: str) -> list[str]:
        """Return every text of these paths."""
        return [text for path in paths for text in self.texts.get(path, ())]

    def _read(self, element: "etree._Element", path: str) -> None:
        if len(element):
            children = [(name, child) for child in element if (name := local(child))]
            for name, child in children:
                self._read(child, f"{path}/{name}")
            if children:
                return
            # A comment within a text, or an entity that is not expanded.
            text = "".join([element.text or "", *(child.tail or "" for child in element)]).strip()
        else:
            text = (element.text or "").strip()
        if (currency := element.get("Ccy")) is not None:
            self.amounts.setdefault(path, []).append((text, currency.strip()))
        if text:
            self.texts.setdefault(path, []).append(text)


def local(element: "etree._Element") -> str:
    """Return the local name of an element; "" for a comment, an entity or an instruction."""
    tag: object = element.tag
    return _local(tag) if isinstance(tag, str) else ""


def line_of(element: "etree._Element") -> int:
    """Return the line of a file in which an element ends; a file may have one line alone."""
    return int(getattr(element, "sourceline", None) or 0)


@cache
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _skip_what_is_before(file: BinaryIO) -> None:
    """Go to where the document begins: programs on the way write blanks and second marks of encoding before it."""
    beginning = file.read(_BEGINNING)
    document = beginning.lstrip(_BEFORE)
    is_utf_8 = document.startswith(b"<")
    file.seek(len(beginning) - len(document) if is_utf_8 else 0)


def _is_xml(beginning: bytes) -> bool:
    for mark in _MARKS:
        beginning = beginning.removeprefix(mark)
    # A character of UTF-16 has a zero byte, before or behind it.
    return beginning.replace(b"\0", b"").lstrip().startswith(b"<")


def _named_message(file: BinaryIO, path: Path) -> str:
    is_inside = False
    for _, element in _parse(file, "start"):
        name = local(element)
        if is_inside and name:
            # The very first versions have their number in the name.
            stem, mark, version = name.rpartition("V")
            return stem if mark and version.isdigit() else _NAMED_OTHERWISE.get(name, name)
        is_inside = is_inside or name == "Document"
    raise RefusedError([Problem("file", "iso_20022", "holds no message of ISO 20022", path.name)])


def _parse(file: BinaryIO, event: str) -> "etree.iterparse[tuple[str, etree._Element]]":
    # A bank's file is still somebody else's file: no entity is expanded, no DTD and no address is opened.
    return etree.iterparse(
        file, events=(event,), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )


def _forget(element: "etree._Element") -> None:
    # libxml2 frees a batch's details as one tree in quadratic time, emptied one by one in linear time.
    for detail in element.iterfind("*/*"):
        detail.clear()
    # The newest stays as an empty shell, for the parser still holds it; the one before it goes.
    element.clear()
    before, parent = element.getprevious(), element.getparent()
    if before is not None and parent is not None and local(before) == local(element):
        parent.remove(before)
