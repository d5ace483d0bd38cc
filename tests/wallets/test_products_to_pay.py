"""Products to pay: a payment for chosen subscriptions settles their invoices, and what is left lies in the wallet."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from models.ledger.refusals import InvalidInputError, KeyReusedError, LedgerError
from tests.ledger.books import Books, refused
from tests.ledger.histories.test_mutants import Mutant, mutated
from tests.wallets.test_wallets import beside, held

ADD_SUBSCRIPTION = """
    insert into duly.subscriptions (id, account_id, product_id, price_minor, currency, billing_day, starts_on)
    values (%s, 'acc_1', 'gold', 1000, 'EUR', 1, '2026-01-01')
"""
ADD_BILLED = """
    insert into duly.run_items
        (run_id, member_id, account_id, shard, currency, amount_minor, outcome, transaction_id, settled_minor)
    values ('billing/plans/2026-05', %s, 'acc_1', 0, 'EUR', 1000, 'billed', %s, 1000)
"""

MUTANTS = (
    Mutant("invoices_of_services", "(p_services = '{}' or i.member_id = any (p_services))", "true"),
    Mutant("invoices_of_services", "order by o.sort_on, o.account_version", "order by o.account_version desc"),
    Mutant("pay_services", "least(i.open_minor, p_amount_minor - i.up_to + i.open_minor)", "i.open_minor"),
    Mutant("pay_services", "perform duly.fund_by(t, a, y, duly.unsettled(t.id));", ""),
    Mutant("pay_services", "perform duly.allocate_fifo(a.id);", ""),
    Mutant("pay_services", "if v_before is not null then return v_before; end if;", ""),
)

STORY = ({"old": 500, "film": 200, "paper": 0}, {"old": 400, "film": 0, "paper": 0}, 10000, 400)


@pytest.fixture
def billed(wallet_owner: Books, wallets: Books) -> Books:
    """An account with three subscriptions of 10.00 each, of which two are billed, and an older invoice of 5.00."""
    bill(wallet_owner)
    return wallets


def bill(owner: Books) -> None:
    owner.run("insert into duly.run_definitions (id, kind, name) values ('plans', 'billing', 'Plans')")
    owner.run(
        "insert into duly.process_runs (id, definition_id, kind, period) values (%s, 'plans', 'billing', '2026-05')",
        "billing/plans/2026-05",
    )
    owner.invoice("old", "acc_1", 500)
    for name in ("film", "paper", "prepaid"):
        owner.run(ADD_SUBSCRIPTION, name)
        if name != "prepaid":
            owner.run(ADD_BILLED, name, owner.invoice(name, "acc_1", 1000))


def pay(books: Books, key: str, amount_minor: int, services: Sequence[str] = (), type: str = "top_up") -> str:
    statement = "select duly.pay_services(%s, 'acc_1', %s, 'EUR', 'cash', %s, %s, 'ann', 'at the counter')"
    return str(books.value(statement, key, amount_minor, type, list(services)))


def open_of(books: Books) -> dict[str, int]:
    """Return what is open of the invoices, by their keys."""
    rows = books.run(
        "select t.idempotency_key, o.amount_minor - o.allocated_minor from duly.open_items o"
        " join duly.financial_transactions t on t.id = o.transaction_id"
        " where t.idempotency_key in ('old', 'film', 'paper')"
    )
    return dict(rows)


def test_the_chosen_subscription_is_settled_and_the_rest_funds_the_wallet_whatever_else_is_owed(billed: Books) -> None:
    payment = pay(billed, "p1", 1700, ["paper"])

    assert (open_of(billed), held(billed)) == ({"old": 500, "film": 1000, "paper": 0}, 700)
    [(wallet_transaction,)] = billed.run(
        "select id from duly.wallet_transactions where funding_payment_id = %s", payment
    )
    assert (beside(billed, wallet_transaction), billed.balance("acc_1")) == (["invoice"], 1500)


def test_all_subscriptions_are_settled_when_none_is_named_the_earliest_first(billed: Books) -> None:
    pay(billed, "p1", 1500)

    assert (open_of(billed), held(billed)) == ({"old": 500, "film": 0, "paper": 500}, 0)


def test_what_is_paid_for_a_prepaid_subscription_waits_in_the_wallet_for_its_bill(billed: Books) -> None:
    pay(billed, "p1", 1000, ["prepaid"])

    assert (open_of(billed), held(billed)) == ({"old": 500, "film": 1000, "paper": 1000}, 1000)


def test_what_the_wallet_has_no_room_for_settles_what_else_is_owed(billed: Books) -> None:
    pay(billed, "p1", 11700, ["paper"])

    assert (open_of(billed), held(billed), billed.balance("acc_1")) == ({"old": 0, "film": 800, "paper": 0}, 10000, 800)


def test_asking_again_pays_nothing_again_and_what_makes_no_sense_is_refused(billed: Books) -> None:
    payment = pay(billed, "p1", 1700, ["paper"])

    assert pay(billed, "p1", 1700, ["paper"]) == payment
    refused(lambda: pay(billed, "p1", 1800, ["paper"]), KeyReusedError, "key_means_one_request")
    refused(lambda: pay(billed, "p2", 100, ["none"]), InvalidInputError, "service_of_account")
    refused(lambda: pay(billed, "p2", 100, ["paper"], "present"), InvalidInputError, "wallet_type_is_invoiced")
    refused(lambda: pay(billed, "p2", 100, ["paper"], "spend"), InvalidInputError, "wallet_type_exists")
    refused(lambda: pay(billed, "p2", 0), InvalidInputError, "amount_in_range")


def test_cancelling_it_by_the_type_that_says_so_takes_the_wallets_part_back_and_owes_the_invoices_again(
    billed: Books,
) -> None:
    payment = pay(billed, "p1", 1700, ["paper"])

    billed.call("cancel_payment", key="c1", payment_id=payment, type_id="wallet_payment_cancellation")

    assert (open_of(billed), held(billed)) == ({"old": 500, "film": 1000, "paper": 1000}, 0)


def story(books: Books) -> object:
    """Pay four times, one of them twice, and return what is open in between and at the end, in the wallet, and owed."""
    pay(books, "p1", 700)
    pay(books, "p1", 700)
    pay(books, "p2", 1200, ["paper"])
    pay(books, "p3", 100, ["film"])
    in_between = open_of(books)
    pay(books, "p4", 10100)
    return in_between, open_of(books), held(books), books.balance("acc_1")


def test_payments_for_services_add_up(billed: Books) -> None:
    assert story(billed) == STORY


def test_each_mutant_of_products_to_pay_applies() -> None:
    folder = Path(__file__).parents[2] / "migrations" / "functions" / "wallets"
    source = (folder / "products_to_pay.sql").read_text()

    assert [mutant for mutant in MUTANTS if source.count(mutant.before) != 1] == []


@pytest.mark.nightly
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.function}: {mutant.before[:40]}")
def test_a_bug_in_products_to_pay_is_found(mutant: Mutant, wallet_owner: Books, database_url: str) -> None:
    bill(wallet_owner)
    definition = wallet_owner.value("select pg_get_functiondef(%s::regproc)", f"duly.{mutant.function}")
    wallet_owner.connection.execute(mutated(definition, mutant))

    found = None
    with contextlib.closing(Books(database_url)) as books, contextlib.suppress(LedgerError, psycopg.Error):
        found = story(books)

    assert found != STORY
