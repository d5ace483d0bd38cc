"""Money in suspense, waiting for somebody to find out whose it is (F77, F122)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from activities.database import Database

_WAITING = """
    select t.id, n.number, t.account_id, t.currency, t.total_minor,
        i.amount_minor - i.allocated_minor as unsettled_minor,
        t.issued_on, t.posted_on, t.payment_reference, t.gateway_reference, t.intended_account_id, i.account_version,
        (select x.note from duly.transaction_notes x where x.transaction_id = t.id order by x.id limit 1) as note
    from duly.accounts a
    join duly.open_items i on i.account_id = a.id and i.side = 'credit' and i.allocated_minor < i.amount_minor
    join duly.financial_transactions t on t.id = i.transaction_id and t.classification = 'payment'
    join duly.transaction_numbers n on n.transaction_id = t.id
    where a.kind = 'suspense' and (:currency = '' or a.currency = :currency) and n.number > :after
    order by n.number limit :limit
"""


class SuspenseQueries:
    """Reads the daily queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, *, currency: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next payments behind a number, oldest first."""
        return await self._database.rows(_WAITING, currency=currency, after=after, limit=limit)
