"""Examining VAT in the seller's own currency: it is said where the law wants it, and its rates are there."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from activities.database import Database
from commands.operations.checks.finding import Finding, ok, warning, wrong
from models.printouts.countries import VAT_CURRENCIES

CHECK = "rates of exchange"
_MISSING = "select * from duly.missing_exchange_rates(:on)"


async def examine_tax_currency(database: Database) -> AsyncIterator[Finding]:
    """Yield what is found where accounts have another currency than that in which the house owes VAT."""
    for row in await database.rows(_MISSING, on=datetime.now(UTC).date()):
        owed_in = row.tax_currency or VAT_CURRENCIES.get(row.house_country, "")
        others = [code for code in row.currencies or () if owed_in and code != owed_in]
        if not others:
            continue
        if not row.tax_currency:
            found = f"documents in {', '.join(others)} say their VAT in that alone, and a seller of {row.house_country}"
            advice = f'the seller of the definitions needs `tax_currency = "{owed_in}"` (2006/112/EC art. 230)'
            yield warning(CHECK, f"{found} owes it in {owed_in}", advice)
        elif row.missing:
            found = f"none of the last day on which they were published for {', '.join(row.missing)}"
            advice = "`duly import rates` with the file of the day: without it nothing with VAT is posted in these"
            yield wrong(CHECK, found, advice)
        else:
            yield ok(CHECK, f"VAT of {', '.join(others)} is said in {owed_in}")
