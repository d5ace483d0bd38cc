"""Factur-X: what a PDF/A-3b must say about the electronic invoice in it, which Typst cannot write (typst #5667)."""

from io import BytesIO

import pikepdf
from lxml import etree

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EXTENSION = "http://www.aiim.org/pdfa/ns/extension/"
_FX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
# The four properties, as Factur-X 1.0 (6.2.2) has them: PDF/A wants every foreign property declared.
_PROPERTIES = (
    ("DocumentFileName", "name of the embedded XML invoice file"),
    ("DocumentType", "INVOICE"),
    ("Version", "The actual version of the Factur-X XML schema"),
    ("ConformanceLevel", "The conformance level of the embedded Factur-X data"),
)
_DECLARED = "".join(
    '<rdf:li rdf:parseType="Resource">'
    f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>"
    f"<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>{meaning}"
    "</pdfaProperty:description></rdf:li>"
    for name, meaning in _PROPERTIES
)
_SCHEMA = f"""<rdf:li xmlns:rdf="{_RDF}" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#" rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>{_FX}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>{_DECLARED}</rdf:Seq></pdfaSchema:property></rdf:li>"""
_DESCRIPTION = f"""<rdf:Description xmlns:rdf="{_RDF}" xmlns:fx="{_FX}" rdf:about="">
<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>
<fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel></rdf:Description>"""


def declared_as_factur_x(pdf: bytes) -> bytes:
    """Return a PDF/A whose metadata declares the invoice that is attached to it; the same bytes every time."""
    with pikepdf.open(BytesIO(pdf)) as document:
        packet = etree.fromstring(document.Root.Metadata.read_bytes())
        (described,) = packet.iter(f"{{{_RDF}}}RDF")
        # A property stands once in a packet, so the schema goes to those that the packet declares already.
        (schemas,) = packet.iter(f"{{{_EXTENSION}}}schemas")
        schemas[0].append(etree.fromstring(_SCHEMA))
        described.append(etree.fromstring(_DESCRIPTION))
        # In place: a stream of its own makes every object be read.
        document.Root.Metadata.write(
            b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            + etree.tostring(packet, encoding="utf-8")
            + b'<?xpacket end="w"?>'
        )
        written = BytesIO()
        document.save(written, deterministic_id=True)
    return written.getvalue()
