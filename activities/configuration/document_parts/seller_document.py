"""The seller's part of the document: who is named on invoices, and the brand, as law and bank want it."""

import re
from typing import Annotated, Any, Literal, Self

from lxml import etree
from psycopg.types.json import Jsonb
from pydantic import Field, field_validator, model_validator

from activities.configuration.fields import Currency, Name, SlugId
from activities.documents import DocumentPart, foreign_xml
from models.bank.payee import IbanError, bic_is_written_well, iban_of
from models.printouts.countries import begins_with_country, is_country

LOGO_MAX = TEMPLATE_MAX = 65_536
_SVG = "{http://www.w3.org/2000/svg}"
# What runs, or brings something in, is no picture.
_NOT_OF_A_LOGO = frozenset({"script", "foreignobject", "iframe", "set", "handler", "object", "embed", "link"})
# What a style or a fill may bring in: anything but a part of the picture itself; a backslash hides such words.
_BRINGS_IN = re.compile(r"""url\((?!\s*["']?\s*#)|@import|image-set|\\""", re.IGNORECASE)
# A picture within the picture is of dots: an SVG would have to be looked through again.
_OF_ITSELF = re.compile(r"#|data:image/(png|jpeg|gif|webp)[;,]", re.IGNORECASE)

TemplateFormat = Literal["pdf", "html", "rtf"]
Line = Annotated[str, Field(max_length=200)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
# Two letters of the member state, and what it gives (2006/112/EC art. 215); no country's is longer.
VatId = Annotated[str, Field(pattern=r"^([A-Z]{2}[A-Z0-9+*]{2,13})?$")]


class SellerPart(DocumentPart):
    """Who sells: named on every document, with an account to pay to and a brand. Without a merchant it is the house.

    `vat_id` or `tax_number` must be there: an invoice without either is none (2006/112/EC art. 226, § 14 UStG).
    `logo` is an SVG, as text; colours are written #rrggbb. `logo_url` and `background_color` are of pages at the
    gateway, which takes a PNG or JPEG behind an address of the internet; empty is what its account has. `templates` are
    by format what writes its documents in place of ours: `pdf` in Typst, `html` and `rtf` in Jinja.
    """

    id: SlugId
    merchant: SlugId | None = None
    name: Name
    street: Annotated[str, Field(min_length=1, max_length=200)]
    postal_code: Annotated[str, Field(max_length=20)]
    city: Annotated[str, Field(min_length=1, max_length=100)]
    country: Country
    vat_id: VatId = ""
    tax_number: Annotated[str, Field(max_length=50)] = ""
    registration: Line = ""
    email: Annotated[str, Field(max_length=254, pattern=r"^([^@\s]+@[^@\s]+)?$")] = ""
    phone: Annotated[str, Field(max_length=50)] = ""
    iban: Annotated[str, Field(max_length=50)] = ""
    bic: Annotated[str, Field(max_length=11)] = ""
    color: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")] = "#1f3a5f"
    logo: Annotated[str, Field(max_length=LOGO_MAX)] = ""
    background_color: Annotated[str, Field(pattern=r"^(#[0-9a-f]{6})?$")] = ""
    logo_url: Annotated[str, Field(max_length=500, pattern=r"^(https://\S+)?$")] = ""
    # By which its documents are written, in place of ours.
    templates: dict[TemplateFormat, Annotated[str, Field(min_length=1, max_length=TEMPLATE_MAX)]] = Field(
        default_factory=dict
    )
    # In which documents of another currency say their VAT too (2006/112/EC art. 230), by reference rates of exchange.
    tax_currency: Currency | Literal[""] = ""
    # Whether mails about payments and invoices bring the documents with them.
    attach_documents: bool = True

    @field_validator("country")
    @classmethod
    def _country_is_one(cls, given: str) -> str:
        if not is_country(given):
            raise ValueError("is no country by ISO 3166, such as DE")
        return given

    @field_validator("vat_id")
    @classmethod
    def _vat_id_is_of_a_country(cls, given: str) -> str:
        if given and not begins_with_country(given):
            raise ValueError("is not written like DE123456789")
        return given

    @field_validator("iban")
    @classmethod
    def _iban_is_one(cls, given: str) -> str:
        try:
            return iban_of(given) if given else ""
        except IbanError as error:
            raise ValueError(str(error)) from error

    @field_validator("bic")
    @classmethod
    def _bic_is_one(cls, given: str) -> str:
        if not bic_is_written_well(given):
            raise ValueError("is not written like a BIC")
        return given

    @field_validator("logo")
    @classmethod
    def _logo_is_a_picture(cls, given: str) -> str:
        if given and (problem := problem_of_logo(given)):
            raise ValueError(problem)
        return given

    @model_validator(mode="after")
    def _is_known_to_the_tax_office(self) -> Self:
        if not (self.vat_id or self.tax_number):
            raise ValueError("vat_id: an invoice names the seller's vat_id or tax_number")
        return self

    def stored(self) -> dict[str, Any]:
        """Return what the database keeps."""
        return self.model_dump() | {"templates": Jsonb(self.templates)}


def problem_of_logo(text: str) -> str:
    """Return why a text is no SVG that may stand on a document; nothing where it is one."""
    try:
        root = foreign_xml(text.encode())
    except etree.XMLSyntaxError:
        return "is no SVG: it is not well-formed"
    if root.tag != f"{_SVG}svg" or "<!DOCTYPE" in text.upper():
        return "is no SVG: its root must be svg, without a document type"
    if any(root.itersiblings(etree.ProcessingInstruction, preceding=True)):
        return "has an instruction before its root: it may bring nothing in"
    return next((problem for element in root.iter(etree.Element) if (problem := _problem_of_element(element))), "")


def _problem_of_element(element: etree._Element) -> str:
    # By the bare name: a script of another namespace (XHTML's) runs as well.
    tag = _bare(element.tag)
    if tag.lower() in _NOT_OF_A_LOGO or tag.lower().startswith("animate"):
        return f"has a {tag} in it: a picture is all that it may be"
    if tag.lower() == "style" and _BRINGS_IN.search("".join(map(str, element.itertext()))):
        return "has a style in it that brings something in"
    for name, value in element.attrib.items():
        word, given = _bare(name), str(value)
        is_elsewhere = word == "href" and not _OF_ITSELF.match(given)
        # What an editor keeps for itself has a namespace of its own, and may be a path of its machine.
        brings_in = str(name) == word and _BRINGS_IN.search(given)
        if word.lower().startswith("on") or is_elsewhere or brings_in:
            return f"has {word} in it: it may run nothing, and bring nothing in"
    return ""


def _bare(name: object) -> str:
    """Return a name without its namespace."""
    return str(name).rpartition("}")[2]
