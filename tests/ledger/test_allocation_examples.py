"""The manual's two pictures, and what else credits do at posting, on the real database."""

import json
from datetime import date

import pytest

from models.ledger.refusals import PrerequisiteError
from tests.ledger.books import Books, line

WITHIN_TEN_DAYS = """
[[due_date_rules]]
id = "due_in_14_days"
number_of_days = 14
proximity_operator = "plus_minus"
proximity_days = 10
"""


def test_fifo_a_cancelled_invoice_s_credit_note_settles_the_next_one(books: Books) -> None:
    first = books.invoice("INV 1", "acc_1", 100)
    note = books.credit_note("CN 1", "acc_1", 100)
    second = books.invoice("INV 2", "acc_1", 100)

    cancellation = books.call("cancel_invoice", key="ICN 1", invoice_id=first).transaction_id

    assert books.allocations("acc_1") == {(cancellation, first, 100), (note, second, 100)}


def test_against_item_the_freed_credit_note_settles_the_open_invoice(books: Books) -> None:
    first, second, third = (books.invoice(f"INV {n}", "acc_1", 100) for n in (1, 2, 3))
    note_1 = books.credit_note("CN 1", "acc_1", 100, addressed_invoice_ids=_ids(first))
    note_2 = books.credit_note("CN 2", "acc_1", 100, addressed_invoice_ids=_ids(second))

    cancellation = books.call("cancel_invoice", key="ICN 1", invoice_id=first).transaction_id

    assert books.allocations("acc_1") == {(cancellation, first, 100), (note_2, second, 100), (note_1, third, 100)}


def test_a_payment_for_a_settled_invoice_displaces_who_settled_it(books: Books) -> None:
    first = books.invoice("INV 1", "acc_1", 100)
    payment_1 = books.pay("PAY 1", "acc_1", 100)
    second = books.invoice("INV 2", "acc_1", 100)

    payment_2 = books.pay("PAY 2", "acc_1", 100, addressed_invoice_ids=_ids(first))

    assert books.allocations("acc_1") == {(payment_2, first, 100), (payment_1, second, 100)}


@pytest.mark.parametrize(("amount", "left_of_the_other"), [(39, 100), (40, 100), (41, 99), (100, 40), (141, 0)])
@pytest.mark.parametrize("way", ["bank", "card", "credit note"])
def test_overpaying_an_invoice_that_is_paid_in_part_settles_it(
    books: Books, way: str, amount: int, left_of_the_other: int
) -> None:
    other, named = books.invoice("B", "acc_1", 100), books.invoice("A", "acc_1", 100)
    books.pay("PAY 1", "acc_1", 60, addressed_invoice_ids=_ids(named))

    _credit(books, way, amount, named)

    assert (books.unsettled(named), books.unsettled(other)) == (max(0, 40 - amount), left_of_the_other)


@pytest.mark.parametrize("way", ["bank", "card", "credit note"])
def test_a_settled_invoice_that_is_paid_in_part_once_more_stays_settled(books: Books, way: str) -> None:
    named = books.invoice("A", "acc_1", 100)
    books.pay("PAY 1", "acc_1", 50)
    books.pay("PAY 2", "acc_1", 50)
    other = books.invoice("B", "acc_1", 100)

    _credit(books, way, 41, named)

    assert (books.unsettled(named), books.unsettled(other)) == (0, 59)


def test_a_payment_that_is_kept_in_part_or_comes_back_un_pays_nothing(owner: Books, books: Books) -> None:
    other, named = books.invoice("B", "acc_1", 100), books.invoice("A", "acc_1", 100)
    books.pay("PAY 1", "acc_1", 60, addressed_invoice_ids=_ids(named))
    charge = _credit(books, "card", 90, named)
    assert (books.unsettled(named), books.unsettled(other)) == (0, 50)

    owner.run("select duly.return_payment('RET', %s, 30, 're_1', 'Refund', 'user', 'clerk')", charge)
    assert (books.unsettled(named), books.unsettled(other)) == (0, 80)

    owner.run("select duly.restore_payment('BACK', %s, 30, 're_1')", charge)
    assert (books.unsettled(named), books.unsettled(other)) == (0, 50)


def test_a_payment_for_two_invoices_settles_the_earlier_due_first(books: Books) -> None:
    books.configure(WITHIN_TEN_DAYS)
    late = books.invoice("INV 1", "acc_1", 100, due_on=date(2026, 6, 10))
    early = books.invoice("INV 2", "acc_1", 100, due_on=date(2026, 6, 1))

    payment = books.pay("PAY 1", "acc_1", 150, addressed_invoice_ids=_ids(late, early))

    assert books.allocations("acc_1") == {(payment, early, 100), (payment, late, 50)}


def test_under_pure_fifo_what_a_payment_addresses_is_ignored(books: Books) -> None:
    books.configure('[ledger]\nallocation_principle = "fifo"')
    first, second = books.invoice("INV 1", "acc_1", 100), books.invoice("INV 2", "acc_1", 100)

    payment = books.pay("PAY 1", "acc_1", 100, addressed_invoice_ids=_ids(second))

    assert books.allocations("acc_1") == {(payment, first, 100)}


def test_an_invoice_reopens_when_its_payment_is_cancelled(books: Books) -> None:
    invoice = books.invoice("INV 1", "acc_1", 100)
    payment = books.pay("PAY 1", "acc_1", 100)
    assert books.transaction(invoice)["is_settled"]

    books.call("cancel_payment", key="PCN 1", payment_id=payment)

    assert not books.transaction(invoice)["is_settled"]
    assert books.unsettled(invoice) == 100


def test_a_cancelled_payment_s_invoice_is_settled_by_credit_that_waits(books: Books) -> None:
    invoice = books.invoice("INV 1", "acc_1", 100)
    payment = books.pay("PAY 1", "acc_1", 100)
    waiting = books.pay("PAY 2", "acc_1", 100)

    books.call("cancel_payment", key="PCN 1", payment_id=payment)

    assert (waiting, invoice, 100) in books.allocations("acc_1")


def test_only_posted_invoices_of_the_account_can_be_addressed(books: Books) -> None:
    other, draft = (
        books.invoice("INV 1", "acc_2", 100),
        books.invoice("INV 2", "acc_1", 100, draft=True, posted_on=None),
    )

    for invoice in (other, draft, "ft_999"):
        with pytest.raises(PrerequisiteError, match="addressed_invoice_posted"):
            books.pay(f"PAY {invoice}", "acc_1", 100, addressed_invoice_ids=_ids(invoice))
        with pytest.raises(PrerequisiteError, match="addressed_invoice_posted"):
            books.credit_note(f"CN {invoice}", "acc_1", 100, addressed_invoice_ids=_ids(invoice))


def test_waiting_credit_settles_a_batch_by_due_date(books: Books) -> None:
    payment = books.pay("PAY 1", "acc_1", 150)

    batch = books.run(
        "select transaction_id from duly.post_invoices(%s)",
        _batch(("INV 1", "2026-05-21"), ("INV 2", "2026-05-20")),
    )

    (later,), (earlier,) = batch
    assert books.allocations("acc_1") == {(payment, earlier, 100), (payment, later, 50)}


def _ids(*ids: str) -> str:
    return "{" + ",".join(ids) + "}"


def _batch(*documents: tuple[str, str]) -> str:
    return json.dumps(
        [
            {"key": key, "account_id": "acc_1", "currency": "EUR", "posted_on": posted_on, "lines": [line(100)]}
            for key, posted_on in documents
        ]
    )


def _credit(books: Books, way: str, amount: int, invoice: str) -> str:
    if way == "credit note":
        return books.credit_note("CN", "acc_1", amount, addressed_invoice_ids=_ids(invoice))
    if way == "bank":
        return books.pay("PAY", "acc_1", amount, method="bank_transfer", addressed_invoice_ids=_ids(invoice))
    draft = "select duly.draft_payment('CHG', 'acc_1', %s, 'EUR', 'card', 'stripe', array[%s], 'system')"
    payment = str(books.value(draft, amount, invoice))
    books.run("select duly.post_gateway_payment(%s, 'pi_1')", payment)
    return payment
