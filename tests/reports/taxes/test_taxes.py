"""VAT in the house's currency, over histories of every kind: in its own currency it is what the report of VAT says."""

from datetime import date
from typing import Any

import pytest

from models.reports.definition import definition_of
from tests.ledger.books import Books
from tests.reports.conftest import KeptReport, Reports, make_history

RATES = """
    insert into duly.exchange_rates (currency, rate_on, per_euro, imported_by)
    select 'JPY', d, 161.37, 'ada' from generate_series(date '2020-01-01', current_date, '1 day') d
"""
HOUSE = """
    insert into duly.sellers (id, name, street, postal_code, city, country, vat_id, tax_currency)
    values ('house', 'House', 'Street 1', '1', 'City', 'DE', 'DE123456789', 'EUR')
"""
MEASURES = ["net", "vat", "relief", "vat_due"]


async def ever(reports: Reports, **document: Any) -> KeptReport:
    """Run a report of one's own over all that was ever posted."""
    definition = definition_of({"id": "own", "title": "Own", **document})
    return await reports.run(definition, date(2000, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize("currency", ["EUR", "JPY"])
async def test_taxes_come_to_the_vat_of_the_lines_where_nothing_is_converted(
    books: Books, owner: Books, reports: Reports, currency: str
) -> None:
    make_history(books, owner, 7, currency)

    lines, taxes = [
        await ever(reports, source=source, group_by=["month", "tax_rate_id", "tax_percent"], measures=MEASURES)
        for source in ("lines", "taxes")
    ]

    assert taxes.found == lines.found != []


async def test_taxes_are_those_that_were_frozen_to_the_cent_with_cancellations_and_write_offs(
    books: Books, owner: Books, reports: Reports
) -> None:
    owner.run(RATES)
    owner.run(HOUSE)
    make_history(books, owner, 11, "JPY")

    taxes = await ever(reports, source="taxes", group_by=["classification"], measures=["vat", "relief"])
    frozen = owner.run(
        "select t.classification::text, sum(c.tax_minor)::bigint from duly.tax_conversions c"
        " join duly.financial_transactions t on t.id = c.transaction_id group by 1"
    )

    reported = {
        row["classification"]: abs(row["vat"]) + row["relief"] for row in taxes.found if row["currency"] == "EUR"
    }
    assert {name: tax for name, tax in reported.items() if tax} == {name: tax for name, tax in frozen if tax} != {}
    assert [row for row in taxes.found if row["currency"] != "EUR" and row["vat"]] == []
