"""What a person asks of a subscription: from which day it holds, and what it was before."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from models.period import Period
from models.problem import RefusedError
from models.subscriptions.billing import BillableSubscription, BilledProduct, owed_in
from models.subscriptions.cycle import DateRange, Term
from models.subscriptions.orders import DiscountAsked, TermsAsked, changed, creation, ended, paused, resumed
from models.subscriptions.stored import BilledMonth, Plan, StoredSubscription
from models.subscriptions.timeline import Timeline

TODAY = date(2026, 11, 11)
WHOLE_MONTHS = StoredSubscription(
    id="sub_1",
    account_id="acc_1",
    currency="EUR",
    today=TODAY,
    state="active",
    starts_on=date(2026, 1, 1),
    ends_on=None,
    product_id="plan",
    price_minor=3000,
    quantity=1,
    term_months=1,
    billing_day=1,
    by_day_from=None,
    billed_until=None,
    version=0,
    billed_version=0,
    billings=0,
    changes=(),
    products={"plan": BilledProduct("Plan")},
    newest=BilledMonth("ft_1", "plan", date(2026, 11, 1), date(2026, 12, 1), Decimal(1), 3000),
)


def made(asked: TermsAsked, starts_on: date = date(2026, 11, 1), **days: Any) -> StoredSubscription:
    """A subscription that was created by command and that no run has billed yet."""
    change = creation("EUR", asked, starts_on, trial=days.get("trial"), ends_on=days.get("ends_on"))
    return replace(WHOLE_MONTHS, starts_on=starts_on, by_day_from=starts_on, version=1, changes=(change,), newest=None)


def after(stored: StoredSubscription, plan: Plan) -> StoredSubscription:
    assert plan.row is not None
    changes = (*stored.changes, *plan.changes)
    return replace(stored, **{**plan.row, "changes": changes, "version": len(changes)})


def cost(stored: StoredSubscription, month: str) -> int:
    """What the days of a month cost."""
    period = Period.parse(month)
    segments = Timeline(stored.starts_on, stored.changes).segments(DateRange(period.starts_on, period.ends_on))
    return sum(segment.amount_minor for segment in segments)


PLAN = TermsAsked("plan", 3000)


def test_periods_begin_on_the_day_on_which_it_starts_unless_another_is_named() -> None:
    by_start = made(PLAN, date(2026, 11, 11)).changes[0]
    by_name = made(replace(PLAN, billing_day=1, term=Term.YEAR), date(2026, 11, 11)).changes[0]

    assert (by_start.billing_day, by_start.anchor_on) == (11, date(2026, 11, 11))
    assert (by_name.billing_day, by_name.anchor_on) == (1, date(2026, 12, 1))


@pytest.mark.parametrize(
    ("discount", "until"),
    [
        (DiscountAsked(Decimal(20), periods=3), date(2027, 2, 1)),
        (DiscountAsked(amount_minor=500, until=date(2026, 12, 24)), date(2026, 12, 24)),
        (DiscountAsked(Decimal(20)), None),
    ],
)
def test_a_discount_ends_on_a_day_or_after_so_many_periods(discount: DiscountAsked, until: date | None) -> None:
    assert made(replace(PLAN, discount=discount)).changes[0].discount_until == until


def test_the_periods_of_a_discount_are_counted_from_the_end_of_the_trial() -> None:
    discount = DiscountAsked(Decimal(20), periods=2)

    change = made(replace(PLAN, discount=discount), trial=date(2026, 12, 1)).changes[0]

    assert change.discount_until == date(2027, 2, 1)


def test_a_discount_term_or_billing_day_begins_with_the_next_period_and_other_terms_today() -> None:
    stored = replace(made(PLAN), billed_until=date(2026, 12, 1), billed_version=1)

    discount = changed(stored, TermsAsked(discount=DiscountAsked(Decimal(10))), None)
    term = changed(stored, TermsAsked(term=Term.QUARTER), None)
    pieces = changed(stored, TermsAsked(quantity=2), None)

    assert [plan.changes[0].from_on for plan in (discount, term, pieces)] == [
        date(2026, 12, 1),
        date(2026, 12, 1),
        TODAY,
    ]


def test_what_is_so_already_changes_nothing() -> None:
    stored = made(PLAN)
    late = after(stored, ended(stored, date(2026, 12, 1)))

    assert changed(stored, TermsAsked(quantity=1), None) == Plan()
    assert resumed(stored, None) == Plan()
    assert ended(late, date(2026, 12, 1)) == Plan()


def test_a_pause_that_is_planned_stays_when_terms_change_before_it() -> None:
    stored = made(PLAN)
    stored = after(stored, paused(stored, date(2026, 12, 1), None))

    stored = after(stored, changed(stored, TermsAsked(quantity=2), date(2026, 11, 16)))

    assert (cost(stored, "2026-11"), cost(stored, "2026-12")) == (1500 + 3000, 0)


@pytest.mark.parametrize(
    ("first", "second", "paused_days"),
    [
        ((10, 20), (15, 30), range(10, 30)),
        ((10, 20), (5, 25), range(5, 25)),
        ((10, 20), (5, 8), [5, 6, 7, *range(10, 20)]),
        ((10, 20), (12, 15), range(10, 15)),
        ((10, 20), (10, 20), range(10, 20)),
        ((10, 20), (5, None), range(5, 31)),
        ((10, 20), (15, None), range(10, 31)),
        ((10, None), (10, 25), range(10, 25)),
        ((10, None), (5, 25), range(5, 25)),
        ((10, None), (12, None), range(10, 31)),
    ],
)
def test_of_two_pauses_the_newer_one_says_which_of_its_days_are_paused_and_when_it_goes_on(
    first: tuple[int, int | None], second: tuple[int, int | None], paused_days: Iterable[int]
) -> None:
    stored = made(PLAN)
    for begins, ends in (first, second):
        begins_on, until = date(2026, 11, begins), None if ends is None else date(2026, 11, ends)
        plan = paused(stored, begins_on, until)
        stored = after(stored, plan) if plan.changes else stored
        assert not paused(stored, begins_on, until).changes

    timeline = Timeline(stored.starts_on, stored.changes)
    assert [day for day in range(1, 31) if timeline.terms_on(date(2026, 11, day)).is_paused] == list(paused_days)


def test_resuming_calls_off_the_pauses_that_are_planned_and_have_not_begun() -> None:
    stored = made(PLAN)
    for day, until in (date(2026, 12, 1), date(2026, 12, 11)), (date(2027, 1, 1), None):
        stored = after(stored, paused(stored, day, until))

    resumed_today = after(stored, resumed(stored, None))

    assert [cost(stored, month) for month in ("2026-12", "2027-01")] == [3000 - 968, 0]
    assert [cost(resumed_today, month) for month in ("2026-12", "2027-01")] == [3000, 3000]
    assert resumed(resumed_today, None) == Plan()


def test_resuming_within_a_planned_pause_ends_it_on_that_day() -> None:
    stored = made(PLAN)
    stored = after(stored, paused(stored, date(2026, 12, 1), None))

    stored = after(stored, resumed(stored, date(2026, 12, 11)))

    assert cost(stored, "2026-12") == 3000 - 968


@pytest.mark.parametrize("on", [None, date(2026, 11, 20), date(2026, 12, 1)])
@pytest.mark.parametrize("is_made_by_command", [True, False])
def test_what_is_ended_before_it_has_begun_never_begins(on: date | None, is_made_by_command: bool) -> None:
    starts_on = date(2026, 12, 1)
    imported = replace(WHOLE_MONTHS, starts_on=starts_on, newest=None)
    stored = made(PLAN, starts_on) if is_made_by_command else imported

    never = after(stored, ended(stored, on))

    assert never.ends_on == starts_on
    assert [cost(never, month) for month in ("2026-12", "2027-01")] == [0, 0]
    assert ended(never, on) == Plan()


def test_what_has_not_begun_can_still_be_ended_on_a_later_day() -> None:
    stored = made(PLAN, date(2026, 12, 1))

    stored = after(stored, ended(stored, date(2026, 12, 11)))

    assert cost(stored, "2026-12") == 968


def test_an_end_that_is_put_off_leaves_the_days_between_as_they_were() -> None:
    stored = made(PLAN)
    stored = after(stored, ended(stored, date(2026, 11, 16)))

    stored = after(stored, ended(stored, date(2027, 1, 1)))

    assert [cost(stored, month) for month in ("2026-11", "2026-12", "2027-01")] == [3000, 3000, 0]


def test_without_a_day_it_ends_when_what_is_billed_is_over() -> None:
    billed = replace(made(PLAN), billed_until=date(2026, 12, 1), billed_version=1)

    assert ended(billed, None).changes[0].ends_on == date(2026, 12, 1)
    assert ended(made(PLAN), None).changes[0].ends_on == date(2026, 12, 1)
    assert ended(WHOLE_MONTHS, None).changes[-1].ends_on == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("from_on", "by_day_from", "billed_until"),
    [
        (date(2026, 11, 11), date(2026, 11, 11), date(2026, 12, 1)),
        # A change that is planned ahead leaves no month before it out.
        (date(2027, 1, 15), date(2026, 12, 1), date(2026, 12, 1)),
    ],
)
def test_whole_months_go_over_to_days_without_leaving_one_out_or_billing_one_twice(
    from_on: date, by_day_from: date, billed_until: date
) -> None:
    plan = changed(WHOLE_MONTHS, TermsAsked(quantity=2), from_on)

    assert plan.row is not None
    assert (plan.row["by_day_from"], plan.row["billed_until"]) == (by_day_from, billed_until)
    assert plan.row["billed_version"] == 1


def test_months_that_no_run_has_billed_are_not_billed_because_of_a_change() -> None:
    stored = replace(WHOLE_MONTHS, newest=None)

    plan = changed(stored, TermsAsked(quantity=2), TODAY)

    assert plan.row is not None
    assert (plan.row["by_day_from"], plan.row["billed_until"]) == (date(2026, 11, 1), None)


def test_a_month_that_was_billed_whole_beyond_its_end_is_not_charged_again_when_the_end_is_put_off() -> None:
    stored = replace(WHOLE_MONTHS, ends_on=date(2026, 11, 21))

    plan = ended(stored, date(2026, 12, 16))
    later = after(stored, plan)

    assert plan.row is not None
    subscription = BillableSubscription(
        "sub_1",
        "acc_1",
        "EUR",
        "EUR",
        stored.starts_on,
        plan.row["by_day_from"],
        plan.row["billed_until"],
        len(later.changes),
        plan.row["billed_version"],
        0,
        later.changes,
        stored.products,
    )
    owed = owed_in(subscription, Period.parse("2026-12"))
    assert [(entry.days.starts_on, entry.amount_minor) for entry in owed.charges] == [
        (date(2026, 12, 1), 1452),
    ]
    assert owed.credits == ()


@pytest.mark.parametrize(
    ("asked", "from_on", "rule"),
    [
        (TermsAsked(quantity=0), None, "whole_number_in_range"),
        (TermsAsked(quantity=1_000_000, price_minor=2**52), None, "amount_at_most"),
        (TermsAsked(billing_day=32), None, "whole_number_in_range"),
        (TermsAsked(quantity=2), date(2026, 10, 31), "change_reaches_back"),
        (TermsAsked(discount=DiscountAsked(Decimal(10), periods=1201)), None, "whole_number_in_range"),
    ],
)
def test_what_makes_no_sense_names_its_rule(asked: TermsAsked, from_on: date | None, rule: str) -> None:
    with pytest.raises(RefusedError) as refused:
        changed(made(PLAN), asked, from_on)

    assert refused.value.problems[0].rule == rule
