"""Recurring revenue, against the months of five accounts that were worked out by hand."""

from datetime import date

import pytest

from activities.database import Database, RuleBrokenError
from activities.reports.snapshots import MrrSnapshots
from models.problem import RefusedError
from tests.ledger.books import Books
from tests.reports.conftest import Reports
from tests.support.command_line import CommandLine

TODAY = date(2025, 12, 1)
# Account, subscription, price, months of the term, from, until.
SUBSCRIPTIONS = (
    ("a", "a1", 1200_00, 12, "2025-01-15", None),
    ("a", "a2", 30_00, 1, "2025-11-01", None),
    ("b", "b1", 50_00, 1, "2025-01-01", "2025-11-30"),
    ("c", "c1", 29_90, 1, "2025-10-31", None),
    ("d", "d1", 20_00, 1, "2025-06-01", "2025-07-01"),
    ("d", "d2", 20_00, 1, "2025-11-30", None),
    ("e", "e1", 90_00, 3, "2025-02-01", None),
)
# What was said later: a lower price from October on, and 10 % off from November on.
CHANGES = (("b1", "2025-10-01", "price_minor", 40_00), ("e1", "2025-11-01", "discount_percent", 10))


@pytest.fixture
def subscribed(books: Books, owner: Books) -> Books:
    """Five accounts with their subscriptions."""
    for account in "abcde":
        owner.open_account(account)
    for account, id, price, term, starts_on, ends_on in SUBSCRIPTIONS:
        owner.run(
            "insert into duly.subscriptions (id, account_id, product_id, price_minor, currency, billing_day, starts_on,"
            " ends_on, term_months) values (%s, %s, 'gold', %s, 'EUR', 1, %s, %s, %s)",
            *(id, account, price, starts_on, ends_on, term),
        )
    for id, from_on, column, value in CHANGES:
        owner.run(
            "insert into duly.subscription_changes (subscription_id, version, kind, from_on, product_id, price_minor,"
            " quantity, term_months, billing_day, anchor_on, ends_on, actor, reason)"
            " select id, 1, 'started', starts_on, product_id, price_minor, quantity, term_months, billing_day,"
            " starts_on, ends_on, 'maria', 'as agreed'"
            " from duly.subscriptions where id = %s",
            id,
        )
        owner.run(
            f"insert into duly.subscription_changes (subscription_id, version, kind, from_on, {column}, actor, reason)"
            " values (%s, 2, 'changed', %s, %s, 'maria', 'as agreed')",
            *(id, from_on, value),
        )
    return books


@pytest.fixture
def snapshots(database: Database) -> MrrSnapshots:
    """What keeps the months."""
    return MrrSnapshots(database)


async def kept(snapshots: MrrSnapshots, today: date = TODAY, since: date | None = None) -> list[tuple[str, int, bool]]:
    months = await snapshots.update(today, since=since, actor="maria", reason="month end")
    return [(f"{one.month:%Y-%m}", one.version, one.is_new) for one in months]


async def test_months_begin_with_what_the_one_before_had_and_say_what_changed(
    subscribed: Books, snapshots: MrrSnapshots, reports: Reports
) -> None:
    months = await kept(snapshots)
    mrr = await reports.run("mrr", date(2025, 9, 1), date(2025, 11, 30))

    assert (months[0][0], months[-1][0], len(months)) == ("2025-01", "2025-11", 11)
    assert mrr.texts("month", "new", "reactivation", "expansion", "contraction", "churn", "mrr", "growth_rate") == [
        ("2025-09", "0.00", "0.00", "0.00", "0.00", "0.00", "180.00", "0.00"),
        ("2025-10", "29.90", "0.00", "0.00", "10.00", "0.00", "199.90", "11.06"),
        ("2025-11", "0.00", "20.00", "30.00", "3.00", "40.00", "206.90", "3.50"),
    ]
    retained = mrr.texts("net_retention", "gross_retention", "accounts", "accounts_lost")
    assert retained[-1] == ("93.50", "78.49", "4", "1")
    assert mrr.totals == {}, "amounts of two months are not added up"


async def test_start_and_all_changes_are_the_end_and_existing_and_growth_are_all_of_it(
    subscribed: Books, snapshots: MrrSnapshots, reports: Reports
) -> None:
    await kept(snapshots)

    known = await reports.own(
        source="mrr",
        group_by=["month"],
        measures=["start", "existing", "growth", "mrr"],
        period={"from": "2025-01-01", "to": "2025-11-30"},
    )

    starts, ends = ([row[name] for row in known.found] for name in ("start", "mrr"))
    assert starts == [0, *ends[:-1]]
    assert [row["existing"] + row["growth"] for row in known.found] == ends


async def test_a_month_that_is_kept_stays_and_a_correction_stands_beside_it(
    subscribed: Books, owner: Books, snapshots: MrrSnapshots, reports: Reports
) -> None:
    await kept(snapshots)
    owner.run("update duly.subscriptions set price_minor = 3990 where id = 'c1'")

    again = await kept(snapshots)
    before = await reports.run("mrr", date(2025, 10, 1), date(2025, 10, 31))
    corrected = await kept(snapshots, since=date(2025, 9, 1))
    after = await reports.run("mrr", date(2025, 10, 1), date(2025, 10, 31))

    assert again == []
    assert before.texts("mrr") == [("199.90",)]
    assert corrected == [("2025-09", 1, False), ("2025-10", 2, True), ("2025-11", 2, True)]
    assert after.texts("mrr") == [("209.90",)]
    first = "select sum(mrr_minor) from duly.mrr_amounts where month = '2025-10-01' and version = 1"
    assert owner.value(first) == 199_90


async def test_who_was_there_only_before_a_correction_is_new_and_comes_back_to_nothing(
    subscribed: Books, owner: Books, snapshots: MrrSnapshots, reports: Reports
) -> None:
    await kept(snapshots)
    owner.run("update duly.subscriptions set starts_on = '2025-11-10' where id = 'c1'")

    await kept(snapshots, since=date(2025, 10, 1))
    mrr = await reports.run("mrr", date(2025, 10, 1), date(2025, 11, 30))

    assert mrr.texts("new", "reactivation", "mrr") == [("0.00", "0.00", "170.00"), ("29.90", "20.00", "206.90")]


async def test_a_month_is_kept_when_it_is_over_and_behind_those_before_it(
    subscribed: Books, snapshots: MrrSnapshots
) -> None:
    with pytest.raises(RefusedError, match="month_is_over"):
        await kept(snapshots, today=date(2025, 11, 30), since=date(2025, 11, 1))
    assert await kept(snapshots, today=date(2025, 2, 28)) == [("2025-01", 1, True)]
    with pytest.raises(RuleBrokenError, match="2025-10 comes first"):
        await kept(snapshots, since=date(2025, 11, 1))


async def test_the_command_keeps_months_once(subscribed: Books, cli: CommandLine) -> None:
    first = await cli.json("reports", "update", "--actor", "maria", "--reason", "month end")
    second = await cli.json("reports", "update")

    assert first["months"][0] == {"month": "2025-01", "version": 1, "change": "kept"}
    assert second["months"] == []


async def test_what_a_terminated_account_had_is_lost_from_that_day_on_and_comes_back_with_it(
    subscribed: Books, owner: Books, snapshots: MrrSnapshots, reports: Reports
) -> None:
    states = (("2025-08-31", "terminated"), ("2025-10-01", "active"), ("2025-11-30", "terminated"))
    for day, state in states:
        owner.run(
            "insert into duly.account_changes (account_id, changes, actor, reason, changed_at) values ('a',"
            " jsonb_build_object('state', jsonb_build_object('is', %s::text)), 'maria', 'asked for it', %s)",
            *(state, f"{day} 12:00Z"),
        )
    owner.run("update duly.accounts set state = 'terminated' where id in ('a', 'e')")  # of e nobody knows since when

    await kept(snapshots)
    mrr = await reports.run("mrr", date(2025, 7, 1), date(2025, 11, 30))

    assert mrr.texts("month", "new", "reactivation", "churn", "mrr") == [
        ("2025-07", "0.00", "0.00", "20.00", "150.00"),
        ("2025-08", "0.00", "0.00", "100.00", "50.00"),
        ("2025-09", "0.00", "0.00", "0.00", "50.00"),
        ("2025-10", "29.90", "100.00", "0.00", "169.90"),
        ("2025-11", "0.00", "20.00", "140.00", "49.90"),
    ]
