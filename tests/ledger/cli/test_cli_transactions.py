"""Transactions by hand: what a person types becomes money moved, once, or a refusal that names its rule."""

import json
from pathlib import Path

from tests.support.command_line import CommandLine
from tests.support.company import POSTED_ON, Company


async def test_an_invoice_is_posted_with_its_number_and_the_tax_of_its_product(company: Company) -> None:
    await company.account("a1")

    made = await company.create(
        "invoice", "a1", "--line", "product=card,quantity=2,price=10.00", "--posted-on", POSTED_ON
    )

    assert (made["number"], made["state"], made["total_minor"]) == ("INV-0000000001", "posted", 2380)
    assert (made["due_on"], await company.balance("a1")) == ("2026-06-03", 2380)


async def test_what_is_given_away_is_invoiced_with_nothing(company: Company) -> None:
    await company.account("a1")

    made = await company.create("invoice", "a1", "--line", "product=card,price=10.00,discount=100%")

    assert (made["number"], made["state"], made["total_minor"]) == ("INV-0000000001", "settled", 0)
    assert await company.balance("a1") == 0


async def test_money_for_what_was_written_off_is_told_by_the_command(company: Company) -> None:
    await company.account("a1")
    given_up = await company.invoice("a1", "20.00")
    await company.cli.json("transactions", "write-off", given_up["number"], "--type", "write_off", "--yes")

    words = ("payment", "a1", "--amount", "20", "--method", "cash", "--invoice", given_up["number"])
    made = await company.cli("transactions", "create", *words)

    assert "INV-0000000001 was written off" in made.stdout + made.stderr
    assert await company.balance("a1") == -2000


async def test_a_draft_moves_nothing_until_it_is_posted(company: Company) -> None:
    await company.account("a1")
    draft = await company.invoice("a1", "100.00", "--draft")
    before = await company.balance("a1")

    posted = await company.cli.json("transactions", "post", draft["reference_number"], "--posted-on", POSTED_ON)

    assert (draft["number"], draft["state"], before) == (None, "draft", 0)
    assert posted["transaction"]["number"] == "INV-0000000001"
    assert posted["balance_minor"] == 10000


async def test_every_field_can_come_from_a_document(company: Company, tmp_path: Path) -> None:
    await company.account("a1")
    document = tmp_path / "invoice.toml"
    document.write_text(
        'due_on = 2026-06-03\nposted_on = 2026-05-20\nback_office_code = "ERP-7"\n'
        '[[lines]]\nproduct = "card"\nquantity = 1.5\nprice = 9.99\ndiscount = "10%"\ndescription = "A, B and C"\n'
    )

    made = await company.create("invoice", "a1", "--from", str(document))
    shown = await company.shown(made["id"])

    assert (shown["back_office_code"], shown["due_on"]) == ("ERP-7", "2026-06-03")
    assert shown["lines"][0]["description"] == "A, B and C"
    assert (shown["discount_minor"], shown["net_minor"], shown["tax_minor"]) == (150, 1349, 256)


async def test_a_document_may_be_json(company: Company, tmp_path: Path) -> None:
    await company.account("a1")
    document = tmp_path / "payment.json"
    document.write_text(json.dumps({"amount": 12.5, "method": "cheque", "reference": "No. 17"}))

    made = await company.create("payment", "a1", "--from", str(document))

    assert (made["total_minor"], made["method"], made["payment_reference"]) == (1250, "cheque", "No. 17")


async def test_a_key_is_done_once_however_often_it_is_asked_for(company: Company) -> None:
    await company.account("a1")

    first = await company.payment("a1", "10.00", "--key", "till-7")
    second = await company.payment("a1", "10.00", "--key", "till-7")

    assert second["id"] == first["id"]
    assert await company.balance("a1") == -1000
    assert await company.refused(
        "transactions", "create", "payment", "a1", "--amount", "11", "--method", "cash", "--key", "till-7"
    ) == [("key", "key_means_one_request")]


async def test_a_payment_settles_the_invoices_it_is_meant_for_first(company: Company) -> None:
    await company.account("a1")
    await company.invoice("a1")
    later = await company.invoice("a1")

    payment = await company.payment("a1", "100.00", "--invoice", later["number"])
    shown = await company.shown(payment["number"])

    assert [(one["number"], one["amount_minor"]) for one in shown["allocations"]] == [(later["number"], 10000)]


async def test_a_credit_note_credits_the_invoice_it_names(company: Company) -> None:
    await company.account("a1")
    invoice = await company.invoice("a1")

    note = await company.create(
        "credit_note", "a1", "--line", "product=plan,price=30", "--invoice", invoice["id"], "--reason", "Late delivery"
    )

    assert (note["number"], note["issue_reason"]) == ("CRN-0000000001", "Late delivery")
    assert (await company.shown(invoice["id"]))["unsettled_minor"] == 7000


async def test_a_draft_can_be_edited_and_each_change_is_noted_with_its_author(company: Company) -> None:
    await company.account("a1")
    draft = await company.invoice("a1", "100.00", "--draft", "--back-office-code", "X1")

    edited = await company.cli.json(
        "transactions", "edit", draft["id"], "--line", "product=plan,price=80", "--clear", "back_office_code",
        "--actor", "ann",
    )  # fmt: skip
    shown = await company.shown(draft["id"])

    assert (edited["transaction"]["total_minor"], shown["back_office_code"]) == (8000, None)
    assert [(one["author"], one["note"]) for one in shown["notes"]] == [("ann", "edited back_office_code, lines")]


async def test_a_rejected_draft_says_who_rejected_it_and_why(company: Company) -> None:
    await company.account("a1")
    draft = await company.invoice("a1", "100.00", "--draft")

    rejected = await company.cli.json("transactions", "reject", draft["id"], "duplicate", "--actor", "ann")

    assert rejected["transaction"]["state"] == "rejected"
    assert (rejected["transaction"]["rejection_reason"], rejected["transaction"]["rejected_by"]) == ("duplicate", "ann")


async def test_a_refund_above_the_credit_limit_warns_and_goes_through_when_acknowledged(company: Company) -> None:
    await company.account("a1", credit_limit_minor=5000)
    words = ("transactions", "create", "refund", "a1", "--amount", "60", "--method", "bank_transfer")

    warned = await company.refused(*words)
    made = await company.cli.json(*words, "--acknowledge-warning")

    assert warned == [("acknowledge_warning", "credit_limit")]
    assert made["balance_minor"] == 6000


async def test_a_write_off_leaves_an_invoice_in_the_write_off_account(company: Company) -> None:
    await company.account("a1")
    invoice = await company.invoice("a1")
    await company.payment("a1", "40.00")

    written = await company.cli.json("transactions", "write-off", invoice["number"], "--type", "write_off")

    assert written["transaction"]["total_minor"] == 6000
    assert written["write_off_account_invoice"]["account_id"] == "acc_write_off_eur"
    assert (await company.balance("a1"), await company.balance("acc_write_off_eur")) == (0, 6000)


async def test_quick_pay_pays_what_is_left_of_an_invoice(company: Company) -> None:
    await company.account("a1")
    invoice = await company.invoice("a1")
    await company.payment("a1", "40.00")

    paid = await company.cli.json("transactions", "quick-pay", invoice["id"], "--method", "cheque")

    assert (paid["transaction"]["total_minor"], paid["balance_minor"]) == (6000, 0)
    assert (await company.shown(invoice["id"]))["is_settled"] is True


async def test_notes_are_kept_with_author_and_time(company: Company) -> None:
    await company.account("a1")
    invoice = await company.invoice("a1")

    await company.cli.json("transactions", "note", invoice["id"], "Called, will pay", "--actor", "ann")
    result = await company.cli.json("transactions", "note", invoice["id"], "Paid", "--actor", "bob")

    assert [(one["author"], one["note"]) for one in result["notes"]] == [("ann", "Called, will pay"), ("bob", "Paid")]


async def test_a_new_command_without_a_key_is_a_new_payment(company: Company) -> None:
    await company.account("a1")

    first, second = await company.payment("a1", "10.00"), await company.payment("a1", "10.00")

    assert first["id"] != second["id"]


async def test_the_tables_of_transactions_fit_a_hundred_columns(company: Company, cli: CommandLine) -> None:
    await company.account("a-rather-long-account-reference-of-the-merchant")
    invoice = await company.invoice("a-rather-long-account-reference-of-the-merchant", "1234567.89")

    result = await cli("transactions", "show", invoice["id"])
    listed = await cli("transactions", "list")

    assert max(len(line) for line in (result.stdout + listed.stdout).splitlines()) <= 100
    assert "INV-0000000001" in listed.stdout
