"""Scenario 2: Company ZX cancels posted invoices that were created by error (F121)."""

from pathlib import Path

from tests.support.company import Company

CONFIGURATION = """
[[transaction_types]]
id = "invoice_to_wrong_customer"
name = "Invoice to the wrong customer"
classification = "invoice_cancellation"
"""


async def test_a_cancelled_invoice_stays_for_reference_without_affecting_the_balance(
    company: Company, tmp_path: Path
) -> None:
    document = tmp_path / "definitions.toml"
    document.write_text(CONFIGURATION, encoding="utf-8")
    await company.cli.json("definitions", "apply", str(document), "--actor", "paula", "--reason", "scenario 2")
    await company.account("a1")
    invoice = await company.invoice("a1")

    result = await company.cli.json(
        "transactions", "cancel", invoice["number"], "--type", "invoice_to_wrong_customer", "--reason", "Wrong customer"
    )
    cancelled, cancellation = await company.shown(invoice["id"]), result["transaction"]

    assert (cancelled["state"], await company.balance("a1")) == ("cancelled", 0)
    assert (cancellation["number"], cancellation["total_minor"]) == ("ICN-0000000001", 10000)
    assert (cancellation["type_id"], cancellation["issue_reason"]) == ("invoice_to_wrong_customer", "Wrong customer")
    assert cancellation["counterpart_id"] == invoice["id"]


async def test_what_had_paid_the_invoice_settles_the_next_one(company: Company) -> None:
    await company.account("a1")
    wrong = await company.invoice("a1")
    await company.payment("a1", "100.00")
    right = await company.invoice("a1")

    await company.cli.json("transactions", "cancel", wrong["id"])

    assert (await company.shown(right["id"]))["is_settled"] is True


async def test_an_invoice_is_cancelled_once(company: Company) -> None:
    await company.account("a1")
    invoice = await company.invoice("a1")
    await company.cli.json("transactions", "cancel", invoice["id"], "--key", "once")

    again = await company.cli.json("transactions", "cancel", invoice["id"], "--key", "once")

    assert again["transaction"]["number"] == "ICN-0000000001"
    assert await company.refused("transactions", "cancel", invoice["id"]) == [("transaction", "posted_only")]


async def test_a_payment_posted_by_error_reopens_what_it_had_settled(company: Company) -> None:
    await company.account("a1")
    invoice = await company.invoice("a1")
    payment = await company.payment("a1", "100.00")

    result = await company.cli.json("transactions", "cancel", payment["id"], "--reason", "Typed twice")

    assert (result["transaction"]["number"], result["balance_minor"]) == ("PCN-0000000001", 10000)
    assert (await company.shown(invoice["id"]))["unsettled_minor"] == 10000
