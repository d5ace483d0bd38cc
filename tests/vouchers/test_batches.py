"""Whole batches: how large one may be, and what cancelling one whose invoice was written off gives back."""

from models.ledger.refusals import InvalidInputError
from tests.ledger.books import Books, refused
from tests.vouchers.test_vouchers import cancel, credited, issue, redeem
from tests.vouchers.voucher_history import EXPENSE


def test_nobody_is_credited_for_vouchers_that_nobody_has_paid_and_that_were_written_off(vouchers: Books) -> None:
    batch = issue(vouchers, "i1", *"abcde", type="sold", account_id="acc_1")
    vouchers.pay("p1", "acc_1", 6000)
    redeem(vouchers, "r1", "e", "acc_2")
    invoice = vouchers.value("select transaction_id from duly.voucher_transactions where kind = 'issued'")
    vouchers.call("write_off", key="w1", invoice_id=invoice, type_id="write_off")

    step = cancel(vouchers, "c1", batch)

    # 65.00 of 125.00 were lost: three of the four that are out were not paid, or not whole.
    assert cancel(vouchers, "c1", batch) == step
    assert (vouchers.balance("acc_1"), credited(vouchers, "vouchers"), credited(vouchers, "write_off")) == (
        -2500,
        0,
        1000,
    )


def test_a_batch_has_ten_thousand_vouchers_and_no_more(vouchers: Books) -> None:
    codes = [str(number) for number in range(10_001)]

    refused(lambda: issue(vouchers, "i1", *codes), InvalidInputError, "voucher_count")
    batch = issue(vouchers, "i1", *codes[1:])
    redeem(vouchers, "r1", "10000")
    cancel(vouchers, "c1", batch)

    assert (credited(vouchers, "vouchers"), credited(vouchers, EXPENSE)) == (0, -2500)
