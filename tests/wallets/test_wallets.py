"""Wallets: credited, spent, voided and expired, with what is posted beside them, and never below zero."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from models.ledger.refusals import (
    InvalidInputError,
    KeyReusedError,
    LedgerError,
    PostconditionError,
    PrerequisiteError,
)
from tests.ledger.books import Books, refused


def credit(books: Books, key: str, amount: int, type: str = "top_up", account: str = "acc_1", **fields: Any) -> str:
    return move(books, "wallet_credit", key, amount, type, account, **fields)


def debit(books: Books, key: str, amount: int, type: str = "spend", account: str = "acc_1", **fields: Any) -> str:
    return move(books, "wallet_debit", key, amount, type, account, **fields)


def move(books: Books, function: str, key: str, amount: int, type: str, account: str, **fields: Any) -> str:
    given = {"key": key, "account_id": account, "amount_minor": amount, "currency": "EUR", "type_id": type, **fields}
    names = ", ".join(f"p_{name} => %s" for name in given)
    return str(books.value(f"select duly.{function}({names})", *given.values()))


def void(books: Books, key: str, wallet_transaction: str) -> str:
    return str(books.value("select duly.wallet_void(%s, %s)", key, wallet_transaction))


def held(books: Books, account: str = "acc_1") -> int:
    return int(books.value("select duly.wallet_balance(%s)", account))


def beside(books: Books, wallet_transaction: str) -> list[str]:
    """Return the classifications of what was posted beside a wallet transaction."""
    rows = books.run(
        "select t.classification from duly.wallet_transactions w join duly.financial_transactions t"
        " on t.id in (w.transaction_id, w.made_invoice_id) where w.id = %s order by t.account_version",
        wallet_transaction,
    )
    return [row[0] for row in rows]


def expire_by(owner: Books, days: int) -> None:
    """Let so many days go by for the credits of all wallets."""
    owner.run("alter table duly.wallet_transactions disable trigger append_only")
    owner.run("update duly.wallet_transactions set expires_on = expires_on - %s", days)
    owner.run("alter table duly.wallet_transactions enable trigger append_only")


def test_a_top_up_is_invoiced_and_lies_in_the_wallet_when_it_is_owed(wallets: Books) -> None:
    made = credit(wallets, "k1", 5000)

    assert (held(wallets), wallets.balance("acc_1"), beside(wallets, made)) == (5000, 5000, ["invoice"])
    assert wallets.transfers(made) == [("wallet_clearing", "wallet:acc_1", 5000)]


def test_asking_again_with_the_same_key_changes_nothing_and_another_request_is_refused(wallets: Books) -> None:
    made = credit(wallets, "k1", 5000)

    assert credit(wallets, "k1", 5000) == made
    refused(lambda: credit(wallets, "k1", 4000), KeyReusedError, "key_means_one_request")
    assert held(wallets) == 5000


def test_what_is_owed_the_longest_is_paid_from_the_wallet(wallets: Books) -> None:
    credit(wallets, "k1", 5000, "present")
    old, new = wallets.invoice("i1", "acc_1", 3000), wallets.invoice("i2", "acc_1", 3000)

    made = debit(wallets, "d1", 4000)

    assert (held(wallets), wallets.unsettled(old), wallets.unsettled(new)) == (1000, 0, 2000)
    assert (wallets.transfers(made), beside(wallets, made)) == (
        [("wallet:acc_1", "wallet_clearing", 4000)],
        ["payment"],
    )


def test_an_invoice_that_is_named_is_paid_first(wallets: Books) -> None:
    credit(wallets, "k1", 5000, "present")
    old, new = wallets.invoice("i1", "acc_1", 3000), wallets.invoice("i2", "acc_1", 3000)

    debit(wallets, "d1", 3000, invoices=[new])

    assert (wallets.unsettled(old), wallets.unsettled(new)) == (3000, 0)


def test_what_is_bought_from_the_wallet_is_invoiced_with_its_tax_and_paid_whatever_else_is_owed(wallets: Books) -> None:
    credit(wallets, "k1", 5000, "present")
    owed = wallets.invoice("i1", "acc_1", 3000)

    made = debit(wallets, "d1", 1190, "film")

    assert (held(wallets), wallets.unsettled(owed), beside(wallets, made)) == (3810, 3000, ["invoice", "payment"])
    invoice = wallets.value("select made_invoice_id from duly.wallet_transactions where id = %s", made)
    assert wallets.transfers(invoice) == [
        ("receivable:acc_1", "revenue:film", 1000),
        ("receivable:acc_1", "vat_payable", 190),
    ]


def test_voiding_a_credit_that_was_invoiced_cancels_its_invoice(wallets: Books) -> None:
    made = credit(wallets, "k1", 5000)

    voided = void(wallets, "v1", made)

    assert (held(wallets), wallets.balance("acc_1"), beside(wallets, voided)) == (0, 0, ["invoice_cancellation"])
    assert void(wallets, "v1", made) == voided
    refused(lambda: void(wallets, "v2", made), PrerequisiteError, "wallet_voided_once")
    refused(lambda: void(wallets, "v3", voided), PrerequisiteError, "wallet_voided_once")


def test_voiding_what_was_bought_cancels_invoice_and_payment_and_gives_the_credits_back(wallets: Books) -> None:
    credit(wallets, "k1", 2000, "present")
    made = debit(wallets, "d1", 1190, "film")

    voided = void(wallets, "v1", made)

    assert beside(wallets, voided) == ["invoice_cancellation", "payment_cancellation"]
    assert (held(wallets), wallets.balance("acc_1")) == (2000, 0)
    assert wallets.run("select left_minor from duly.wallet_credits('acc_1')") == [(2000,)]


def test_a_credit_of_which_something_is_spent_is_not_voided_until_that_is(wallets: Books) -> None:
    made = credit(wallets, "k1", 2000, "present")
    spent = debit(wallets, "d1", 500)
    refused(lambda: void(wallets, "v1", made), PrerequisiteError, "wallet_credit_unspent")

    void(wallets, "v2", spent)
    void(wallets, "v3", made)

    assert held(wallets) == 0


def test_a_payment_of_its_type_funds_the_wallet_whatever_else_is_owed(wallets: Books) -> None:
    owed = wallets.invoice("i1", "acc_1", 3000)

    wallets.pay("p1", "acc_1", 2500, type_id="wallet_payment")

    assert (held(wallets), wallets.unsettled(owed), wallets.balance("acc_1")) == (2500, 3000, 3000)


def test_what_a_payment_brings_above_the_limit_settles_what_is_owed(wallets: Books) -> None:
    owed = wallets.invoice("i1", "acc_1", 3000)

    wallets.pay("p1", "acc_1", 12000, type_id="wallet_payment")

    assert (held(wallets), wallets.unsettled(owed)) == (10000, 1000)


def test_cancelling_a_payment_by_the_type_that_says_so_voids_what_it_has_funded(wallets: Books) -> None:
    kept = wallets.pay("p1", "acc_1", 2500, type_id="wallet_payment")
    taken_back = wallets.pay("p2", "acc_1", 1000, type_id="wallet_payment")

    wallets.call("cancel_payment", key="c1", payment_id=taken_back, type_id="wallet_payment_cancellation")
    assert (held(wallets), wallets.balance("acc_1")) == (2500, 0)

    wallets.call("cancel_payment", key="c2", payment_id=kept)
    assert (held(wallets), wallets.balance("acc_1")) == (2500, 2500)


def test_what_was_spent_is_owed_when_the_payment_that_funded_it_is_cancelled(wallets: Books) -> None:
    payment = wallets.pay("p1", "acc_1", 2500, type_id="wallet_payment")
    debit(wallets, "d1", 1190, "film")

    wallets.call("cancel_payment", key="c1", payment_id=payment, type_id="wallet_payment_cancellation")

    assert (held(wallets), wallets.balance("acc_1")) == (1310, 2500)


def test_what_ends_first_is_spent_first_and_what_has_expired_is_booked_and_not_spent(
    wallets: Books, wallet_owner: Books
) -> None:
    credit(wallets, "k1", 1000)
    credit(wallets, "k2", 1000, "present")
    debit(wallets, "d1", 300)
    assert wallets.run("select type_id, left_minor from duly.wallet_credits('acc_1')") == [
        ("present", 700),
        ("top_up", 1000),
    ]
    expire_by(wallet_owner, 31)

    refused(lambda: debit(wallets, "d2", 1001), PostconditionError, "wallet_never_negative")
    assert wallets.run("select * from duly.expire_wallets('', 100)") == [("acc_1", 1)]
    assert wallets.run("select * from duly.expire_wallets('', 100)") == [(None, 0)]

    assert held(wallets) == 1000
    assert (
        wallets.value("select credit_minor from duly.trial_balance() where ledger_account = 'revenue:breakage'") == 700
    )


def test_what_a_void_gives_back_of_expired_credit_expires_again(wallets: Books, wallet_owner: Books) -> None:
    credit(wallets, "k1", 1000, "present")
    spent = debit(wallets, "d1", 400)
    expire_by(wallet_owner, 31)
    wallets.run("select * from duly.expire_wallets('', 100)")

    void(wallets, "v1", spent)
    assert held(wallets) == 400
    wallets.run("select * from duly.expire_wallets('', 100)")

    assert held(wallets) == 0


def test_a_credit_that_makes_no_sense_is_refused(wallets: Books) -> None:
    cases: tuple[tuple[int, str, dict[str, Any], type[LedgerError], str], ...] = (
        (10001, "top_up", {}, PostconditionError, "wallet_limit"),
        (0, "top_up", {}, InvalidInputError, "amount_in_range"),
        (100, "spend", {}, InvalidInputError, "wallet_type_exists"),
        (100, "top_up", {"currency": "USD"}, InvalidInputError, "currency_of_account"),
        (100, "present", {"expires_on": "2026-01-01"}, InvalidInputError, "wallet_end_to_come"),
        (100, "top_up", {"account": "acc_none"}, PrerequisiteError, "account_exists"),
    )

    for amount, kind, fields, error, rule in cases:
        refused(lambda a=amount, k=kind, f=fields: credit(wallets, "k1", a, k, **f), error, rule)  # type: ignore[misc]


def test_nothing_else_moves_money_between_a_wallet_and_an_account(wallets: Books) -> None:
    credit(wallets, "k1", 5000)
    paid = debit(wallets, "d1", 1000)
    payment, invoice = (
        wallets.value("select transaction_id from duly.wallet_transactions where id = %s", one)
        for one in (paid, "wt_1")
    )

    for action in (
        lambda: wallets.pay("p1", "acc_1", 100, method="prepaid"),
        lambda: wallets.call("cancel_payment", key="c1", payment_id=payment),
        lambda: wallets.call("cancel_invoice", key="c2", invoice_id=invoice),
        lambda: wallets.call("move_to_account", key="m1", payment_id=payment, account_id="acc_2"),
        lambda: wallets.call(
            "create_refund", key="r1", account_id="acc_1", amount_minor=10, currency="EUR", method="prepaid"
        ),
    ):
        refused(action, PrerequisiteError, "wallet_transaction_first")
    assert held(wallets) == 4000


def test_an_account_is_not_ended_with_money_in_its_wallet(wallets: Books) -> None:
    credit(wallets, "k1", 100, "present")

    refused(
        lambda: wallets.run("select duly.set_account_state('acc_1', 'terminated')"), PostconditionError, "wallet_empty"
    )


def test_of_many_who_spend_or_fill_at_once_as_many_go_through_as_there_is_money_or_room(
    wallets: Books, database_url: str
) -> None:
    credit(wallets, "k1", 5000, "present")

    def attempt(number: int) -> bool:
        books = Books(database_url)
        try:
            move = debit if number % 2 else credit
            move(books, f"c{number}", 3000, "spend" if number % 2 else "present", currency="EUR")
        except PostconditionError:
            return False
        finally:
            books.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        went = list(threads.map(attempt, range(16)))

    assert 0 <= held(wallets) <= 10000
    assert held(wallets) == 5000 + 3000 * (sum(went[::2]) - sum(went[1::2]))
