"""Proration by day: the parts of a period add up to it, and no day is billed twice or left out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.money import vat_of
from models.period import Period
from models.subscriptions.billing import BillableSubscription, BilledLine, BilledProduct
from models.subscriptions.cycle import BillingCycle, DateRange, Term
from models.subscriptions.documents import Bill, bill_of
from models.subscriptions.timeline import DatedChange, Discount, Timeline, share

NOVEMBER = Period.parse("2026-11")
PRODUCTS = {
    "plan": BilledProduct("Plan", "vat", Decimal(19)),
    "gold": BilledProduct("Gold", "vat", Decimal(19)),
}
DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))


def created(starts_on: date = date(2026, 11, 1), **terms: Any) -> BillableSubscription:
    """A plan of 30.00 a month from the 1st of November on, that nothing was billed of yet."""
    first = DatedChange(1, starts_on, "plan", 3000, 1, 1, 1, starts_on)
    return BillableSubscription(
        id="sub_1",
        account_id="acc_1",
        currency="EUR",
        account_currency="EUR",
        starts_on=starts_on,
        by_day_from=starts_on,
        billed_until=None,
        version=1,
        billed_version=0,
        billings=0,
        changes=(replace(first, **terms),),
        products=PRODUCTS,
    )


def changed(subscription: BillableSubscription, from_on: date, **terms: Any) -> BillableSubscription:
    change = DatedChange(subscription.version + 1, from_on, **terms)
    return replace(subscription, version=change.version, changes=(*subscription.changes, change))


def billed(subscription: BillableSubscription, month: Period) -> tuple[Bill, BillableSubscription]:
    """Bill a month; return what is posted, and the subscription as it is afterwards."""
    bill = bill_of(subscription, month)
    lines = [*_lines(bill.invoice, 1), *_lines(bill.credit_note, -1)]
    return bill, replace(
        subscription,
        billed_until=bill.billed_until,
        billed_version=subscription.version,
        billings=subscription.billings + 1,
        billed=(*subscription.billed, *lines),
    )


def _lines(document: Any, sign: int) -> Sequence[BilledLine]:
    return [
        BilledLine(
            document["key"] if sign > 0 else "note",
            line["product_id"],
            date.fromisoformat(line["period_from"]),
            date.fromisoformat(line["period_to"]),
            sign * line["net_minor"],
            sign * line["total_minor"],
            line.get("tax_rate_id"),
            Decimal(19) if line["tax_minor"] or "tax_rate_id" in line else Decimal(0),
        )
        for line in (document["lines"] if document else [])
    ]


def shown(document: Any) -> list[tuple[str, int]]:
    return [(line["description"], line["net_minor"]) for line in document["lines"]]


def net(subscription: BillableSubscription, product: str = "") -> int:
    return sum(line.net_minor for line in subscription.billed if line.product_id == product or not product)


@given(st.integers(0, 10**12), DAYS, st.sampled_from(Term), st.integers(1, 31), st.lists(DAYS, max_size=6))
def test_the_parts_of_any_division_of_a_period_add_up_to_it(
    amount_minor: int, day: date, term: Term, billing_day: int, cuts: list[date]
) -> None:
    period = BillingCycle(term, billing_day, day).period_of(day)
    marks = sorted(
        {period.starts_on, period.ends_on, *(cut for cut in cuts if period.starts_on < cut < period.ends_on)}
    )
    parts = [share(amount_minor, period, DateRange(*ends)) for ends in pairwise(marks)]

    assert sum(parts) == amount_minor
    assert all(part >= 0 for part in parts)


@given(DAYS, st.sampled_from(Term), st.integers(1, 31), DAYS)
def test_every_day_lies_in_one_billing_period(day: date, term: Term, billing_day: int, anchor_on: date) -> None:
    cycle = BillingCycle(term, billing_day, anchor_on)
    period = cycle.period_of(day)

    assert period.starts_on <= day < period.ends_on
    assert cycle.period_of(period.starts_on) == cycle.period_of(period.last_on) == period
    assert cycle.period_of(period.ends_on).starts_on == period.ends_on


def test_a_subscription_that_begins_within_a_period_is_billed_for_its_days() -> None:
    bill, _ = billed(created(date(2026, 11, 11)), NOVEMBER)

    assert shown(bill.invoice) == [("Plan, 30.00 EUR a month, 2026-11-11 to 2026-11-30: 20 of 30 days", 2000)]


def test_a_whole_period_is_billed_as_ever() -> None:
    bill, after = billed(created(quantity=2), NOVEMBER)

    assert shown(bill.invoice) == [("Plan", 6000)]
    assert bill.billed_until == date(2026, 12, 1)
    assert billed(after, NOVEMBER)[0].reason == "nothing_due"


def test_what_becomes_dearer_within_a_billed_period_is_charged_with_the_next_one() -> None:
    _, after = billed(created(), NOVEMBER)

    bill, after = billed(changed(after, date(2026, 11, 11), quantity=2), NOVEMBER.next())

    assert bill.credit_note is None
    assert shown(bill.invoice) == [
        (
            "Plan, 2 x 30.00 EUR a month instead of 30.00 EUR a month, 2026-11-11 to 2026-11-30: 20 of 30 days",
            2000,
        ),
        ("Plan", 6000),
    ]


def test_what_becomes_cheaper_within_a_billed_period_is_credited_to_its_invoice() -> None:
    _, after = billed(created(quantity=2), NOVEMBER)

    bill, after = billed(changed(after, date(2026, 11, 11), quantity=1), NOVEMBER.next())

    assert shown(bill.invoice) == [("Plan", 3000)]
    assert [amount for _, amount in shown(bill.credit_note)] == [2000]
    assert bill.credit_note is not None
    assert bill.credit_note["invoices"] == ["billing:sub_1:1"]
    assert net(after) == 6000 + 3000 - 2000


def test_another_product_is_charged_and_the_one_before_is_credited() -> None:
    _, after = billed(created(), NOVEMBER)

    _, after = billed(changed(after, date(2026, 11, 16), product_id="gold", price_minor=6000), NOVEMBER.next())

    assert net(after, "plan") == 1500
    assert net(after, "gold") == 3000 + 6000


def test_what_ends_within_a_billed_period_gets_its_unused_days_back() -> None:
    _, after = billed(created(), NOVEMBER)

    bill, after = billed(changed(after, date(2026, 11, 21), ends_on=date(2026, 11, 21)), NOVEMBER.next())

    assert bill.invoice is None
    assert [amount for _, amount in shown(bill.credit_note)] == [1000]
    assert billed(after, NOVEMBER.next().next())[0].reason == "nothing_due"


def test_days_of_a_pause_are_not_billed_and_a_resumed_subscription_is_billed_for_the_rest() -> None:
    paused = changed(created(), date(2026, 12, 1), is_paused=True)
    _, after = billed(paused, NOVEMBER)
    december, after = billed(after, NOVEMBER.next())

    _, after = billed(changed(after, date(2026, 12, 22), is_paused=False), NOVEMBER.next().next())

    assert (december.invoice, december.reason) == (None, "paused")
    assert net(after) == 3000 + share(3000, DateRange(date(2026, 12, 1), date(2027, 1, 1)), _days(22, 32)) + 3000


def _days(first: int, end: int) -> DateRange:
    return DateRange(date(2026, 12, 1) + timedelta(first - 1), date(2026, 12, 1) + timedelta(end - 1))


def test_a_trial_costs_nothing_and_the_days_after_it_are_billed() -> None:
    bill, _ = billed(created(trial_ends_on=date(2026, 11, 16)), NOVEMBER)

    assert [amount for _, amount in shown(bill.invoice)] == [1500]
    assert billed(created(trial_ends_on=date(2027, 1, 1)), NOVEMBER)[0].reason == "in_trial"


@pytest.mark.parametrize(
    ("discount", "amounts"),
    [
        ({"discount_percent": Decimal(20), "discount_until": date(2027, 1, 1)}, [2400, 2400, 3000]),
        ({"discount_minor": 500, "discount_until": date(2026, 12, 1)}, [2500, 3000, 3000]),
        ({"discount_percent": Decimal(100), "discount_until": date(2026, 12, 1)}, [0, 3000, 3000]),
        ({"discount_minor": 9900}, [0, 0, 0]),
    ],
)
def test_a_discount_holds_until_its_end(discount: dict[str, Any], amounts: list[int]) -> None:
    subscription, nets, month = created(**discount), [], NOVEMBER
    for _ in amounts:
        before = net(subscription)
        _, subscription = billed(subscription, month)
        nets.append(net(subscription) - before)
        month = month.next()

    assert nets == amounts


def test_a_discount_that_ends_within_a_period_holds_for_its_days() -> None:
    subscription = created(discount_percent=Decimal(50), discount_until=date(2026, 11, 11))

    assert [amount for _, amount in shown(billed(subscription, NOVEMBER)[0].invoice)] == [500, 2000]


@pytest.mark.parametrize(("term", "months"), [(Term.QUARTER, 3), (Term.YEAR, 12)])
def test_a_longer_term_is_billed_once_in_all_its_months(term: Term, months: int) -> None:
    subscription, month, billed_in = created(term_months=term.months), NOVEMBER, []
    for _ in range(13):
        bill, subscription = billed(subscription, month)
        billed_in += [str(month)] if bill.invoice else []
        month = month.next()

    assert billed_in[:2] == ["2026-11", {3: "2027-02", 12: "2027-11"}[months]]


def test_a_month_whose_run_was_left_out_is_billed_with_the_next() -> None:
    bill, _ = billed(created(), NOVEMBER.next().next())

    assert [amount for _, amount in shown(bill.invoice)] == [3000, 3000, 3000]


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "quantity": st.integers(1, 5),
        "price_minor": st.integers(1, 9999),
        "product_id": st.sampled_from(sorted(PRODUCTS)),
        "is_paused": st.booleans(),
        "discount_percent": st.sampled_from([Decimal(0), Decimal(15), Decimal(100)]),
        "ends_on": st.dates(date(2027, 1, 1), date(2027, 6, 30)),
        "trial_ends_on": st.dates(date(2026, 11, 1), date(2027, 3, 31)),
    },
)


@example(Term.MONTH, 1, 4444, [(0, {}, True), (5, {"price_minor": 1}, True), (0, {"product_id": "gold"}, False)])
@given(
    st.sampled_from(Term),
    st.integers(1, 31),
    st.integers(1, 9999),
    st.lists(st.tuples(st.integers(0, 240), CHANGES, st.booleans()), max_size=8),
)
def test_whatever_changes_and_whenever_it_is_billed_every_day_is_billed_once(
    term: Term, billing_day: int, price_minor: int, steps: list[tuple[int, dict[str, Any], bool]]
) -> None:
    terms = {"term_months": term.months, "billing_day": billing_day, "price_minor": price_minor}
    subscription, month = created(date(2026, 11, 7), **terms), NOVEMBER
    for day, change, runs in steps:
        subscription = changed(subscription, date(2026, 11, 7) + timedelta(day), **change)
        if runs:
            _, subscription = billed(subscription, month)
            month = month.next()

    _, subscription = billed(subscription, month)

    assert subscription.billed_until is not None
    days = DateRange(subscription.starts_on, subscription.billed_until)
    for product in PRODUCTS:
        of_product = [one for one in subscription.timeline.segments(days) if one.terms.product_id == product]
        assert net(subscription, product) == sum(segment.amount_minor for segment in of_product)
    for document in subscription.billed:
        assert abs(document.total_minor - document.net_minor) <= abs(vat_of(document.net_minor, 19)) + 1


@given(st.integers(1, 9999), st.lists(st.integers(1, 29), min_size=1, max_size=6, unique=True))
def test_no_credit_is_more_than_what_was_billed(price_minor: int, days: list[int]) -> None:
    _, subscription = billed(created(price_minor=price_minor), NOVEMBER)
    for day in sorted(days, reverse=True):
        end = date(2026, 11, 1) + timedelta(day)
        _, subscription = billed(changed(subscription, end, ends_on=end), NOVEMBER)

    end = date(2026, 11, 1) + timedelta(min(days))
    kept = Timeline(subscription.starts_on, subscription.changes).segments(DateRange(subscription.starts_on, end))
    assert net(subscription) == sum(segment.amount_minor for segment in kept)
    assert sum(line.total_minor for line in subscription.billed) >= 0


def test_a_discount_never_takes_more_than_the_price() -> None:
    assert Discount(Decimal(50), 900).taken_off(1000) == 1000
    assert Discount(Decimal("12.5"), 0).taken_off(1000) == 125
