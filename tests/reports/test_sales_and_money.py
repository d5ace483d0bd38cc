"""Reports of sales, money and balances, against figures that were worked out by hand."""

from datetime import date, timedelta
from typing import Any

import pytest

from models.reports.builtin import BUILT_IN
from tests.ledger.books import Books, line
from tests.reports.conftest import Reports

NOVEMBER = date(2025, 11, 30)


def sold(net_minor: int, percent: int, rate: str = "", *, product: str = "gold", **fields: Any) -> dict[str, Any]:
    """Return a line with the id of its rate."""
    made = line(net_minor, product=product, tax_percent=percent)
    return {**made, **({"tax_rate_id": rate} if rate else {}), **fields}


@pytest.fixture
def sales(books: Books, owner: Books) -> Books:
    """Four invoices and a credit note in November: at 19 %, at 7 %, and by reverse charge; another in October."""
    owner.run("insert into duly.tax_rates values ('reduced', 'Reduced', 7), ('AE', 'Reverse charge', 0)")
    owner.run("update duly.products set product_line = 'cards' where id = 'gold'")
    owner.run("update duly.accounts set region = 'DE' where id = 'acc_1'")
    for number, lines in enumerate(
        (
            [sold(100_00, 19, "standard", sales_channel="shop")],
            [sold(33_33, 19, "standard")],
            [sold(50_00, 7, "reduced", product="silver")],
            [sold(200_00, 0, "AE")],
        )
    ):
        books.invoice(f"n{number}", "acc_1", lines=lines, posted_on=NOVEMBER)
    books.call(
        "create_credit_note",
        key="c1",
        account_id="acc_1",
        currency="EUR",
        lines=[sold(33_33, 19, "standard")],
        posted_on=NOVEMBER,
    )
    books.invoice("o1", "acc_1", lines=[sold(80_00, 19, "standard")], posted_on=date(2025, 10, 31))
    return books


async def test_vat_is_told_by_rate_with_a_credit_note_taken_off(sales: Books, reports: Reports) -> None:
    vat = await reports.run("vat", date(2025, 11, 1), NOVEMBER)

    assert vat.texts("region", "tax_rate_id", "net", "vat") == [
        ("DE", "AE", "200.00", "0.00"),
        ("DE", "reduced", "50.00", "3.50"),
        ("DE", "standard", "100.00", "19.00"),
    ]
    assert vat.totals["EUR"]["vat_due"] == 22_50


async def test_vat_is_told_by_the_country_and_region_of_the_posting_whoever_moves_since(
    books: Books, owner: Books, reports: Reports
) -> None:
    owner.run("insert into duly.tax_rates (id, name, percent, category) values ('reverse', 'Reverse charge', 0, 'AE')")
    owner.run("insert into duly.postal_addresses values ('acc_1', '', 'S', '', '1', 'C', 'AT')")
    owner.run("update duly.accounts set region = 'AT' where id = 'acc_1'")
    books.invoice("n1", "acc_1", lines=[sold(200_00, 0, "reverse")], posted_on=NOVEMBER)
    owner.run("update duly.postal_addresses set country = 'DE'")
    owner.run("update duly.accounts set region = 'DE' where id = 'acc_1'")
    books.invoice("n2", "acc_1", lines=[sold(100_00, 19, "standard")], posted_on=NOVEMBER)

    vat = await reports.run("vat-by-country", date(2025, 11, 1), NOVEMBER)
    regions = await reports.run("vat", date(2025, 11, 1), NOVEMBER)

    assert vat.texts("country", "tax_category", "net", "vat") == [
        ("AT", "AE", "200.00", "0.00"),
        ("DE", "S", "100.00", "19.00"),
    ]
    assert regions.texts("region", "net") == [("AT", "200.00"), ("DE", "100.00")]


async def test_taxes_of_a_service_are_no_sale_at_nothing(books: Books, reports: Reports) -> None:
    taxes = [{"authority": "NY", "name": "sales", "percent": "8.875", "taxable_minor": 10_00, "tax_minor": 89}]
    taxed = {**line(10_00), "tax_minor": 89, "total_minor": 10_89, "applied_taxes": taxes}
    books.invoice("i1", "acc_1", lines=[taxed, line(50_00)], posted_on=NOVEMBER)

    vat = await reports.run("vat", date(2025, 11, 1), NOVEMBER)

    assert sorted(
        (row["tax_percent"], row["net"], row["vat"]) for row in vat.found if row["tax_percent"] is not None
    ) == [(0, 50_00, 0)]
    assert [(row["net"], row["vat"]) for row in vat.found if row["tax_percent"] is None] == [(10_00, 89)]


async def test_vat_is_rounded_line_by_line_and_so_is_the_report(books: Books, reports: Reports) -> None:
    for number in range(3):
        books.invoice(f"n{number}", "acc_1", lines=[sold(13, 19, "standard")], posted_on=NOVEMBER)

    assert (await reports.run("vat", date(2025, 11, 1), NOVEMBER)).totals["EUR"]["vat_due"] == 6


async def test_revenue_is_compared_with_the_month_before(sales: Books, reports: Reports) -> None:
    revenue = await reports.run("revenue")

    shown = revenue.texts("type_id", "invoices", "net", "vat", "total", "net_before", "net_change")
    assert shown == [
        ("credit_note", "0", "-33.33", "-6.33", "-39.66", "0.00", "\N{EN DASH}"),
        ("invoice", "4", "383.33", "28.83", "412.16", "80.00", "379.16"),
    ]


async def test_the_average_revenue_of_a_product_is_its_net_by_the_invoices_that_carry_it(
    books: Books, reports: Reports
) -> None:
    for number, net in enumerate((10_00, 20_00, 20_00)):
        books.invoice(f"n{number}", "acc_1", net, posted_on=NOVEMBER)
    books.credit_note("c", "acc_1", 10_00, posted_on=NOVEMBER)

    by_product = await reports.run("revenue-by-product")

    assert by_product.texts("product_id", "invoices", "net", "average") == [("gold", "3", "40.00", "13.33")]


async def test_a_cancelled_invoice_is_none_of_the_average_from_its_cancellation_on(
    books: Books, reports: Reports
) -> None:
    october = date(2025, 10, 31)
    for number, net in enumerate((10_00, 20_00)):
        books.invoice(f"n{number}", "acc_1", net, posted_on=NOVEMBER)
    for id, day in (("same", NOVEMBER), ("before", october)):
        document = books.invoice(id, "acc_1", 90_00, posted_on=day)
        books.call("cancel_invoice", key=f"x{id}", invoice_id=document, posted_on=NOVEMBER)

    november = await reports.run("revenue-by-product")
    both = await reports.run("revenue-by-product", date(2025, 10, 1), NOVEMBER)
    before = await reports.run("revenue-by-product", date(2025, 10, 1), october)

    columns = ("invoices", "net", "average")
    # In November three were made and two cancelled, one of them of October's.
    assert november.texts(*columns) == [("1", "-60.00", "-60.00")]
    assert both.texts(*columns) == [("2", "30.00", "15.00")]
    assert before.texts(*columns) == [("1", "90.00", "90.00")]


async def test_revenue_is_told_by_channel_and_every_month_is_there(sales: Books, reports: Reports) -> None:
    by_channel = await reports.run("revenue-by-channel")
    by_month = await reports.run("monthly-revenue", date(2025, 9, 1), NOVEMBER)

    assert by_channel.texts("sales_channel", "net") == [("shop", "100.00"), ("", "250.00")]
    assert by_month.texts("month", "net") == [("2025-09", "0.00"), ("2025-10", "80.00"), ("2025-11", "350.00")]


async def test_receipts_are_told_by_type_and_a_cancelled_payment_is_no_transaction_of_value(
    books: Books, reports: Reports
) -> None:
    payments = [
        books.pay(f"p{number}", "acc_1", amount, posted_on=NOVEMBER)
        for number, amount in enumerate((50_00, 30_00, 100_00))
    ]
    books.call("cancel_payment", key="x", payment_id=payments[-1], posted_on=NOVEMBER)
    books.pay("bank", "acc_2", 7_00, method="bank_transfer", posted_on=NOVEMBER)

    receipts = await reports.run("receipts")
    average = await reports.run("atv", date(2025, 11, 1), NOVEMBER)
    of_one = await reports.own(
        source="receipts", group_by=["account_id"], measures=["atv"], filters={"account_id": "acc_1"}
    )

    assert receipts.texts("payment_type", "method", "paid", "cancelled", "amount") == [
        ("payment", "bank_transfer", "7.00", "0.00", "7.00"),
        ("payment", "cash", "180.00", "100.00", "80.00"),
    ]
    assert average.texts("month", "payments", "atv") == [("2025-11", "3", "29.00")]
    assert of_one.texts("account_id", "atv") == [("acc_1", "40.00")]


@pytest.fixture
def owing(books: Books) -> Books:
    """What is unsettled on 30 November: due then, a day, a month, a month and a day, and three months before."""
    ids = []
    for number, (amount, month, day) in enumerate(
        ((119_00, 11, 30), (59_50, 11, 29), (238_00, 10, 31), (47_60, 10, 30), (20_00, 8, 31))
    ):
        # What is posted is due in 14 days.
        posted_on = date(2025, month, day) - timedelta(days=14)
        ids.append(books.invoice(f"n{number}", "acc_1", amount, posted_on=posted_on))
    books.pay("p", "acc_1", 100_00, addressed_invoice_ids=[ids[2]], posted_on=date(2025, 11, 2))
    books.pay("too much", "acc_2", 30_00, posted_on=date(2025, 11, 3))
    return books


async def test_balances_are_aged_by_the_days_since_they_were_due(owing: Books, reports: Reports) -> None:
    ageing = (await reports.run("ageing", last=NOVEMBER)).totals["EUR"]

    buckets = ("not_due", "days_1_to_30", "days_31_to_60", "days_61_to_90", "over_90_days", "credit")
    assert [ageing[name] for name in buckets] == [119_00, 197_50, 47_60, 0, 20_00, -30_00]
    assert (ageing["balance"], ageing["outstanding"]) == (354_10, 265_10)


async def test_an_older_day_is_aged_as_it_was(owing: Books, reports: Reports) -> None:
    before = await reports.run("ageing", last=date(2025, 11, 1))
    owing.pay("rest", "acc_1", 384_10, posted_on=date(2025, 12, 1))
    later = await reports.run("ageing", last=NOVEMBER)

    assert before.texts("account_id", "days_1_to_30", "days_61_to_90", "credit", "balance") == [
        ("acc_1", "285.60", "20.00", "0.00", "305.60")
    ]
    assert (later.totals["EUR"]["balance"], later.totals["EUR"]["outstanding"]) == (354_10, 265_10)


async def test_overdue_documents_and_refunds_due_are_listed(owing: Books, reports: Reports) -> None:
    overdue = await reports.run("overdue", last=NOVEMBER)
    due_back = await reports.run("refunds-due")

    assert overdue.texts("days", "bucket", "outstanding_minor") == [
        ("91", "over 90", "20.00"),
        ("31", "31-60", "47.60"),
        ("30", "1-30", "138.00"),
        ("1", "1-30", "59.50"),
    ]
    assert due_back.texts("account_id", "due_back_minor") == [("acc_2", "30.00")]


async def test_bad_debt_is_a_share_of_what_was_invoiced(books: Books, reports: Reports) -> None:
    books.invoice("n1", "acc_1", 180_00, posted_on=NOVEMBER)
    bad = books.invoice("n2", "acc_2", 20_00, posted_on=NOVEMBER)
    books.call("write_off", key="w", invoice_id=bad, type_id="write_off", posted_on=NOVEMBER)

    debt = await reports.run("bad-debt", date(2025, 11, 1), NOVEMBER)

    assert debt.texts("invoiced", "written_off", "bad_debt_rate") == [("200.00", "20.00", "10.00")]


async def test_every_report_can_be_run_on_an_empty_ledger(books: Books, reports: Reports) -> None:
    found = {report for report in sorted(BUILT_IN) if (await reports.run(report)).found}

    # Accounts are worth nothing before anything has happened, and they are there.
    assert {report for report in found if not report.startswith("cltv")} == set()
