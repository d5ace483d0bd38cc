"""Money that comes for a bill: by the bill's number it finds the invoices of which something is unsettled."""

from pathlib import Path

from tests.bank.statements import camt, entry
from tests.books.test_cli_bills import WHO, billed
from tests.support.company import Company


async def test_money_that_names_a_bill_is_for_what_is_unsettled_of_its_invoices(
    company: Company, tmp_path: Path
) -> None:
    # given an older invoice beside the two of May's bill, of which one is paid
    await company.account("a1")
    await company.invoice("a1", "20.00", "--posted-on", "2026-04-20", "--due-on", "2026-05-04")
    paid, owed = [await billed(company, key, net, "2026-05-01") for key, net in (("m1", 3000), ("m2", 5000))]
    await company.create("payment", "a1", "--amount", "30", "--method", "cash", "--invoice", paid)
    number = (await company.cli.json("bills", "make", "a1", "2026-05", *WHO))["number"]

    as_typed = number.lower().replace("-000000000", " ")
    file = camt(tmp_path, entry("B1", "50.00", text=f"May, {as_typed}"))
    (line,) = (await company.cli.json("import", "bank", file))["entries"]
    named_by_nobody = camt(tmp_path, entry("B2", "50.00", text="BIL-0000000404"), name="b.xml")
    (unknown,) = (await company.cli.json("import", "bank", named_by_nobody))["entries"]

    assert (line["outcome"], line["account_id"]) == ("posted", "a1")
    assert (unknown["outcome"], unknown["reason"]) == ("suspense", "account_unknown")
    assert (await company.cli.json("bills", "show", number))["unsettled_minor"] == 0
    assert (await company.shown(owed))["unsettled_minor"] == 0
    assert await company.balance("a1") == 2000
