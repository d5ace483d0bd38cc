"""What an account owes, owed, and how: statements and balances; and accounts that go out of use."""

import csv
import io

from activities.database import Database
from activities.ledger.statement_queries import StatementQueries
from tests.support.shop import Shop


async def told(shop: Shop) -> None:
    """Three postings on three days: 100.00 invoiced, 30.00 paid, 50.00 invoiced."""
    await shop.account("a1")
    await shop.create("invoice", "a1", "--line", "product=plan,price=100", "--posted-on", "2026-05-01")
    await shop.payment("a1", "30.00", "--posted-on", "2026-05-10")
    await shop.create("invoice", "a1", "--line", "product=plan,price=50", "--posted-on", "2026-05-20")


async def test_a_statement_runs_from_the_opening_to_the_closing_balance(shop: Shop) -> None:
    await told(shop)

    said = await shop.cli.json("accounts", "statement", "a1", "--from", "2026-05-10", "--to", "2026-05-15")

    assert (said["opening_minor"], said["closing_minor"]) == (10000, 7000)
    assert [(one["number"], one["amount_minor"], one["balance_minor"]) for one in said["transactions"]] == [
        ("PAY-0000000001", -3000, 7000)
    ]
    assert said["unsettled_minor"] == 12000


async def test_what_was_posted_late_stands_on_its_day(shop: Shop) -> None:
    await told(shop)
    await shop.payment("a1", "10.00", "--posted-on", "2026-05-05")

    said = await shop.cli.json("accounts", "statement", "a1")

    assert [one["balance_minor"] for one in said["transactions"]] == [10000, 9000, 6000, 11000]
    assert said["closing_minor"] == await shop.balance("a1")


async def test_a_balance_can_be_had_of_any_day(shop: Shop) -> None:
    await told(shop)

    on = {
        day: (await shop.cli.json("accounts", "balance", "a1", "--at", day))["balance_minor"]
        for day in ("2026-04-30", "2026-05-01", "2026-05-19", "2026-05-20")
    }

    assert on == {"2026-04-30": 0, "2026-05-01": 10000, "2026-05-19": 7000, "2026-05-20": 12000}


async def test_unsettled_and_outstanding_are_told_apart(shop: Shop) -> None:
    await shop.account("a1")
    today = await shop.value("select (now() at time zone 'UTC')::date::text")
    await shop.create("invoice", "a1", "--line", "product=plan,price=100", "--posted-on", "2026-05-01")
    await shop.create("invoice", "a1", "--line", "product=plan,price=50", "--posted-on", today)

    said = await shop.cli.json("accounts", "balance", "a1")

    assert (said["unsettled_minor"], said["outstanding_minor"], said["credit_minor"]) == (15000, 10000, 0)


async def test_a_statement_can_be_csv(shop: Shop) -> None:
    await told(shop)

    said = await shop.cli("accounts", "statement", "a1", "--csv")

    rows = list(csv.DictReader(io.StringIO(said.stdout)))
    assert [(row["number"], row["amount"], row["balance"]) for row in rows] == [
        ("INV-0000000001", "100.00", "100.00"),
        ("PAY-0000000001", "-30.00", "70.00"),
        ("INV-0000000002", "50.00", "120.00"),
    ]


async def test_a_statement_reads_in_a_hundred_columns(shop: Shop) -> None:
    await told(shop)

    said = await shop.cli("accounts", "statement", "a1", "--from", "2026-05-10")

    assert "opening balance 100.00 EUR" in said.stdout
    assert max(len(line) for line in said.stdout.splitlines()) <= 100


async def test_a_statement_that_ends_before_it_begins_is_refused(shop: Shop) -> None:
    await shop.account("a1")

    assert await shop.refused("accounts", "statement", "a1", "--from", "2026-05-02", "--to", "2026-05-01") == [
        ("from", "from_before_to")
    ]
    assert await shop.refused("accounts", "balance", "nobody") == [("account", "account_exists")]


async def test_a_long_statement_carries_its_balance_from_the_first_transaction_to_the_last(
    shop: Shop, database: Database
) -> None:
    await shop.account("a1")
    await shop.run("select duly.create_payment('k' || n, 'a1', 100 + n, 'EUR', 'cash') from generate_series(1, 1000) n")

    rows = await StatementQueries(database).statement("a1", None, None)

    assert len(rows) == 1000
    assert rows[-1].balance_minor == -sum(100 + n for n in range(1, 1001))


async def test_an_account_is_suspended_terminated_and_reactivated(shop: Shop) -> None:
    await shop.account("a1")

    said = [await shop.cli.json("accounts", verb, "a1") for verb in ("suspend", "terminate", "terminate", "reactivate")]

    assert [(one["was"], one["state"]) for one in said] == [
        ("active", "suspended"),
        ("suspended", "terminated"),
        ("terminated", "terminated"),
        ("terminated", "active"),
    ]


async def test_a_system_account_is_never_suspended(shop: Shop) -> None:
    await shop.account("inner", kind="internal")

    assert await shop.refused("accounts", "suspend", "inner") == [("account", "account_state_exists")]
