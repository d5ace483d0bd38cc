"""What an account owes, owed, and how: statements and balances; and accounts that go out of use."""

import csv
import io

from activities.database import Database
from activities.ledger.statement_queries import StatementQueries
from tests.support.company import Company


async def postings_of_two_months(company: Company) -> None:
    """Three postings on three days: 100.00 invoiced, 30.00 paid, 50.00 invoiced."""
    await company.account("a1")
    await company.create("invoice", "a1", "--line", "product=plan,price=100", "--posted-on", "2026-05-01")
    await company.payment("a1", "30.00", "--posted-on", "2026-05-10")
    await company.create("invoice", "a1", "--line", "product=plan,price=50", "--posted-on", "2026-05-20")


async def test_a_statement_runs_from_the_opening_to_the_closing_balance(company: Company) -> None:
    await postings_of_two_months(company)

    result = await company.cli.json("accounts", "statement", "a1", "--from", "2026-05-10", "--to", "2026-05-15")

    assert (result["opening_minor"], result["closing_minor"]) == (10000, 7000)
    assert [(one["number"], one["amount_minor"], one["balance_minor"]) for one in result["transactions"]] == [
        ("PAY-0000000001", -3000, 7000)
    ]
    assert result["unsettled_minor"] == 12000


async def test_what_was_posted_late_stands_on_its_day(company: Company) -> None:
    await postings_of_two_months(company)
    await company.payment("a1", "10.00", "--posted-on", "2026-05-05")

    result = await company.cli.json("accounts", "statement", "a1")

    assert [one["balance_minor"] for one in result["transactions"]] == [10000, 9000, 6000, 11000]
    assert result["closing_minor"] == await company.balance("a1")


async def test_a_balance_can_be_had_of_any_day(company: Company) -> None:
    await postings_of_two_months(company)

    on = {
        day: (await company.cli.json("accounts", "balance", "a1", "--at", day))["balance_minor"]
        for day in ("2026-04-30", "2026-05-01", "2026-05-19", "2026-05-20")
    }

    assert on == {"2026-04-30": 0, "2026-05-01": 10000, "2026-05-19": 7000, "2026-05-20": 12000}


async def test_unsettled_and_outstanding_are_told_apart(company: Company) -> None:
    await company.account("a1")
    today = await company.value("select (now() at time zone 'UTC')::date::text")
    await company.create("invoice", "a1", "--line", "product=plan,price=100", "--posted-on", "2026-05-01")
    await company.create("invoice", "a1", "--line", "product=plan,price=50", "--posted-on", today)

    result = await company.cli.json("accounts", "balance", "a1")

    assert (result["unsettled_minor"], result["outstanding_minor"], result["credit_minor"]) == (15000, 10000, 0)
    listed = (await company.cli.json("transactions", "list", "--account", "a1"))["transactions"]
    assert [(one["unsettled_minor"], one["outstanding_minor"]) for one in listed] == [(5000, 0), (10000, 10000)]
    assert (await company.shown(listed[1]["id"]))["outstanding_minor"] == 10000


async def test_a_statement_can_be_csv(company: Company) -> None:
    await postings_of_two_months(company)

    result = await company.cli("accounts", "statement", "a1", "--csv")

    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["number"], row["amount"], row["balance"]) for row in rows] == [
        ("INV-0000000001", "100.00", "100.00"),
        ("PAY-0000000001", "-30.00", "70.00"),
        ("INV-0000000002", "50.00", "120.00"),
    ]


async def test_a_statement_reads_in_a_hundred_columns(company: Company) -> None:
    await postings_of_two_months(company)

    result = await company.cli("accounts", "statement", "a1", "--from", "2026-05-10")

    assert "opening balance 100.00 EUR" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 100


async def test_a_statement_that_ends_before_it_begins_is_refused(company: Company) -> None:
    await company.account("a1")

    assert await company.refused("accounts", "statement", "a1", "--from", "2026-05-02", "--to", "2026-05-01") == [
        ("from", "from_before_to")
    ]
    assert await company.refused("accounts", "balance", "nobody") == [("account", "account_exists")]


async def test_a_long_statement_carries_its_balance_from_the_first_transaction_to_the_last(
    company: Company, database: Database
) -> None:
    await company.account("a1")
    await company.run(
        "select duly.create_payment('k' || n, 'a1', 100 + n, 'EUR', 'cash') from generate_series(1, 1000) n"
    )

    rows = await StatementQueries(database).statement("a1", None, None)

    assert len(rows) == 1000
    assert rows[-1].balance_minor == -sum(100 + n for n in range(1, 1001))


async def test_an_account_is_suspended_terminated_and_reactivated(company: Company) -> None:
    await company.account("a1")

    result = [
        await company.cli.json("accounts", verb, "a1") for verb in ("suspend", "terminate", "terminate", "reactivate")
    ]

    assert [(one["was"], one["state"]) for one in result] == [
        ("active", "suspended"),
        ("suspended", "terminated"),
        ("terminated", "terminated"),
        ("terminated", "active"),
    ]


async def test_a_system_account_is_never_suspended(company: Company) -> None:
    await company.account("inner", kind="internal")

    assert await company.refused("accounts", "suspend", "inner") == [("account", "account_state_exists")]
