"""A seller's own templates: tried before they are kept, then used for what is printed, and ours where they fail."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from activities.database import Database
from activities.printouts.own.checking import problems_of_templates
from activities.printouts.own.ours import our_template
from activities.printouts.printing import Printing
from activities.printouts.workshop import TEMPLATE_VERSION
from models.printouts.facts import PrintFormat
from tests.printouts.conftest import WHO
from tests.support.command_line import CommandLine
from tests.support.company import POSTED_ON, Company

LINE = ("--line", "product=card,price=99.90", "--posted-on", POSTED_ON)
Buyer = Callable[..., Awaitable[str]]
OURS = {name: our_template(name) for name in ("pdf", "html", "rtf")}
SELLER = """
[[sellers]]
id = "house"
name = "Fibernetz GmbH"
street = "Hauptstraße 1"
postal_code = "10115"
city = "Berlin"
country = "DE"
vat_id = "DE123456789"

[sellers.templates]
"""


def changed(name: str, text: str, by: str) -> tuple[str, str]:
    """Return our template with a text in it replaced."""
    assert text in OURS[name]
    return name, OURS[name].replace(text, by)


@pytest.mark.parametrize("name", [pytest.param("pdf", marks=pytest.mark.nightly), "html", "rtf"])
def test_ours_has_all_that_one_of_a_seller_must_have(name: str) -> None:
    assert list(problems_of_templates({name: OURS[name]})) == []


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        (("pdf", "#let x = (:"), "unclosed delimiter"),
        (("pdf", "Hello"), "missing document title"),
        (("pdf", '#import "@preview/cetz:0.3.0"'), "has import in it"),
        (("pdf", '#{ include "other.typ" }'), "has include in it"),
        (("pdf", '#eval("1")'), "has eval in it"),
        (changed("pdf", "#for note in page-of.notes { par(breakable(note)) }", ""), "leaves out"),
        (("html", "{{ page.nothing }}"), "has no attribute"),
        (("html", "{{ ''.__class__.__mro__ }}"), "unsafe"),
        (("html", "{% if %}"), "TemplateSyntaxError"),
        (changed("html", "{{ total.value }}", ""), "leaves out"),
        (changed("html", "{{ line }}", "{{ line | safe }}"), "No filter named 'safe'"),
        (
            changed("html", "<main>", "<main>{% autoescape false %}{{ page.recipient[0] }}{% endautoescape %}"),
            "has autoescape in it",
        ),
        (changed("html", "</body>", "<script>1</script></body>"), "has script in it"),
        (changed("html", "</body>", "<img src='https://x.example/a.png' alt=''></body>"), "has src in it"),
        (changed("html", "<main>", "<main onclick='x()'>"), "has onclick in it"),
        (changed("html", "font: 15px", "background: url(//x); font: 15px"), "fetches something"),
        (changed("rtf", "{{ note | rtf }}", ""), "leaves out"),
        (("rtf", "ü"), "UnicodeEncodeError"),
    ],
)
def test_what_would_leave_something_out_or_bring_something_in_is_named(template: tuple[str, str], problem: str) -> None:
    ((name, found),) = problems_of_templates(dict([template]))

    assert name == template[0]
    assert problem in found


def test_a_value_is_no_command_of_rtf_though_its_template_forgets_to_say_so() -> None:
    assert (
        list(problems_of_templates({"rtf": OURS["rtf"].replace("{{ page.subject | rtf }}", "{{ page.subject }}")}))
        == []
    )


async def test_a_seller_prints_by_its_own_template_once_it_is_applied(
    seller: Company, buyer: Buyer, database: Database, cli: CommandLine, tmp_path: Path
) -> None:
    # given an invoice that was printed, and another one
    account = await buyer()
    first, second = [await seller.create("invoice", account, *LINE) for _ in range(2)]
    printing = Printing(database)
    before = await printing.document(first["number"], PrintFormat.HTML)
    path = tmp_path / "templates.toml"

    # when a template is applied that leaves nothing out, after one that does
    path.write_text(f"{SELLER}html = '''{OURS['html'].replace('{{ note }}', '')}'''\n", encoding="utf-8")
    refused = await cli("definitions", "apply", str(path), *WHO, "--json")
    own = OURS["html"].replace("<main>", "<main class='own'>")
    path.write_text(f"{SELLER}html = '''{own}'''\n", encoding="utf-8")
    await cli.json("definitions", "apply", str(path), *WHO)

    # then what is printed from then on is written by it, and what was printed stays
    assert refused.rules == [("sellers.0.templates.html", "template_fits")]
    assert b"class='own'" not in before.content
    assert (await printing.document(first["number"], PrintFormat.HTML)).content == before.content
    assert b"class='own'" in (await printing.document(second["number"], PrintFormat.HTML)).content
    versions = await seller.run("select template_version from duly.document_files order by id")
    assert [row.template_version.partition("+")[0] for row in versions] == [TEMPLATE_VERSION] * 2
    assert ["+" in row.template_version for row in versions] == [False, True]
    assert "class='own'" in (await cli("definitions", "export")).stdout
    assert (await cli("documents", "template", "html")).stdout == OURS["html"]


async def test_a_template_that_fails_costs_no_document(
    seller: Company, buyer: Buyer, database: Database
) -> None:  # fmt: skip
    invoice = await seller.create("invoice", await buyer(), *LINE)
    await seller.configure(f"{SELLER}html = '''{{{{ page.gone }}}}'''\npdf = '''#panic(1)'''\n")

    page = await Printing(database).document(invoice["number"], PrintFormat.HTML)
    pdf = await Printing(database).document(invoice["number"], PrintFormat.PDF)

    assert invoice["number"].encode() in page.content
    assert invoice["number"] in PdfReader(BytesIO(pdf.content)).pages[0].extract_text()
    versions = await seller.run("select template_version from duly.document_files")
    assert {row.template_version for row in versions} == {TEMPLATE_VERSION}


@pytest.mark.nightly
async def test_an_electronic_invoice_is_in_a_pdf_by_a_template_of_ones_own(
    seller: Company, buyer: Buyer, database: Database
) -> None:
    invoice = await seller.create("invoice", await buyer(), *LINE)
    own = OURS["pdf"].replace("size: 17pt", "size: 21pt")
    await seller.configure(f"{SELLER}pdf = '''{own}'''\n")

    file = await Printing(database).document(invoice["number"], PrintFormat.FACTUR_X)

    assert list(PdfReader(BytesIO(file.content)).attachments) == ["factur-x.xml"]
    assert "+" in await seller.value("select template_version from duly.document_files")
