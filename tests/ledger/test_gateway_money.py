"""Payments through a gateway, suspense, fees and disputes: clearing follows the money."""

import pytest

from models.ledger.refusals import InvalidInputError, KeyReusedError, PostconditionError, PrerequisiteError
from tests.ledger.books import Books
from tests.ledger.oracle.transfers import GatewayMovement, gateway_movement_transfer


def draft(books: Books, key: str = "p1", account_id: str = "acc_1", invoices: str = "{}", amount: int = 100) -> str:
    return str(
        books.value(
            "select duly.draft_payment(%s, %s, %s, 'EUR', 'card', 'stripe', %s, 'system')",
            key, account_id, amount, invoices,
        )
    )  # fmt: skip


def post(books: Books, payment: str, reference: str = "pi_1") -> str:
    return str(books.value("select duly.post_gateway_payment(%s, %s)", payment, reference))


def test_a_drafted_payment_is_the_same_for_the_same_key(books: Books) -> None:
    payment = draft(books)

    assert draft(books) == payment
    with pytest.raises(KeyReusedError):
        draft(books, amount=101)
    assert books.balance("acc_1") == 0


def test_a_paid_draft_settles_what_it_addresses_and_a_repeat_changes_nothing(books: Books) -> None:
    books.invoice("i1", "acc_1", 100)
    second = books.invoice("i2", "acc_1", 100)
    payment = draft(books, invoices="{" + second + "}")

    number = post(books, payment)

    assert post(books, payment) == number == "PAY-0000000001"
    assert books.allocations("acc_1") == {(payment, second, 100)}
    assert books.transfers(payment) == [("gateway_clearing:stripe", "receivable:acc_1", 100)]


def test_an_invoice_cancelled_meanwhile_is_passed_over(books: Books) -> None:
    first, second = books.invoice("i1", "acc_1", 100), books.invoice("i2", "acc_1", 100)
    payment = draft(books, invoices="{" + second + "}")
    books.call("cancel_invoice", key="c1", invoice_id=second)

    post(books, payment)

    assert (payment, first, 100) in books.allocations("acc_1")


def test_money_for_a_terminated_account_waits_in_suspense(books: Books) -> None:
    payment = draft(books)
    books.run("select duly.set_account_state('acc_1', 'terminated')")

    post(books, payment)

    found = books.transaction(payment)
    assert (found["account_id"], found["intended_account_id"]) == ("acc_suspense_eur", "acc_1")
    assert (books.balance("acc_1"), books.balance("acc_suspense_eur")) == (0, -100)


def test_what_waits_in_suspense_is_moved_to_its_account(books: Books) -> None:
    payment = draft(books)
    books.run("select duly.set_account_state('acc_1', 'terminated')")
    post(books, payment)

    books.call("move_to_account", key="m1", payment_id=payment, account_id="acc_2")

    assert (books.balance("acc_suspense_eur"), books.balance("acc_2")) == (0, -100)


def test_one_charge_is_booked_once(books: Books) -> None:
    post(books, draft(books, "p1"))

    with pytest.raises(PrerequisiteError, match="gateway_reference_unique"):
        post(books, draft(books, "p2"))


def test_a_rejected_payment_stays_rejected(books: Books) -> None:
    payment = draft(books)
    for _ in range(2):
        books.run("select duly.reject_payment(%s, 'insufficient_funds')", payment)

    with pytest.raises(PrerequisiteError, match="draft_only"):
        post(books, payment)
    assert books.transaction(payment)["rejection_reason"] == "insufficient_funds"


def test_a_posted_payment_is_not_rejected(books: Books) -> None:
    payment = draft(books)
    post(books, payment)

    with pytest.raises(PrerequisiteError, match="draft_only"):
        books.run("select duly.reject_payment(%s, 'late')", payment)


def test_a_rejection_says_why(books: Books) -> None:
    payment = draft(books)

    with pytest.raises(PostconditionError, match="rejection_reason_given"):
        books.run("select duly.reject_payment(%s, '')", payment)


def test_a_draft_on_a_terminated_account_is_still_rejected_by_the_gateway(books: Books) -> None:
    payment = draft(books)
    books.run("select duly.set_account_state('acc_1', 'terminated')")

    books.run("select duly.reject_payment(%s, 'expired_card')", payment)

    assert books.transaction(payment)["state"] == "rejected"


@pytest.mark.parametrize("movement", GatewayMovement)
def test_each_gateway_movement_is_booked_once_as_the_chart_says(books: Books, movement: GatewayMovement) -> None:
    statement = "select duly.book_gateway_movement(%s, %s, 'stripe', 'EUR', 30, 'txn_1')"

    booking = books.value(statement, "k1", movement)

    transfer = gateway_movement_transfer(movement, "stripe", 30)
    assert books.value(statement, "k1", movement) == booking
    assert books.transfers(booking) == [(transfer.debit, transfer.credit, 30)]


def test_a_movement_with_another_amount_needs_another_key(books: Books) -> None:
    statement = "select duly.book_gateway_fee('k1', 'stripe', 'EUR', %s, 'txn_1')"
    books.run(statement, 30)

    with pytest.raises(KeyReusedError):
        books.run(statement, 31)
    with pytest.raises(InvalidInputError, match="amount_in_range"):
        books.run(statement, 0)


def test_after_fee_dispute_and_payout_clearing_is_what_is_left_at_the_gateway(books: Books) -> None:
    post(books, draft(books, amount=1000))
    for kind, amount in (
        ("fee", 30),
        ("dispute_held", 200),
        ("dispute_released", 200),
        ("payout", 500),
        ("payout_arrived", 300),
    ):
        books.run("select duly.book_gateway_movement(%s, %s, 'stripe', 'EUR', %s, 'txn_1')", kind, kind, amount)

    balances = dict(books.run("select ledger_account, debit_minor - credit_minor from duly.trial_balance()"))

    assert balances == {
        "bank": 300,
        "dispute_holding:stripe": 0,
        "gateway_clearing:stripe": 470,
        "gateway_fees:stripe": 30,
        "payouts_in_transit:stripe": 200,
        "receivable": -1000,
    }
