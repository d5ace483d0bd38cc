"""Showing the money whose account is not known."""

from activities.ledger.suspense_queries import SuspenseQueries
from commands.formatting import money
from commands.output import Output, table
from commands.paging import answer_page
from commands.session import database_of, read_settings


async def list_page(output: Output, *, currency: str, after: str, limit: int) -> None:
    """List payments in suspense, oldest first; `next` continues behind them."""
    async with database_of(read_settings()) as database:
        rows = await SuspenseQueries(database).page(currency=currency, after=after, limit=limit)
    shown = [(row.number, row.issued_on, money(row.total_minor, row.currency), _known_of(row)) for row in rows]
    page = table("", "Payment", "Booked", "Amount", "What is known of it", rows=shown, right=("Amount",))
    answer_page(output, "payments", rows, page, limit=limit, place=lambda row: str(row.number))


def _known_of(row: object) -> str:
    meant = getattr(row, "intended_account_id", None)
    return f"meant for {meant}" if meant else str(getattr(row, "note", None) or "")
