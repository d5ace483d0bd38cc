"""Customers at risk of leaving: whom two rules say it of, each rule at its bound."""

from datetime import date, timedelta

import pytest

from tests.ledger.books import Books
from tests.reports.conftest import Reports

TODAY = date(2025, 11, 30)
CREDIT_PERIOD = timedelta(days=14)
CARDS = """
    insert into duly.providers (id, gateway, mode) values ('stripe', 'stripe', 'test');
    insert into duly.payment_preferences (id, account_id, payment_method_id)
        select 'pref_' || id, id, 'card' from duly.accounts where kind = 'customer';
    insert into duly.cards
        (id, account_id, preference_id, provider_id, token, brand, last4, exp_month, exp_year, is_recurring)
        select 'card_' || id, id, 'pref_' || id, 'stripe', 'pm_' || id, 'visa', '4242',
            case id when 'acc_later' then 1 else 12 end, case id when 'acc_later' then 2026 else 2025 end, true
        from duly.accounts where kind = 'customer' and id <> 'acc_plain'
"""


@pytest.fixture
def customers(books: Books, owner: Books) -> Books:
    """Accounts whose only card expires on 31 December, or a month later; acc_plain has none."""
    for name in ("acc_both", "acc_later", "acc_plain", "acc_late"):
        books.open_account(name)
    for statement in CARDS.split(";"):
        owner.run(statement)
    return books


def owe(books: Books, account: str, days: int) -> None:
    """Let an account owe 50.00 that fell due so many days ago."""
    books.invoice(f"n-{account}", account, 50_00, posted_on=TODAY - CREDIT_PERIOD - timedelta(days=days))


async def test_two_rules_make_a_risk_and_one_does_not(customers: Books, reports: Reports) -> None:
    owe(customers, "acc_both", 31)
    owe(customers, "acc_late", 30)
    owe(customers, "acc_plain", 90)

    found = await reports.run("at-risk", last=date(2025, 12, 1))

    shown = found.texts("account_id", "reasons", "overdue_minor", "overdue_days", "card_expires_on")
    assert shown == [
        ("acc_both", "only card expires, overdue", "50.00", "32", "2025-12-31"),
        ("acc_late", "only card expires, overdue", "50.00", "31", "2025-12-31"),
    ]


OF_SOME = """
    with everyone as (select * from duly.at_risk('2025-12-01', null)),
        named as (select * from duly.at_risk('2025-12-01', array(select id from duly.accounts))),
        two as (select * from duly.at_risk('2025-12-01', '{acc_late,acc_later}'))
    select (select count(*) from everyone), (select count(*) from (table everyone except table named) x),
        (select count(*) from (table named except table everyone) x), (select array_agg(account_id order by 1) from two)
"""


async def test_of_accounts_that_are_named_it_is_the_same(customers: Books, owner: Books) -> None:
    owe(customers, "acc_both", 31)
    owe(customers, "acc_late", 30)
    owe(customers, "acc_plain", 90)
    customers.pay("p", "acc_plain", 20_00, posted_on=TODAY)

    assert owner.run(OF_SOME) == [(5, 0, 0, ["acc_late"])]


async def test_each_rule_has_its_bound(customers: Books, owner: Books, reports: Reports) -> None:
    owe(customers, "acc_late", 30)
    owe(customers, "acc_both", 31)

    counted = await reports.own(
        source="at_risk", group_by=[], measures=["accounts", "with_expiring_card", "overdue_accounts"], period="today"
    )

    # On 30 November a card that expires on 31 December has 31 days left; what fell due 30 days ago is not yet late.
    assert counted.texts("accounts", "with_expiring_card", "overdue_accounts") == [("1", "0", "1")]


async def test_revenue_that_fell_and_a_subscription_that_ends_are_reasons(
    customers: Books, owner: Books, reports: Reports
) -> None:
    owner.run(
        "insert into duly.mrr_snapshots (month, version, actor) select m::date, 1, 'ada'"
        " from unnest(array['2025-08-01', '2025-10-01', '2025-11-01']) m"
    )
    owner.run(
        "insert into duly.mrr_amounts values ('2025-10-01', 1, 'acc_both', 'EUR', 3000, 1000, 'contraction'),"
        " ('2025-11-01', 1, 'acc_both', 'EUR', 1000, 2000, 'expansion'),"
        " ('2025-10-01', 1, 'acc_late', 'EUR', 3000, 1000, 'contraction'),"
        " ('2025-11-01', 1, 'acc_late', 'EUR', 1000, 3000, 'expansion'),"
        " ('2025-08-01', 1, 'acc_plain', 'EUR', 3000, 1000, 'contraction')"
    )
    owner.run(
        "insert into duly.subscriptions (id, account_id, product_id, price_minor, currency, quantity, billing_day,"
        " starts_on, ends_on) select 'sub_' || a, a, 'gold', 1000, 'EUR', 1, 1, date '2025-01-01', e::date"
        " from (values ('acc_both', '2025-12-31'), ('acc_plain', '2025-11-01')) v (a, e)"
    )

    found = await reports.run("at-risk", last=TODAY)

    shown = found.texts("account_id", "reasons", "mrr_lost_minor", "ends_on")
    assert shown == [("acc_both", "buys less, leaves", "10.00", "2025-12-31")]


@pytest.mark.parametrize(("answers", "is_declined"), [("dd", True), ("sdd", True), ("ds", False), ("d", False)])
async def test_declined_twice_is_the_first_answer_to_the_last_two_receivables(
    customers: Books, owner: Books, reports: Reports, answers: str, *, is_declined: bool
) -> None:
    for place, answer in enumerate(answers):
        outcome = "declined" if answer == "d" else "succeeded"
        owner.run(
            "insert into duly.gateway_requests (id, kind, provider_id, account_id, period, amount_minor, currency,"
            " state, executed_at) values (%s, 'payment', 'stripe', 'acc_late', %s, 2000, 'EUR', 'posted', now())",
            *(f"req_{place}", f"2025-11-{place}"),
        )
        owner.run(
            "insert into duly.gateway_attempts (request_id, attempt, idempotency_key, cause, card_id, token, customer,"
            " payment_id, amount_minor, outcome, code, sent_at, finished_at) values (%s, 1, %s, 'scheduled',"
            " 'card_acc_late', 'pm', 'cus', 'ft_none', 2000, %s, %s, date '2025-11-04' + %s::integer, now())",
            *(f"req_{place}", f"req_{place}/1", outcome, "card_declined" if answer == "d" else "", place),
        )

    found = await reports.own(source="at_risk", columns=["account_id", "reasons"], period="today")

    assert (("acc_late", "declined twice") in found.texts("account_id", "reasons")) is is_declined
