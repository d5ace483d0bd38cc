"""Showing the money whose account is not known."""

from activities.ledger.suspense_queries import SuspenseQueries
from commands.formatting import money
from commands.lists.paging import answer_list
from commands.output import Output
from commands.session import read_settings, reading_database_of
from models.listing import ListPage
from models.operations.ledger_states import SUSPENSE


async def list_page(output: Output, page: ListPage, *, currency: str) -> None:
    """List payments in suspense, the newest first, and what all of them come to."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await SuspenseQueries(database).page(page, currency=currency)
    columns = {
        "Payment": lambda row: row.number,
        "Booked": lambda row: row.issued_on,
        "Amount>": lambda row: money(row.total_minor, row.currency),
        "What is known of it": _known_of,
    }
    await answer_list(output, settings, "payments", listed, columns, states=SUSPENSE)


def _known_of(row: object) -> str:
    meant = getattr(row, "intended_account_id", None)
    return f"meant for {meant}" if meant else str(getattr(row, "note", None) or "")
