"""Due dates as the database sets and checks them: scenarios 5a to 5c, and agreement with the pure rules."""

import random
from datetime import date, timedelta

import pytest

from models.ledger.refusals import PostconditionError
from tests.ledger.books import Books
from tests.ledger.oracle.due_date import (
    DayOfMonth,
    DaysAfter,
    DueDateRule,
    Proximity,
    ProximityOperator,
    due_on_for,
    due_window,
)

RULES: dict[str, DueDateRule] = {
    "5a": DayOfMonth(day_of_month=15, after_months=1),
    "5b": DaysAfter(10),
    "5c": DaysAfter(10, Proximity(ProximityOperator.MINUS, 5)),
}


def set_rule(owner: Books, rule: DueDateRule) -> None:
    """Make a rule the definition's."""
    is_days, proximity = isinstance(rule, DaysAfter), rule.proximity
    owner.run(
        "update duly.due_date_rules set kind = %s, number_of_days = %s, day_of_month = %s, after_months = %s,"
        " proximity_operator = %s, proximity_days = %s where id = 'due_in_14_days'",
        "days_after" if isinstance(rule, DaysAfter) else "day_of_month",
        rule.number_of_days if isinstance(rule, DaysAfter) else None,
        None if is_days else rule.day_of_month,  # type: ignore[union-attr]
        None if is_days else rule.after_months,  # type: ignore[union-attr]
        proximity.operator if proximity else None,
        proximity.days if proximity else None,
    )


@pytest.mark.parametrize(
    ("scenario", "set_by_system", "allowed", "refused"),
    [
        ("5a", date(2026, 6, 15), [date(2026, 6, 15)], [date(2026, 5, 21), date(2026, 6, 16)]),
        ("5b", date(2026, 5, 30), [date(2026, 5, 30)], [date(2026, 5, 29), date(2026, 5, 31), date(2026, 6, 30)]),
        ("5c", date(2026, 5, 25), [date(2026, 5, 25), date(2026, 5, 30)], [date(2026, 5, 24), date(2026, 5, 31)]),
    ],
)
def test_scenario_5(
    owner: Books, books: Books, scenario: str, set_by_system: date, allowed: list[date], refused: list[date]
) -> None:
    set_rule(owner, RULES[scenario])

    assert books.transaction(books.invoice("empty", "acc_1", 1))["due_on"] == set_by_system
    for due_on in allowed:
        assert books.transaction(books.invoice(f"i{due_on}", "acc_1", 1, due_on=due_on))["due_on"] == due_on
    for due_on in refused:
        with pytest.raises(PostconditionError, match="due_date_in_credit_period"):
            books.invoice(f"i{due_on}", "acc_1", 1, due_on=due_on)


def test_a_draft_s_due_date_is_checked_again_when_it_is_posted(owner: Books, books: Books) -> None:
    set_rule(owner, RULES["5b"])
    draft = books.invoice("i1", "acc_1", 1, draft=True, due_on=date(2026, 5, 30))

    with pytest.raises(PostconditionError, match="due_date_in_credit_period"):
        books.call("post_draft", transaction_id=draft, posted_on=date(2026, 5, 21))
    assert books.call("post_draft", transaction_id=draft, posted_on=date(2026, 5, 20)).state == "posted"


def test_an_account_has_its_own_rule_and_credit_period(owner: Books, books: Books) -> None:
    owner.run(
        "insert into duly.due_date_rules (id, kind, number_of_days, proximity_operator, proximity_days)"
        " values ('ten', 'days_after', 10, 'plus_minus', 5)"
    )
    books.open_account("acc_3", due_date_rule_id="ten", credit_period_days=3)
    books.open_account("acc_4", due_date_rule_id="ten", credit_period_days=6)

    assert books.transaction(books.invoice("i1", "acc_3", 1))["due_on"] == date(2026, 6, 2)
    with pytest.raises(PostconditionError, match="due_date_in_credit_period"):
        books.invoice("i2", "acc_4", 1)


def test_the_database_and_the_pure_rules_agree(owner: Books, books: Books) -> None:
    turns = random.Random(5)
    for _ in range(60):
        proximity = turns.choice([None, Proximity(turns.choice(list(ProximityOperator)), turns.randint(1, 20))])
        rules: list[DueDateRule] = [
            DaysAfter(turns.randint(0, 90), proximity),
            DayOfMonth(turns.randint(1, 31), turns.randint(0, 14), proximity),
        ]
        rule = turns.choice(rules)
        posted_on = date(2027, 1, 1) + timedelta(days=turns.randint(0, 800))
        set_rule(owner, rule)

        (stored,) = books.run("select * from duly.due_dates('acc_1', %s)", posted_on)

        window = due_window(rule, posted_on)
        assert stored == (window.earliest, window.latest, due_on_for(rule, posted_on)), rule
