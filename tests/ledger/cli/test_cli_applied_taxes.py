"""Lines whose taxes a tax service has computed: taken as it answered, kept with the line, and shown (F40)."""

import re
from pathlib import Path

from tests.support.company import Company

LINE = """
[[lines]]
product = "card"
quantity = 2
price = "10.00"
period_from = 2026-11-01
period_to = 2026-11-30
[[lines.applied_taxes]]
authority = "State of New York"
name = "Sales tax"
percent = 4
tax = "0.83"
[[lines.applied_taxes]]
authority = "New York City"
name = "City tax"
percent = 4.5
taxable = "15.00"
tax = "0.68"
"""


def written(folder: Path, text: str) -> str:
    path = folder / "invoice.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


async def test_the_taxes_of_a_service_are_posted_as_it_answered(company: Company, tmp_path: Path) -> None:
    await company.account("a1")

    made = await company.create("invoice", "a1", "--from", written(tmp_path, LINE))
    shown = await company.shown(made["id"])
    crediting = written(tmp_path, f'invoices = ["{made["number"]}"]\n{LINE}')
    credited = await company.create("credit_note", "a1", "--from", crediting)
    text = (await company.cli("transactions", "show", made["number"])).stdout

    # 0.83 and 0.68, whatever 19 % of 20.00 would be.
    assert (shown["net_minor"], shown["tax_minor"], shown["total_minor"]) == (2000, 151, 2151)
    assert [tax["taxable_minor"] for tax in shown["lines"][0]["applied_taxes"]["taxes"][1:]] == [1500]
    assert {(one["credit_account"], one["amount_minor"]) for one in shown["transfers"]} == {
        ("revenue:card", 2000),
        ("vat_payable", 151),
    }
    assert "New York City" in text
    assert re.search(r"1 +2026-11-01 +2026-11-30", text)
    assert (credited["total_minor"], await company.balance("a1")) == (2151, 0)


async def test_a_line_is_taxed_by_a_service_or_by_a_rate_and_to_the_minor_unit(
    company: Company, tmp_path: Path
) -> None:
    await company.account("a1")
    creating = ("transactions", "create", "invoice", "a1", "--from")

    both = await company.refused(*creating, written(tmp_path, LINE.replace("quantity", 'tax_rate = "vat"\nquantity')))
    finer = await company.refused(*creating, written(tmp_path, LINE.replace("0.83", "0.835")))
    nameless = await company.refused(*creating, written(tmp_path, LINE.replace('name = "City tax"', "")))

    assert both == [("lines.0", "value_error")]
    assert finer == [("lines.0", "line_priced")]
    assert nameless == [("lines.0.applied_taxes.1.name", "missing")]
