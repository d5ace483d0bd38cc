"""What customers are worth and what is to come, over ledgers whose figures were worked out by hand."""

from datetime import date

from tests.ledger.books import Books, line
from tests.reports.conftest import Reports

# Twelve months of a hundred accounts, of which two leave each month, and one with 130.00.
SNAPSHOTS = """
    insert into duly.mrr_snapshots (month, version, actor)
        select m::date, 1, 'maria' from generate_series(date '2024-12-01', '2025-11-01', interval '1 month') m;
    insert into duly.mrr_amounts (month, version, account_id, currency, start_minor, mrr_minor, change)
        select s.month, 1, 'x_' || n, 'EUR', 1000, case when n <= 2 then 0 else 1000 end,
            case when n <= 2 then 'churn' else 'none' end
        from duly.mrr_snapshots s cross join generate_series(1, 100) n;
    insert into duly.mrr_amounts values ('2025-11-01', 1, 'acc_1', 'EUR', 0, 13000, 'new')
"""


def keep_months(owner: Books) -> None:
    owner.run("select duly.open_account('x_' || n, 'EUR', 'Ada Lovelace') from generate_series(1, 100) n")
    for statement in SNAPSHOTS.split(";"):
        owner.run(statement)


async def test_a_customer_is_worth_what_came_in_and_what_comes_as_long_as_accounts_stay(
    books: Books, owner: Books, reports: Reports
) -> None:
    books.invoice("n", "acc_1", lines=[line(1000_00, tax_percent=19)])
    books.pay("p", "acc_1", 1190_00)
    keep_months(owner)

    worth = await reports.run("cltv-accounts")

    shown = worth.texts("account_id", "receipts_minor", "mrr_minor", "months", "value_minor")
    assert ("acc_1", "1000.00", "130.00", "50", "7500.00") in shown
    assert ("acc_2", "0.00", "0.00", "50", "0.00") in shown


async def test_a_customer_who_has_paid_nothing_yet_is_worth_what_is_to_come(
    books: Books, owner: Books, reports: Reports
) -> None:
    books.invoice("n", "acc_1", lines=[line(1000_00, tax_percent=19)])
    keep_months(owner)

    worth = await reports.run("cltv-accounts")

    shown = worth.texts("account_id", "receipts_minor", "mrr_minor", "value_minor")
    assert ("acc_1", "0.00", "130.00", "6500.00") in shown


async def test_a_segment_of_which_little_is_known_stays_as_long_as_everybody(
    books: Books, owner: Books, reports: Reports
) -> None:
    keep_months(owner)
    owner.run("update duly.accounts set segment = 'small' where id in ('x_1', 'x_3')")
    owner.run("update duly.accounts set segment = 'loyal' where id in ('x_4', 'x_5', 'x_6')")

    worth = await reports.run("cltv-accounts")

    months = {row["account_id"]: str(row["months"]) for row in worth.found}
    # Of everybody else 12 of 1,140 account-months were lost, 95 months each, which is more than five years.
    assert (months["x_3"], months["x_4"], months["acc_1"]) == ("50.0", "60.0", "60.0")


async def test_receipts_to_come_follow_from_what_was_collected_of_closed_months(books: Books, reports: Reports) -> None:
    for month in range(3, 12):
        for part, (amount, paid_in) in enumerate(((80_00, month), (20_00, month + 1))):
            invoice = books.invoice(f"n{month}/{part}", "acc_1", amount, posted_on=date(2025, month, 2))
            if paid_in <= 11:
                paid_on = date(2025, paid_in, 20)
                books.pay(f"p{month}/{part}", "acc_1", amount, posted_on=paid_on, addressed_invoice_ids=[invoice])

    forecast = await reports.run("forecast", last=date(2025, 12, 1))

    held_out = forecast.texts("kind", "month", "expected_minor", "received_minor", "naive_minor")
    assert held_out[:3] == [
        ("held_out", "2025-09", "100.00", "100.00", "100.00"),
        ("held_out", "2025-10", "100.00", "100.00", "100.00"),
        ("held_out", "2025-11", "100.00", "100.00", "100.00"),
    ]
    assert forecast.texts("error", "bias", "naive_error")[3] == ("0.00", "0.00", "0.00")
    assert forecast.texts("kind", "month", "billed_minor", "expected_minor")[4:] == [
        ("forecast", "2025-12", "100.00", "100.00"),
        ("forecast", "2026-01", "100.00", "100.00"),
        ("forecast", "2026-02", "100.00", "100.00"),
    ]
