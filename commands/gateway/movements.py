"""Showing what is expected to move at the gateway."""

from typing import Any

from sqlalchemy import Row

from activities.events.movements import ExpectationQueries
from commands.formatting import moment, money
from commands.lists.paging import answer_list
from commands.output import Output
from commands.session import read_settings, reading_database_of
from models.listing import ListPage


async def list_page(
    output: Output, page: ListPage, *, account: str, is_open: bool, is_overdue: bool, is_differing: bool
) -> None:
    """List a page of expectations, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await ExpectationQueries(database).page(
            page, account_id=account, is_open=is_open, is_overdue=is_overdue, is_differing=is_differing
        )
    columns = {
        "Object": lambda row: row.object,
        "Kind": lambda row: row.kind,
        "Account": lambda row: row.account_id,
        "Amount>": lambda row: money(row.amount_minor, row.currency),
        "Moved>": _moved,
        "Fee>": lambda row: money(row.fee_minor, row.settled_currency) if row.settled_currency else "",
        "Movement": lambda row: row.movement or ("overdue" if row.is_overdue else "open"),
        "Since": lambda row: moment(row.expected_at),
    }
    await answer_list(output, settings, "movements", listed, columns)


def _moved(row: Row[Any]) -> str:
    if row.settled_currency is None:
        return ""
    moved = money(row.settled_minor, row.settled_currency)
    return f"{moved} (differs)" if row.is_differing else moved
