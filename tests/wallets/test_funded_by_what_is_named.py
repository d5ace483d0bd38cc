"""A payment that says which invoices it is for pays these, also where its type funds wallets by what is left."""

from tests.ledger.books import Books
from tests.wallets.conftest import WALLETS
from tests.wallets.test_wallets import beside, held

BY_DEFAULT = WALLETS.replace('funded_by = ["wallet_payment"]', 'funded_by = ["wallet_payment", "payment"]')


def test_what_a_payment_names_is_settled_and_the_rest_funds_the_wallet(wallets: Books, wallet_owner: Books) -> None:
    wallet_owner.configure(BY_DEFAULT)
    named, other = wallets.invoice("i1", "acc_1", 1000), wallets.invoice("i2", "acc_1", 3000)

    wallets.pay("p1", "acc_1", 1000, addressed_invoice_ids=[named])
    paid = (held(wallets), wallets.unsettled(named))
    wallets.pay("p2", "acc_1", 1500, addressed_invoice_ids=[other])
    in_part = (held(wallets), wallets.unsettled(other))
    wallets.pay("p3", "acc_1", 2000, addressed_invoice_ids=[other])
    wallets.pay("p4", "acc_1", 700)

    assert (paid, in_part) == ((0, 0), (0, 1500))
    assert (wallets.unsettled(other), held(wallets)) == (0, 500 + 700)
    [first, second] = [row[0] for row in wallets.run("select id from duly.wallet_transactions order by wallet_version")]
    assert (beside(wallets, first), beside(wallets, second)) == (["invoice"], ["invoice"])


def test_by_pure_fifo_a_payment_that_names_invoices_funds_no_wallet(wallets: Books, wallet_owner: Books) -> None:
    wallet_owner.configure(BY_DEFAULT)
    wallet_owner.run("update duly.definitions set allocation_principle = 'fifo'")
    named = wallets.invoice("i1", "acc_1", 1000)

    wallets.pay("p1", "acc_1", 1000, addressed_invoice_ids=[named])

    assert (held(wallets), wallets.unsettled(named)) == (0, 0)
