"""Vouchers: sold or given, redeemed once as a payment, cancelled, expired, and owed until then."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from models.ledger.refusals import (
    InvalidInputError,
    KeyReusedError,
    LedgerError,
    PostconditionError,
    PrerequisiteError,
)
from tests.ledger.books import Books, line, refused
from tests.ledger.histories.test_mutants import Mutant, mutated
from tests.vouchers.voucher_history import BREAKAGE, EXPENSE, VoucherHistory, VouchersDifferError, change_ends, hashed

STEPS = 50
MUTANTS = (
    Mutant("redeem_voucher", "if duly.lock_vouchers(array[v.id]) = '{}'", "if false"),
    Mutant("redeem_voucher", "b.expires_on < (", "b.expires_on <= ("),
    Mutant("redeem_voucher", "t.total_minor := b.amount_minor", "t.total_minor := b.amount_minor + 1"),
    Mutant("cancel_vouchers", "v_ids[v_unpaid + 1:], b.account_id is not null", "v_ids[v_unpaid + 1:], false"),
    Mutant("cancel_vouchers", "id = coalesce(p_voucher_id, id)", "true"),
    Mutant("lock_vouchers", "where not exists", "where true or not exists"),
    Mutant(
        "expire_vouchers",
        "insert into duly.voucher_ends",
        "insert into duly.voucher_ends select * from duly.voucher_ends where false; --",
    ),
    Mutant(
        "post_vouchers",
        "when 'issued' then 'vouchers' else p_other end",
        "when 'issued' then p_other else 'vouchers' end",
    ),
    Mutant("new_voucher_step", "b.amount_minor * p_vouchers", "b.amount_minor"),
)


def issue(books: Books, key: str, *codes: str, amount: int = 2500, type: str = "given", **fields: Any) -> str:
    given = {"key": key, "type_id": type, "amount_minor": amount, "currency": "EUR", **fields}
    return ask(books, "issue_vouchers", **given, hashes=[hashed(code) for code in codes])


def redeem(books: Books, key: str, code: str, account: str = "acc_1") -> str:
    return ask(books, "redeem_voucher", key=key, account_id=account, code_hash=hashed(code))


def cancel(books: Books, key: str, batch: str) -> str:
    return ask(books, "cancel_vouchers", key=key, batch_id=batch)


def ask(books: Books, function: str, **given: Any) -> str:
    names = ", ".join(f"p_{name} => %s" for name in given)
    return str(books.value(f"select duly.{function}({names})", *given.values()))


def credited(books: Books, account: str) -> int:
    rows = books.run("select credit_minor - debit_minor from duly.trial_balance() where ledger_account = %s", account)
    return int(rows[0][0]) if rows else 0


def test_a_voucher_that_is_sold_is_owed_until_it_is_redeemed_as_a_payment_with_its_number(vouchers: Books) -> None:
    issue(vouchers, "i1", "a", "b", type="sold", account_id="acc_1")
    assert (vouchers.balance("acc_1"), credited(vouchers, "vouchers")) == (5000, 5000)
    invoice = vouchers.invoice("inv", "acc_2", 2000)

    step = redeem(vouchers, "r1", "a", "acc_2")

    assert (vouchers.balance("acc_2"), vouchers.unsettled(invoice), credited(vouchers, "vouchers")) == (-500, 0, 2500)
    payment = vouchers.run(
        "select t.type_id, t.method, t.voucher_number, t.total_minor, t.state from duly.financial_transactions t"
        " join duly.voucher_transactions x on x.transaction_id = t.id where x.id = %s",
        step,
    )
    assert payment == [("voucher_payment", "gift_voucher", "VCH-0000000001", 2500, "posted")]
    assert redeem(vouchers, "r1", "a", "acc_2") == step
    refused(lambda: redeem(vouchers, "r1", "b", "acc_2"), KeyReusedError, "key_means_one_request")
    refused(lambda: redeem(vouchers, "r2", "a"), PostconditionError, "voucher_ends_once")


def test_who_has_bought_vouchers_is_credited_for_those_that_are_cancelled(vouchers: Books) -> None:
    batch = issue(vouchers, "i1", "a", "b", "c", type="sold", account_id="acc_1")
    redeem(vouchers, "r1", "a", "acc_2")

    cancel(vouchers, "c1", batch)

    assert (vouchers.balance("acc_1"), credited(vouchers, "vouchers")) == (2500, 0)
    refused(lambda: cancel(vouchers, "c2", batch), PostconditionError, "vouchers_out")
    refused(lambda: redeem(vouchers, "r2", "b"), PostconditionError, "voucher_ends_once")


def test_what_nobody_has_redeemed_by_its_last_day_is_income(vouchers: Books, voucher_owner: Books) -> None:
    issue(vouchers, "i1", "a", "b")
    redeem(vouchers, "r1", "a")
    change_ends(voucher_owner, "expires_on - 32")

    refused(lambda: redeem(vouchers, "r2", "b"), PostconditionError, "voucher_is_over")
    assert vouchers.run("select * from duly.expire_vouchers('', 100)") == [("vb_1", 1)]
    assert vouchers.run("select * from duly.expire_vouchers('', 100)") == [(None, 0)]

    assert (credited(vouchers, BREAKAGE), credited(vouchers, EXPENSE), credited(vouchers, "vouchers")) == (
        2500,
        -5000,
        0,
    )


def test_a_voucher_that_is_redeemed_by_many_at_once_pays_once(vouchers: Books, database_url: str) -> None:
    batch = issue(vouchers, "i1", "a")

    def attempt(number: int) -> bool:
        books = Books(database_url)
        try:
            if number % 4 == 3:
                cancel(books, f"c{number}", batch)
            else:
                redeem(books, f"r{number}", "a", f"acc_{number % 2 + 1}")
        except PostconditionError:
            return False
        finally:
            books.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        went = list(threads.map(attempt, range(16)))

    assert went.count(True) == 1
    paid = 0 if any(went[3::4]) else 2500
    assert -vouchers.balance("acc_1") - vouchers.balance("acc_2") == paid


def test_one_batch_is_issued_to_whoever_asks_for_it_under_one_key_at_once(vouchers: Books, database_url: str) -> None:
    def attempt(number: int) -> str:
        books = Books(database_url)
        try:
            return issue(books, "same", f"code {number}")
        finally:
            books.close()

    with ThreadPoolExecutor(8) as threads:
        batches = set(threads.map(attempt, range(8)))

    assert len(batches) == 1
    assert credited(vouchers, "vouchers") == 2500


def test_vouchers_that_are_over_are_not_credited_before_the_night_has_booked_them(
    vouchers: Books, voucher_owner: Books
) -> None:
    batch = issue(vouchers, "i1", "a", type="sold", account_id="acc_1", expires_on="2999-01-01")
    change_ends(voucher_owner, "'2026-01-01'")

    refused(lambda: cancel(vouchers, "c1", batch), PostconditionError, "voucher_is_over")

    assert vouchers.balance("acc_1") == 2500


def test_one_key_for_two_vouchers_at_once_pays_one_of_them(vouchers: Books, database_url: str) -> None:
    issue(vouchers, "i1", "a", "b")

    def attempt(number: int) -> str:
        books = Books(database_url)
        try:
            return redeem(books, "same", "ab"[number % 2], f"acc_{number % 2 + 1}")
        except KeyReusedError as error:
            return error.rule
        finally:
            books.close()

    with ThreadPoolExecutor(8) as threads:
        answers = sorted(threads.map(attempt, range(8)))

    assert (answers[:4], len(set(answers[4:]))) == (["key_means_one_request"] * 4, 1)


def test_what_was_given_away_is_not_paid_out_and_what_was_bought_is(vouchers: Books) -> None:
    issue(vouchers, "i1", "given")
    issue(vouchers, "i2", "bought", type="sold", account_id="acc_2")
    redeem(vouchers, "r1", "given")
    redeem(vouchers, "r2", "bought")
    vouchers.pay("p1", "acc_1", 1000)

    assert (refundable(vouchers), drafted(vouchers)) == (3500, [3500])


def test_a_refund_settles_what_was_bought_so_that_what_was_given_goes_on_paying(vouchers: Books) -> None:
    issue(vouchers, "i1", "given")
    redeem(vouchers, "r1", "given")
    vouchers.pay("p1", "acc_1", 1000, posted_on=None)

    vouchers.call("create_refund", key="f1", account_id="acc_1", amount_minor=600, currency="EUR", method="cash")
    assert refundable(vouchers) == 400
    vouchers.invoice("i1", "acc_1", 2600)
    assert (refundable(vouchers), vouchers.balance("acc_1")) == (300, -300)


def refundable(books: Books, account: str = "acc_1") -> int:
    """Return what a month's file would refund of an account's credit."""
    return -books.balance(account) - int(books.value("select duly.promotional_credit(%s)", account))


def drafted(books: Books, account: str = "acc_1") -> list[int]:
    """Draft the month's refund of all of an account's credit, and return what became of it."""
    row = {"key": f"refund:2026-05:{account}", "account_id": account, "currency": "EUR", "amount_minor": 999999}
    books.run("select duly.draft_bank_refunds('Negative balance', 'ann', %s)", json.dumps({"rows": [row]}))
    drafts = "select total_minor from duly.financial_transactions where classification = 'refund' and account_id = %s"
    return [amount for (amount,) in books.run(drafts, account)]


def test_a_batch_that_makes_no_sense_is_refused(vouchers: Books) -> None:
    cases: tuple[tuple[dict[str, Any], type[LedgerError], str], ...] = (
        ({"type": "none"}, InvalidInputError, "voucher_type_exists"),
        ({"type": "sold"}, InvalidInputError, "voucher_buyer"),
        ({"account_id": "acc_1"}, InvalidInputError, "voucher_buyer"),
        ({"amount": 0}, InvalidInputError, "amount_in_range"),
        ({"currency": "ZZZ"}, InvalidInputError, "voucher_currency"),
        ({"expires_on": "2026-01-01"}, InvalidInputError, "voucher_end_to_come"),
        ({"type": "sold", "account_id": "acc_1", "currency": "USD"}, InvalidInputError, "currency_of_account"),
        ({"type": "sold", "account_id": "nobody"}, PrerequisiteError, "account_exists"),
    )

    for fields, error, rule in cases:
        refused(lambda f=fields: issue(vouchers, "k1", "a", **f), error, rule)  # type: ignore[misc]
    refused(lambda: issue(vouchers, "k1"), InvalidInputError, "voucher_count")


def test_a_code_that_is_none_and_an_account_that_cannot_be_paid_are_refused(vouchers: Books) -> None:
    issue(vouchers, "i1", "a")
    vouchers.open_account("dollars", "USD")

    refused(lambda: redeem(vouchers, "r1", "wrong"), InvalidInputError, "voucher_code")
    refused(lambda: redeem(vouchers, "r1", "a", "dollars"), InvalidInputError, "currency_of_account")
    refused(lambda: redeem(vouchers, "r1", "a", "nobody"), PrerequisiteError, "account_exists")
    assert credited(vouchers, "vouchers") == 2500


def test_nothing_else_moves_money_between_vouchers_and_an_account(vouchers: Books) -> None:
    issue(vouchers, "i1", "a", "b", type="sold", account_id="acc_1")
    step = redeem(vouchers, "r1", "a")
    found = "select transaction_id from duly.voucher_transactions where kind = %s"
    invoice, payment = vouchers.value(found, "issued"), vouchers.value(found, "redeemed")

    for action in (
        lambda: vouchers.pay("p1", "acc_1", 100, method="gift_voucher"),
        lambda: vouchers.call("cancel_payment", key="c1", payment_id=payment),
        lambda: vouchers.call("cancel_invoice", key="c2", invoice_id=invoice),
        lambda: vouchers.invoice("n1", "acc_1", lines=[line(100, product="gift")]),
    ):
        refused(action, PrerequisiteError, "voucher_first")
    assert step.startswith("vt_")


def test_closed_days_stand_in_nobodys_way_for_vouchers_move_today(vouchers: Books, voucher_owner: Books) -> None:
    vouchers.run("select duly.close_books((now() at time zone 'UTC')::date - 3, 'ann', 'the month is over')")
    issue(vouchers, "i1", "a")
    redeem(vouchers, "r1", "a")

    days = vouchers.run("select distinct posted_on = (now() at time zone 'UTC')::date from duly.voucher_transactions")
    assert days == [(True,)]


def test_the_ledger_and_the_oracle_agree_on_vouchers(vouchers: Books, voucher_owner: Books) -> None:
    for seed in range(4):
        history = VoucherHistory(vouchers, voucher_owner, seed)
        for _ in range(STEPS):
            history.step()
        history.finish()


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.function}: {mutant.before[:40]}")
def test_a_bug_in_vouchers_is_found(mutant: Mutant, voucher_owner: Books, database_url: str) -> None:
    definition = voucher_owner.value("select pg_get_functiondef(%s::regproc)", f"duly.{mutant.function}")
    voucher_owner.connection.execute(mutated(definition, mutant))

    with contextlib.closing(Books(database_url)) as books:
        assert is_found(books, voucher_owner)


def is_found(books: Books, owner: Books) -> bool:
    """Tell stories until the ledger and the oracle differ, or the database itself refuses what it should not."""
    for seed in range(4):
        history = VoucherHistory(books, owner, 77 + seed)
        try:
            for _ in range(STEPS):
                history.step()
            history.finish()
        except (VouchersDifferError, LedgerError, psycopg.Error):
            return True
    return False
