"""Wallets where the configuration is in the way, one key is used twice at once, or credit was given away."""

from concurrent.futures import ThreadPoolExecutor

from models.ledger.refusals import ConfigurationError, KeyReusedError, PrerequisiteError
from tests.ledger.books import Books, refused
from tests.wallets.test_wallets import credit, debit, expire_by, held, void

# What reports read of each kind of movement.
SUMS = """
    select kind, sum(credited_minor), sum(given_minor), sum(spent_minor), sum(expired_minor), sum(corrected_minor),
        sum(change_minor) from duly.report_wallets group by kind order by kind
"""


def test_a_payment_is_booked_when_what_it_would_fund_the_wallet_by_is_out_of_use(
    wallets: Books, wallet_owner: Books
) -> None:
    owed = wallets.invoice("i1", "acc_1", 3000)
    wallet_owner.run("update duly.products set is_active = false where id = 'top_up'")
    paid = wallets.pay("p1", "acc_1", 2500, type_id="wallet_payment")
    assert (held(wallets), wallets.unsettled(owed)) == (0, 500)

    wallet_owner.run("update duly.products set is_active = true where id = 'top_up'")
    wallet_owner.run("update duly.wallet_transaction_types set expires_after_days = 3 where id = 'top_up'")
    wallet_owner.run("update duly.wallet_transaction_types set is_active = false where books_expiry")
    wallets.pay("p2", "acc_1", 100, type_id="wallet_payment")

    notified = wallets.run("select kind, parameters ->> 'code' from duly.messages order by created_at")
    assert notified == [("wallet_not_funded", "wallet_product_active"), ("wallet_not_funded", "wallet_expiry_type")]
    assert (wallets.unsettled(owed), wallets.transaction(paid)["state"]) == (400, "posted")


def test_one_key_for_two_wallets_at_once_moves_one_of_them(wallets: Books, database_url: str) -> None:
    def attempt(number: int) -> str:
        books = Books(database_url)
        try:
            return credit(books, "same", 1000, "present", f"acc_{number % 2 + 1}")
        except KeyReusedError as error:
            return error.rule
        finally:
            books.close()

    with ThreadPoolExecutor(8) as threads:
        answers = sorted(threads.map(attempt, range(8)))

    assert (answers[:4], len(set(answers[4:]))) == (["key_means_one_request"] * 4, 1)
    assert held(wallets) + held(wallets, "acc_2") == 1000


def test_presents_that_are_spent_on_nothing_are_not_paid_out(wallets: Books) -> None:
    credit(wallets, "k1", 700, "present")
    wallets.pay("p1", "acc_1", 2000, type_id="wallet_payment")
    debit(wallets, "d1", 1000)

    assert (wallets.balance("acc_1"), promotional(wallets)) == (-1000, 700)
    wallets.invoice("i1", "acc_1", 600)
    assert (wallets.balance("acc_1"), promotional(wallets)) == (-400, 100)


def test_a_credit_whose_invoice_was_written_off_is_taken_back_with_the_loss(wallets: Books) -> None:
    made, part = credit(wallets, "k1", 1000), credit(wallets, "k2", 500)
    wallets.pay("p1", "acc_1", 1200)
    for number, one in enumerate((made, part)):
        invoice = wallets.value("select transaction_id from duly.wallet_transactions where id = %s", one)
        write_off = {"key": f"w{number}", "invoice_id": invoice, "type_id": "write_off"}
        if wallets.unsettled(invoice):
            wallets.call("write_off", **write_off)
    late = credit(wallets, "k3", 700)
    invoice = wallets.value("select transaction_id from duly.wallet_transactions where id = %s", late)
    wallets.call("write_off", key="w3", invoice_id=invoice, type_id="write_off")

    assert wallets.transfers(void(wallets, "v1", late)) == [("wallet:acc_1", "write_off", 700)]

    # What was paid in part is not taken back with what was lost of it.
    refused(lambda: void(wallets, "v2", part), PrerequisiteError, "posted_only")
    assert (held(wallets), wallets.balance("acc_1")) == (1500, 0)


def test_what_would_expire_is_not_given_back_while_nothing_books_that(wallets: Books, wallet_owner: Books) -> None:
    credit(wallets, "k1", 1000, "present")
    spent = debit(wallets, "d1", 1000)
    active = "update duly.wallet_transaction_types set is_active = %s where books_expiry"
    wallet_owner.run(active, False)

    refused(lambda: void(wallets, "v1", spent), ConfigurationError, "wallet_expiry_type")

    wallet_owner.run(active, True)
    void(wallets, "v1", spent)
    assert held(wallets) == 1000


def test_an_account_with_nothing_but_expired_credit_is_terminated(wallets: Books, wallet_owner: Books) -> None:
    credit(wallets, "k1", 1000, "present")
    expire_by(wallet_owner, 31)

    wallets.run("select duly.set_account_state('acc_1', 'terminated')")

    assert held(wallets) == 0


def promotional(books: Books) -> int:
    return int(books.value("select duly.promotional_credit('acc_1')"))


def test_each_movement_is_credited_given_spent_expired_or_corrected(wallets: Books, wallet_owner: Books) -> None:
    credit(wallets, "k1", 5000)
    void(wallets, "v1", credit(wallets, "k2", 700))
    credit(wallets, "k3", 1000, "present")
    void(wallets, "v2", debit(wallets, "d1", 300, "film"))
    debit(wallets, "d2", 400, "film")
    expire_by(wallet_owner, 31)
    wallets.run("select * from duly.expire_wallets('', 100)")

    found = {kind: tuple(map(int, sums)) for kind, *sums in wallets.run(SUMS)}

    assert found == {
        "credited": (5700, 0, 0, 0, 0, 5700),
        "given": (0, 1000, 0, 0, 0, 1000),
        "spent": (0, 0, 700, 0, 0, -700),
        "expired": (0, 0, 0, 600, 0, -600),
        "voided": (0, 0, 0, 0, -400, -400),
    }
    assert held(wallets) == sum(sums[-1] for sums in found.values())
