"""What may not be is refused by the name of its rule, in one line, and nothing is written."""

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.fixtures.database import table_in_use
from tests.support.company import Company

CASH = ("--method", "cash")

WRITTEN = """
select jsonb_build_array((select count(*) from duly.financial_transactions), (select count(*) from duly.transfers),
 (select sum(allocated_minor) from duly.open_items))
"""

# Each with the field and the rule of its refusal; none of them changes the books, on which the next one is tried.
REFUSED = [
    (("create", "invoice", "nobody", "--line", "product=plan,price=1"), "account", "account_exists"),
    (("create", "invoice", "gone", "--line", "product=plan,price=1"), "account", "account_not_terminated"),
    (("create", "invoice", "a2"), "lines", "line_required"),
    (("create", "invoice", "a2", "--line", "product=nothing,price=1"), "lines", "product_exists"),
    (("create", "invoice", "a2", "--line", "product=plan,price=1,tax_rate=x"), "lines", "tax_rate_exists"),
    (("create", "invoice", "a2", "--line", "product=plan,price=1,discount=2"), "lines.0", "line_priced"),
    (("create", "invoice", "a2", "--line", "product=plan,price=1.001"), "lines.0", "line_priced"),
    (("create", "invoice", "a2", "--line", "product=plan,price=-1"), "lines.0.price", "string_pattern_mismatch"),
    (("create", "invoice", "a2", "--line", "product=plan,cost=1"), "line", "line_format"),
    (("create", "invoice", "a2", "--line", "price=1,price=2"), "line", "line_format"),
    (("create", "invoice", "a2", "--amount", "1"), "amount", "extra_forbidden"),
    (("create", "payment", "a2", *CASH), "amount", "missing"),
    (("create", "payment", "a2", "--amount", "0", *CASH), "amount", "amount_in_range"),
    (("create", "payment", "yen", "--amount", "0.5", *CASH), "amount", "amount_format"),
    (("create", "payment", "a2", "--amount", "1", "--method", "shells"), "method", "method_exists"),
    (("create", "payment", "a2", "--amount", "1", *CASH, "--type", "refund"), "type", "type_of_classification"),
    (("create", "payment", "a2", "--amount", "1", *CASH, "--category", "x"), "category", "category_allowed"),
    (("create", "payment", "a2", "--amount", "1", *CASH, "--invoice", "INV-0000000002"), "invoices",
     "addressed_invoice_posted"),
    (("create", "payment", "a2", "--amount", "1", *CASH, "--invoice", "INV-9"), "transaction",
     "transaction_exists"),
    (("create", "payment", "a2", "--amount", "1", *CASH, "--reference", "4242424242424242"), "reference",
     "no_card_number"),
    (("create", "refund", "a1", "--amount", "51", *CASH), "acknowledge_warning", "credit_limit"),
    (("create", "invoice", "a2", "--line", "product=plan,price=1", "--back-office-code", "ERP-1"),
     "back_office_code", "back_office_code_unique"),
    (("create", "invoice", "a2", "--line", "product=plan,price=1", "--category", "x"), "category", "category_allowed"),
    (("create", "credit_note", "a2", "--line", "product=plan,price=1", "--type", "x"), "type",
     "type_of_classification"),
    (("edit", "INV-0000000001", "--due-on", "2026-06-03"), "transaction", "draft_only"),
    (("edit", "R4"), "document", "value_error"),
    (("edit", "R4", "--amount", "5"), "amount", "field_editable"),
    (("edit", "R4", "--clear", "lines"), "clear", "field_may_be_empty"),
    (("edit", "R4", "--clear", "due_on", "--due-on", "2026-06-03"), "document", "value_error"),
    (("reject", "R4", "because"), "reason", "rejection_reason_given"),
    (("reject", "INV-0000000001", "duplicate"), "transaction", "draft_only"),
    (("post", "R77"), "transaction", "transaction_exists"),
    (("cancel", "R4"), "transaction", "posted_only"),
    (("cancel", "INV-0000000001"), "account", "account_not_terminated"),
    (("write-off", "INV-0000000001"), "type", "write_off_type_given"),
    (("write-off", "INV-0000000002", "--type", "write_off"), "transaction", "unsettled_only"),
    (("write-off", "PAY-0000000001", "--type", "write_off"), "transaction", "invoice_only"),
    (("move", "INV-0000000001", "a2"), "transaction", "payment_only"),
    (("move", "PAY-0000000001", "paid"), "account", "other_account"),
    (("move", "PAY-0000000001", "gone"), "account", "account_not_terminated"),
    (("move", "PAY-0000000001", "yen"), "account", "currency_of_account"),
    (("quick-pay", "INV-0000000002", *CASH), "transaction", "unsettled_only"),
    (("quick-pay", "INV-0000000001", *CASH), "account", "account_not_terminated"),
    (("note", "INV-0000000001", "card 4242 4242 4242 4242"), "text", "no_card_number"),
    (("show", "INV-0000000009"), "transaction", "transaction_exists"),
]  # fmt: skip


async def books(company: Company) -> None:
    """INV-…1 is open on a terminated account, INV-…2 settled by PAY-…1, R4 a draft of an invoice."""
    await company.account("a1", credit_limit_minor=5000)
    await company.account("a2")
    await company.account("yen", "JPY")
    await company.account("gone")
    await company.invoice("gone")
    await company.account("paid")
    await company.invoice("paid")
    await company.create("payment", "paid", "--amount", "100", *CASH)
    await company.invoice("a2", "5.00", "--draft", "--back-office-code", "ERP-1")
    await company.cli.json("accounts", "terminate", "gone")


async def test_a_rule_that_is_broken_is_named_and_nothing_is_written(company: Company) -> None:
    await books(company)
    before = await company.value(WRITTEN)

    named = [(words, await company.refused("transactions", *words)) for words, _, _ in REFUSED]

    assert named == [(words, [(field, rule)]) for words, field, rule in REFUSED]
    assert await company.value(WRITTEN) == before


async def test_a_refusal_is_one_line_that_ends_in_the_rule(company: Company) -> None:
    await books(company)

    result = await company.cli("transactions", "move", "PAY-0000000001", "paid")

    assert result.stderr == "error: account: the payment is on account paid already (other_account)\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--category", "x"), "category x is not allowed on type invoice (category_allowed)"),
        (("--type", "x"), "type x is not an active type of invoice (type_of_classification)"),
        (
            ("--back-office-code", "ERP-1"),
            "back_office_code ERP-1 is taken by another invoice (back_office_code_unique)",
        ),
    ],
)
async def test_a_refusal_names_what_was_given(company: Company, words: tuple[str, ...], message: str) -> None:
    await company.account("a2")
    await company.invoice("a2", "5.00", "--draft", "--back-office-code", "ERP-1")

    result = await company.cli("transactions", "create", "invoice", "a2", "--line", "product=plan,price=1", *words)

    assert result.stderr.endswith(f": {message}\n")


async def test_only_invoices_and_payments_are_cancelled(company: Company) -> None:
    await company.account("a1")
    note = await company.create("credit_note", "a1", "--line", "product=plan,price=1")

    assert await company.refused("transactions", "cancel", note["id"]) == [
        ("transaction", "only_invoices_and_payments_are_cancelled")
    ]


@pytest.mark.parametrize(
    ("name", "content", "field", "rule"),
    [
        ("x.toml", "amount = ", "document", "toml"),
        ("x.json", "{", "document", "json"),
        ("x.json", "[1]", "document", "object"),
        ("x.toml", 'amount = "1"\nmethod = "cash"\ncolour = "red"', "colour", "extra_forbidden"),
        ("x.toml", 'amount = true\nmethod = "cash"', "amount", "string_type"),
    ],
)
async def test_a_document_that_is_wrong_is_refused_word_by_word(
    company: Company, tmp_path: Path, name: str, content: str, field: str, rule: str
) -> None:
    await company.account("a1")
    (tmp_path / name).write_text(content)

    assert await company.refused("transactions", "create", "payment", "a1", "--from", str(tmp_path / name)) == [
        (field, rule)
    ]


async def test_options_and_a_document_do_not_mix(company: Company, tmp_path: Path) -> None:
    await company.account("a1")
    (tmp_path / "x.toml").write_text('amount = "1"\nmethod = "cash"\n')

    refused = await company.refused(
        "transactions", "create", "payment", "a1", "--from", str(tmp_path / "x.toml"), "--amount", "2"
    )

    assert refused == [("amount", "one_source")]


async def test_a_database_that_is_lost_while_it_writes_says_under_which_key_to_ask_again(
    company: Company, owner_engine: AsyncEngine
) -> None:
    await company.account("a1")
    async with table_in_use(owner_engine, "account_balances"):
        result = await company.cli(
            "transactions", "create", "payment", "a1", "--amount", "1", *CASH, "--key", "till-7",
            DULY_DATABASE_TIMEOUT_SECONDS="0.5",
        )  # fmt: skip

    assert result.exit_code == 3
    assert "ask again with --key till-7" in result.stderr


async def test_a_database_that_cannot_be_reached_says_so_and_nothing_of_a_key(company: Company) -> None:
    result = await company.cli(
        "transactions", "create", "payment", "a1", "--amount", "1", *CASH, "--key", "till-7",
        DULY_DATABASE_URL="postgresql+psycopg://a:b@127.0.0.1:1/duly",
    )  # fmt: skip

    assert result.exit_code == 3
    assert "the database does not answer" in result.stderr
    assert "till-7" not in result.stderr
