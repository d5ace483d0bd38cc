"""Value that was given away stays what it is, whatever it is made into; what was bought is nobody's present."""

import pytest

from tests.ledger.books import Books, line
from tests.vouchers.test_vouchers import issue, redeem, refundable
from tests.vouchers.value_history import ValueHistory
from tests.wallets.conftest import WALLETS
from tests.wallets.test_wallets import credit, debit


def test_a_credit_note_for_what_a_given_voucher_has_paid_is_not_paid_out_by_pure_fifo(
    vouchers: Books, voucher_owner: Books
) -> None:
    voucher_owner.run("update duly.definitions set allocation_principle = 'fifo'")
    issue(vouchers, "i1", "given")
    redeem(vouchers, "r1", "given")
    invoice = vouchers.invoice("n1", "acc_1", 3500)
    vouchers.pay("p1", "acc_1", 1000)

    for number, amount in enumerate((2000, 1000)):
        vouchers.credit_note(f"c{number}", "acc_1", amount, addressed_invoice_ids=[invoice])

    # Of 30.00 that were credited 25.00 had been given.
    assert (vouchers.balance("acc_1"), refundable(vouchers)) == (-3000, 500)


def test_vouchers_that_were_bought_by_a_given_one_are_given(vouchers: Books) -> None:
    issue(vouchers, "i1", "given")
    redeem(vouchers, "r1", "given")
    issue(vouchers, "i2", "a", "b", amount=2000, type="sold", account_id="acc_1")
    vouchers.pay("p1", "acc_1", 1500)

    for number, code in enumerate("ab"):
        redeem(vouchers, f"b{number}", code, "acc_2")

    assert (vouchers.balance("acc_2"), refundable(vouchers, "acc_2")) == (-4000, 1500)


def test_a_voucher_that_pays_for_its_own_batch_is_no_present(vouchers: Books) -> None:
    issue(vouchers, "i1", "a", "b", type="sold", account_id="acc_1")
    redeem(vouchers, "r1", "a")
    vouchers.pay("p1", "acc_1", 2500)
    redeem(vouchers, "r2", "b")

    assert refundable(vouchers) == 2500


def test_what_was_bought_into_a_wallet_is_no_present_whatever_it_has_paid(
    vouchers: Books, voucher_owner: Books
) -> None:
    voucher_owner.configure(WALLETS)
    vouchers.pay("p1", "acc_1", 2000, type_id="wallet_payment")
    credit(vouchers, "w1", 1000)
    # It pays the second top-up, which is spent on nothing.
    debit(vouchers, "d1", 1000)
    debit(vouchers, "d2", 1500)

    assert (vouchers.balance("acc_1"), refundable(vouchers)) == (-1500, 1500)


def test_of_a_top_up_that_was_paid_in_part_by_a_given_voucher_that_part_is_given(
    vouchers: Books, voucher_owner: Books
) -> None:
    voucher_owner.configure(WALLETS)
    issue(vouchers, "i1", "given", amount=400)
    redeem(vouchers, "r1", "given")
    credit(vouchers, "w1", 1000)
    vouchers.pay("p1", "acc_1", 600)

    for number in range(2):
        debit(vouchers, f"d{number}", 500)

    assert (vouchers.balance("acc_1"), refundable(vouchers)) == (-1000, 600)
    vouchers.invoice("n1", "acc_1", lines=[line(400)])
    assert refundable(vouchers) == 600


@pytest.mark.nightly
@pytest.mark.parametrize("principle", ["fifo", "against_item_and_fifo"])
@pytest.mark.parametrize("gives", [True, False])
def test_nobody_gets_more_money_out_than_came_in(
    vouchers: Books, voucher_owner: Books, principle: str, *, gives: bool
) -> None:
    voucher_owner.configure(WALLETS)
    voucher_owner.run("update duly.definitions set allocation_principle = %s", principle)

    for seed in range(6):
        history = ValueHistory(vouchers, seed, gives=gives)
        for _ in range(60):
            history.step()
