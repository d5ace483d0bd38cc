"""Scenario 4: a customer buys two cards, one 15 % cheaper and one EUR 20 cheaper (F124, F125)."""

from tests.support.company import Company


async def test_the_two_discounts_are_calculated_line_by_line(company: Company) -> None:
    await company.account("a1")

    lines = ("product=card,price=100.00,discount=15%", "product=card,price=100.00,discount=20.00")
    made = await company.create("invoice", "a1", "--line", lines[0], "--line", lines[1])
    shown = await company.shown(made["id"])

    columns = ("discount_minor", "net_minor", "tax_minor", "total_minor")
    assert [tuple(line[name] for name in columns) for line in shown["lines"]] == [
        (1500, 8500, 1615, 10115),
        (2000, 8000, 1520, 9520),
    ]
    assert tuple(shown[name] for name in columns) == (3500, 16500, 3135, 19635)
    assert [(one["credit_account"], one["amount_minor"]) for one in shown["transfers"]] == [
        ("revenue:card", 16500),
        ("vat_payable", 3135),
    ]
