"""Prerequisites, postconditions and outcomes of each action, as the manual has them (F48 to F87)."""

from datetime import date
from typing import Any

import pytest

from models.ledger.refusals import (
    AcknowledgementRequiredError,
    ConfigurationError,
    InvalidInputError,
    KeyReusedError,
    PostconditionError,
    PrerequisiteError,
)
from tests.ledger.books import POSTED_ON, Books, line, refused


def test_a_draft_has_a_reference_number_and_no_effect(books: Books) -> None:
    receipt = books.call("create_invoice", key="i1", account_id="acc_1", currency="EUR", lines=[line(100)], draft=True)

    assert (receipt.state, receipt.number) == ("draft", None)
    assert receipt.reference_number == "R" + receipt.transaction_id.removeprefix("ft_")
    assert books.balance("acc_1") == 0


def test_posting_gives_the_number_and_the_due_date_and_moves_the_balance(books: Books) -> None:
    draft = books.invoice("i1", "acc_1", 100, draft=True, posted_on=None)

    receipt = books.call("post_draft", transaction_id=draft, posted_on=POSTED_ON)

    assert (receipt.number, receipt.state) == ("INV-0000000001", "posted")
    assert books.transaction(draft)["due_on"] == date(2026, 6, 3)
    assert books.balance("acc_1") == 100


def test_posting_again_answers_the_same(books: Books) -> None:
    invoice = books.invoice("i1", "acc_1", 100)

    again = books.call("post_draft", transaction_id=invoice)

    assert again.number == "INV-0000000001"
    assert books.balance("acc_1") == 100


def test_a_rejected_draft_cannot_be_posted_or_edited(books: Books) -> None:
    draft = books.invoice("i1", "acc_1", 100, draft=True, posted_on=None)
    books.run("select duly.reject_draft(%s, 'duplicate', 'ada')", draft)

    refused(lambda: books.call("post_draft", transaction_id=draft), PrerequisiteError, "draft_only")
    refused(lambda: books.call("edit_draft", transaction_id=draft, changes={}), PrerequisiteError, "draft_only")
    assert books.balance("acc_1") == 0


def test_a_rejection_needs_one_of_the_reasons(books: Books) -> None:
    draft = books.invoice("i1", "acc_1", 100, draft=True, posted_on=None)

    refused(
        lambda: books.run("select duly.reject_draft(%s, 'because')", draft),
        PostconditionError,
        "rejection_reason_given",
    )


def test_a_posted_transaction_cannot_be_edited_or_rejected(books: Books) -> None:
    invoice = books.invoice("i1", "acc_1", 100)

    refused(lambda: books.call("edit_draft", transaction_id=invoice, changes={}), PrerequisiteError, "draft_only")
    refused(lambda: books.run("select duly.reject_draft(%s, 'duplicate')", invoice), PrerequisiteError, "draft_only")


def test_an_edited_draft_is_posted_as_edited(books: Books) -> None:
    draft = books.invoice("i1", "acc_1", 100, draft=True, posted_on=None)

    books.call("edit_draft", transaction_id=draft, changes={"lines": [line(70), line(30, product="silver")]})
    books.call("edit_draft", transaction_id=draft, changes={"lines": [line(70), line(20, product="silver")]})
    books.call("post_draft", transaction_id=draft)

    assert books.transfers(draft) == [
        ("receivable:acc_1", "revenue:gold", 70),
        ("receivable:acc_1", "revenue:silver", 20),
    ]


def test_only_the_fields_of_its_kind_can_be_edited(books: Books) -> None:
    draft = books.pay("p1", "acc_1", 100, draft=True, posted_on=None)

    for changes in ({"state": "posted"}, {"account_id": "acc_2"}, {"due_on": "2026-06-01"}, {"id": "ft_9"}):
        with pytest.raises(InvalidInputError, match="field_editable"):
            books.call("edit_draft", transaction_id=draft, changes=changes)


@pytest.mark.parametrize(
    ("function", "fields", "rule"),
    [
        ("create_payment", {"amount_minor": 0, "method": "cash"}, "amount_in_range"),
        ("create_payment", {"amount_minor": 2**53, "method": "cash"}, "amount_in_range"),
        ("create_payment", {"amount_minor": 1, "method": "shells"}, "method_exists"),
        ("create_payment", {"amount_minor": 1, "method": "cash", "currency": "USD"}, "currency_of_account"),
        ("create_payment", {"amount_minor": 1, "method": "cash", "type_id": "refund"}, "type_of_classification"),
        ("create_payment", {"amount_minor": 1, "method": "cash", "category": "gift"}, "category_allowed"),
        ("create_invoice", {"lines": []}, "line_required"),
        ("create_invoice", {"lines": [{**line(100), "net_minor": 99, "total_minor": 99}]}, "line_adds_up"),
        ("create_invoice", {"lines": [{**line(100), "tax_minor": 1, "total_minor": 101}]}, "line_adds_up"),
        ("create_invoice", {"lines": [line(100, product="lead")]}, "product_exists"),
        ("create_invoice", {"lines": [{**line(100), "tax_rate_id": "none"}]}, "tax_rate_exists"),
        ("create_invoice", {"lines": [{**line(100), "quantity": None}]}, "field_valid"),
        ("create_invoice", {"lines": [line(100)], "type_id": "payment"}, "type_of_classification"),
        ("create_invoice", {"lines": [line(100)], "category": "gift"}, "category_allowed"),
    ],
)
def test_bad_input_is_refused_by_name_before_anything_is_written(
    books: Books, function: str, fields: dict[str, Any], rule: str
) -> None:
    request = {"key": "k1", "account_id": "acc_1", "currency": "EUR", **fields}

    refused(lambda: books.call(function, **request), InvalidInputError, rule)
    assert books.value("select count(*) from duly.financial_transactions") == 0


def test_an_account_that_does_not_exist_is_named(books: Books) -> None:
    refused(lambda: books.pay("p1", "acc_9", 1), PrerequisiteError, "account_exists")
    refused(lambda: books.invoice("i1", "acc_9"), PrerequisiteError, "account_exists")


def test_a_terminated_account_takes_nothing_new_but_a_write_off(books: Books) -> None:
    invoice, draft = books.invoice("i1", "acc_1", 100), books.pay("p1", "acc_1", 5, draft=True, posted_on=None)
    payment = books.pay("p2", "acc_1", 10)
    books.run("select duly.set_account_state('acc_1', 'terminated')")

    for action in (
        lambda: books.invoice("i2", "acc_1"),
        lambda: books.pay("p3", "acc_1", 5),
        lambda: books.call("post_draft", transaction_id=draft),
        lambda: books.run("select duly.reject_draft(%s, 'duplicate')", draft),
        lambda: books.call("cancel_invoice", key="c1", invoice_id=invoice),
        lambda: books.call("cancel_payment", key="c2", payment_id=payment),
        lambda: books.call("quick_pay", key="q1", invoice_id=invoice, method="cash"),
    ):
        refused(action, PostconditionError, "account_not_terminated")
    assert books.call("write_off", key="w1", invoice_id=invoice, type_id="write_off").state == "posted"


def test_quick_pay_pays_what_is_unsettled_of_the_invoice(books: Books) -> None:
    books.invoice("i1", "acc_1", 100)
    second = books.invoice("i2", "acc_1", 70)

    receipt = books.call("quick_pay", key="q1", invoice_id=second, method="cash")

    assert books.allocations("acc_1") == {(receipt.transaction_id, second, 70)}
    refused(
        lambda: books.call("quick_pay", key="q2", invoice_id=second, method="cash"), PrerequisiteError, "unsettled_only"
    )


@pytest.mark.parametrize("through", [{"provider": "stripe"}, {"gateway_reference": "pi_1"}])
def test_no_money_of_a_gateway_is_written_by_hand(books: Books, through: dict[str, str]) -> None:
    invoice, draft = books.invoice("i1", "acc_1", 100), books.pay("p1", "acc_1", 5, draft=True, posted_on=None)
    money = {"account_id": "acc_1", "amount_minor": 100, "currency": "EUR", "method": "card", **through}

    for by_hand in (
        lambda: books.call("create_payment", key="p2", **money),
        lambda: books.call("create_payment", key="p3", draft=True, **money),
        lambda: books.call("create_refund", key="r1", **money),
        lambda: books.call("quick_pay", key="q1", invoice_id=invoice, method="card", provider="stripe"),
        lambda: books.call("post_draft", transaction_id=draft, gateway_reference="pi_1"),
    ):
        refused(by_hand, PrerequisiteError, "gateway_request_first")
    assert books.balance("acc_1") == 100


def test_the_draft_of_a_gateway_is_posted_by_its_answer_alone(books: Books) -> None:
    draft = books.value("select duly.draft_payment('p1', 'acc_1', 100, 'EUR', 'card', 'stripe', '{}', 'system')")

    refused(lambda: books.call("post_draft", transaction_id=draft), PrerequisiteError, "gateway_decides")
    refused(
        lambda: books.call("post_draft", transaction_id=draft, gateway_reference="pi_1"),
        PrerequisiteError,
        "gateway_decides",
    )


def test_a_payment_through_a_gateway_is_cancelled_when_that_has_returned_the_money(books: Books) -> None:
    payment = books.charge("p1", "acc_1", 100, "pi_1")

    refused(
        lambda: books.call("cancel_payment", key="c1", payment_id=payment), PrerequisiteError, "gateway_confirms_first"
    )
    assert books.balance("acc_1") == -100


def test_a_refund_above_the_credit_limit_warns_and_posts_when_acknowledged(books: Books) -> None:
    books.open_account("acc_3", credit_limit_minor=50)
    refund = {"key": "r1", "account_id": "acc_3", "amount_minor": 51, "currency": "EUR", "method": "bank_transfer"}

    refused(lambda: books.call("create_refund", **refund), AcknowledgementRequiredError, "credit_limit")
    receipt = books.call("create_refund", **refund, acknowledge_credit_limit=True)

    assert receipt.number == "REF-0000000001"
    assert books.balance("acc_3") == 51


def test_a_refund_takes_the_credit_that_is_there(books: Books) -> None:
    payment = books.pay("p1", "acc_1", 100)

    refund = books.call(
        "create_refund", key="r1", account_id="acc_1", amount_minor=60, currency="EUR", method="bank_transfer"
    )

    assert books.allocations("acc_1") == {(payment, refund.transaction_id, 60)}
    assert books.balance("acc_1") == -40


def test_a_back_office_code_is_unique_when_given(books: Books) -> None:
    books.pay("p1", "acc_1", 1, back_office_code="BANK-1")
    books.invoice("i1", "acc_1", 1, back_office_code="BANK-1")

    for again in (
        lambda: books.pay("p2", "acc_2", 1, back_office_code="BANK-1"),
        lambda: books.invoice("i2", "acc_2", 1, back_office_code="BANK-1"),
    ):
        refused(again, InvalidInputError, "back_office_code_unique")


def test_a_key_stands_for_one_request(books: Books) -> None:
    first = books.pay("k1", "acc_1", 100)

    assert books.pay("k1", "acc_1", 100) == first
    refused(lambda: books.pay("k1", "acc_1", 101), KeyReusedError, "key_means_one_request")
    refused(lambda: books.invoice("k1", "acc_1", 100), KeyReusedError, "key_means_one_request")
    assert books.balance("acc_1") == -100


def test_notes_keep_their_author_and_time(books: Books) -> None:
    invoice = books.invoice("i1", "acc_1", 100)

    books.run("select duly.add_note(%s, 'ada', 'called the customer')", invoice)

    assert books.run("select author, note, noted_at is not null from duly.transaction_notes") == [
        ("ada", "called the customer", True)
    ]


def test_a_default_type_must_be_set(owner: Books, books: Books) -> None:
    owner.run("update duly.transaction_types set is_default = false where classification = 'payment'")

    refused(lambda: books.pay("p1", "acc_1", 1), ConfigurationError, "default_type_exists")
