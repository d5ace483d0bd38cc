"""Cancellations, write-offs and moves: what they need, what they leave behind (F61 to F84)."""

from models.ledger.refusals import (
    ConfigurationError,
    InvalidInputError,
    PostconditionError,
    PrerequisiteError,
)
from tests.ledger.books import Books, line, refused


def test_a_cancelled_invoice_stays_and_its_cancellation_copies_its_lines(books: Books) -> None:
    invoice = books.invoice("i1", "acc_1", lines=[line(100, tax_percent=19), line(50, product="silver")])

    receipt = books.call(
        "cancel_invoice", key="c1", invoice_id=invoice, type_id="invoice_posted_by_error", issue_reason="wrong price"
    )

    assert receipt.number == "ICN-0000000001"
    assert books.transaction(invoice)["state"] == "cancelled"
    assert books.transaction(receipt.transaction_id)["counterpart_id"] == invoice
    assert books.balance("acc_1") == 0
    assert books.transfers(receipt.transaction_id) == [
        (credit, debit, amount) for debit, credit, amount in books.transfers(invoice)
    ]
    copied = "select count(*) from duly.transaction_lines where transaction_id = %s"
    assert books.value(copied, receipt.transaction_id) == 2


def test_a_write_off_is_posted_on_the_customers_day_in_both_accounts(books: Books) -> None:
    """For most of the day it is tomorrow already on Kiritimati: the write-off account, in UTC, takes that day."""
    account = books.open_account("acc_far", time_zone="Pacific/Kiritimati")
    invoice = books.invoice("i1", account, 100, posted_on=None)

    receipt = books.call("write_off", key="w1", invoice_id=invoice, type_id="write_off", issue_reason="bad_debt")

    days = "select distinct posted_on from duly.financial_transactions where id = %s or counterpart_id = %s"
    assert len(books.run(days, receipt.transaction_id, receipt.transaction_id)) == 1
    assert (books.balance(account), books.balance("acc_write_off_eur")) == (0, 100)


def test_what_is_cancelled_cannot_be_cancelled_again(books: Books) -> None:
    invoice, payment = books.invoice("i1", "acc_1", 100), books.pay("p1", "acc_1", 30)
    books.call("cancel_invoice", key="c1", invoice_id=invoice)
    books.call("cancel_payment", key="c2", payment_id=payment)

    refused(lambda: books.call("cancel_invoice", key="c3", invoice_id=invoice), PrerequisiteError, "posted_only")
    refused(lambda: books.call("cancel_payment", key="c4", payment_id=payment), PrerequisiteError, "posted_only")
    refused(lambda: books.call("cancel_invoice", key="c5", invoice_id=payment), PrerequisiteError, "invoice_only")
    refused(lambda: books.call("cancel_payment", key="c6", payment_id=invoice), PrerequisiteError, "payment_only")
    assert books.balance("acc_1") == 0


def test_a_part_paid_invoice_is_written_off_by_what_is_unpaid(books: Books) -> None:
    invoice = books.invoice("i1", "acc_1", 100)
    books.pay("p1", "acc_1", 60)

    write_off = books.call("write_off", key="w1", invoice_id=invoice, type_id="write_off", issue_reason="bad_debt")

    assert books.transaction(write_off.transaction_id)["total_minor"] == 40
    assert books.transaction(invoice)["state"] == "written_off"
    assert (books.balance("acc_1"), books.balance("acc_write_off_eur")) == (0, 40)
    assert books.unsettled(invoice) == 0


def test_what_was_written_off_is_owed_again_when_its_payment_is_cancelled(books: Books) -> None:
    invoice, payment = books.invoice("i1", "acc_1", 100), books.pay("p1", "acc_1", 60)
    books.call("write_off", key="w1", invoice_id=invoice, type_id="write_off")

    books.call("cancel_payment", key="c1", payment_id=payment)

    owed = "select transaction_id, unsettled_minor from duly.unsettled_invoices('acc_1')"
    assert books.run(owed) == [(invoice, 60)]
    assert books.transaction(invoice)["state"] == "written_off"

    # A payment for it takes what is open, and leaves the write-off in its place.
    again = books.pay("p2", "acc_1", 100, addressed_invoice_ids=[invoice])
    assert books.run(owed) == []
    assert (again, invoice, 60) in books.allocations("acc_1")
    assert books.balance("acc_1") == -40


def test_money_for_what_was_written_off_is_taken_and_pays_that_debt_when_it_is_moved_there(books: Books) -> None:
    other, invoice = (books.invoice(key, "acc_1", 100) for key in ("i0", "i1"))
    for key, given_up in (("w0", other), ("w1", invoice)):
        books.call("write_off", key=key, invoice_id=given_up, type_id="write_off")

    payment = books.pay("p1", "acc_1", 100, addressed_invoice_ids=f"{{{invoice}}}")
    assert (books.balance("acc_1"), books.unsettled(payment)) == (-100, 100)
    moved = books.call("move_to_account", key="m1", payment_id=payment, account_id="acc_write_off_eur").transaction_id

    (((mirror,),), ((paid,),)) = (
        books.run("select m.id from duly.financial_transactions m join duly.financial_transactions w"
                  " on w.id = m.counterpart_id where w.counterpart_id = %s and m.classification = 'invoice'", invoice),
        books.run("select debit_id from duly.current_allocations where credit_id = %s", moved),
    )  # fmt: skip
    assert paid == mirror
    assert (books.balance("acc_1"), books.balance("acc_write_off_eur")) == (0, 100)
    assert books.violations() == []


def test_a_credit_note_is_not_for_what_was_written_off(books: Books) -> None:
    invoice = books.invoice("i1", "acc_1", 100)
    books.call("write_off", key="w1", invoice_id=invoice, type_id="write_off")

    refused(
        lambda: books.credit_note("n1", "acc_1", 100, addressed_invoice_ids=f"{{{invoice}}}"),
        PrerequisiteError,
        "addressed_invoice_posted",
    )


def test_an_invoice_of_nothing_is_settled_at_once_and_can_be_cancelled(books: Books) -> None:
    invoice = books.invoice("i1", "acc_1", 0)

    assert (books.transaction(invoice)["number"], books.transaction(invoice)["is_settled"]) == ("INV-0000000001", True)
    refused(
        lambda: books.call("write_off", key="w1", invoice_id=invoice, type_id="write_off"),
        PrerequisiteError,
        "unsettled_only",
    )
    books.pay("p1", "acc_1", 10, addressed_invoice_ids=f"{{{invoice}}}")
    books.call("cancel_invoice", key="c1", invoice_id=invoice)

    assert (books.balance("acc_1"), books.transfers(invoice), books.violations()) == (-10, [], [])


def test_the_tax_of_a_write_off_is_that_of_its_product(books: Books) -> None:
    books.configure(
        '[[products]]\nid = "bad_debt"\nname = "Bad debt"\ntax_rate = "standard"\nledger_account = "write_off"'
    )
    invoice = books.invoice("i1", "acc_1", lines=[line(100_00, tax_percent=19)])

    write_off = books.call("write_off", key="w1", invoice_id=invoice, type_id="write_off")

    assert books.transfers(write_off.transaction_id) == [
        ("write_off", "receivable:acc_1", 100_00),
        ("vat_payable", "receivable:acc_1", 19_00),
    ]


def test_a_write_off_needs_an_unsettled_invoice_a_type_and_a_product(books: Books) -> None:
    settled, payment = books.invoice("i1", "acc_1", 100), books.pay("p1", "acc_1", 100)
    invoice = books.invoice("i2", "acc_1", 100)

    def write_off(of: str, type_id: str | None = "write_off") -> object:
        return books.call("write_off", key=f"w{of}", invoice_id=of, type_id=type_id)

    refused(lambda: write_off(settled), PrerequisiteError, "unsettled_only")
    refused(lambda: write_off(payment), PrerequisiteError, "invoice_only")
    refused(lambda: write_off(invoice, None), InvalidInputError, "write_off_type_given")
    books.configure('[ledger]\nwrite_off_product = "none"')
    refused(lambda: write_off(invoice), ConfigurationError, "write_off_product_set")


def test_the_mirror_of_a_write_off_stays_with_it(books: Books) -> None:
    invoice = books.invoice("i1", "acc_1", 100)
    books.call("write_off", key="w1", invoice_id=invoice, type_id="write_off")
    mirror = books.value("select id from duly.transactions where account_id = 'acc_write_off_eur'")

    refused(lambda: books.call("cancel_invoice", key="c1", invoice_id=mirror), PrerequisiteError, "mirror_stays")
    refused(lambda: books.call("cancel_invoice", key="c2", invoice_id=invoice), PrerequisiteError, "posted_only")


def test_a_moved_payment_settles_the_other_account_and_leaves_the_money_where_it_is(books: Books) -> None:
    payment, invoice = books.pay("p1", "acc_1", 100), books.invoice("i1", "acc_2", 100)

    moved = books.call("move_to_account", key="m1", payment_id=payment, account_id="acc_2")

    assert (books.balance("acc_1"), books.balance("acc_2")) == (0, 0)
    assert books.transaction(payment)["state"] == "cancelled"
    assert books.transaction(moved.transaction_id)["counterpart_id"] == payment
    assert books.unsettled(invoice) == 0


def test_a_moved_gateway_payment_keeps_its_reference(books: Books) -> None:
    payment = books.charge("p1", "acc_1", 100, "pi_1")

    moved = books.call("move_to_account", key="m1", payment_id=payment, account_id="acc_2")

    assert books.transaction(moved.transaction_id)["gateway_reference"] == "pi_1"
    clearing = (
        "select debit_minor - credit_minor from duly.trial_balance() where ledger_account = 'gateway_clearing:stripe'"
    )
    assert books.value(clearing) == 100


def test_a_payment_moves_to_another_open_account_of_its_currency(books: Books) -> None:
    payment, invoice = books.pay("p1", "acc_1", 100), books.invoice("i1", "acc_2", 100)
    books.open_account("acc_usd", "USD")

    def move(what: str, where: str) -> object:
        return books.call("move_to_account", key=f"m{what}{where}", payment_id=what, account_id=where)

    refused(lambda: move(payment, "acc_1"), InvalidInputError, "other_account")
    refused(lambda: move(payment, "acc_9"), PrerequisiteError, "account_exists")
    refused(lambda: move(payment, "acc_usd"), InvalidInputError, "currency_of_account")
    refused(lambda: move(invoice, "acc_1"), PrerequisiteError, "payment_only")
    books.run("select duly.set_account_state('acc_2', 'terminated')")
    refused(lambda: move(payment, "acc_2"), PostconditionError, "account_not_terminated")
