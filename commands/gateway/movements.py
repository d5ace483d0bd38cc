"""Showing what is expected to move at the gateway."""

from sqlalchemy import Row

from activities.events.movements import ExpectationQueries
from commands.formatting import moment, money
from commands.output import Output, table
from commands.paging import answer_page
from commands.session import database_of, read_settings


async def list_page(
    output: Output, *, account: str, is_open: bool, is_overdue: bool, is_differing: bool, limit: int, after: str
) -> None:
    """List one page of expectations; `next` continues behind it."""
    async with database_of(read_settings()) as database:
        rows = await ExpectationQueries(database).page(
            account_id=account,
            is_open=is_open,
            is_overdue=is_overdue,
            is_differing=is_differing,
            after=after,
            limit=limit,
        )
    shown = [_shown(row) for row in rows]
    headings = ("Object", "Kind", "Account", "Amount", "Moved", "Fee", "Movement", "Since")
    answer_page(
        output, "movements", rows, table("", *headings, rows=shown), limit=limit, place=lambda row: str(row.place)
    )


def _shown(row: Row[tuple[object, ...]]) -> tuple[str, ...]:
    is_known = row.settled_currency is not None
    moved = money(row.settled_minor, row.settled_currency) if is_known else ""
    return (
        row.object,
        row.kind,
        row.account_id,
        money(row.amount_minor, row.currency),
        f"{moved} (differs)" if row.is_differing else moved,
        money(row.fee_minor, row.settled_currency) if is_known else "",
        row.movement or ("overdue" if row.is_overdue else "open"),
        moment(row.expected_at),
    )
