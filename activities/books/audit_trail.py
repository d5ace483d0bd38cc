"""Who has changed what: transactions, accounts and the configuration."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database
from models.tables.transactions import FinancialTransactionRow, TransactionNumberRow

_HISTORY = "select * from duly.history_of(:kind, :subject, :actor, :limit)"


class AuditTrail:
    """Reads what was kept, in the commit of each change, of who made it and why."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def history(self, subject: str, *, kind: str, actor: str, limit: int) -> Sequence[Row[Any]]:
        """Return the newest changes, of one thing or of everything; empty filters let all through."""
        named = await self._id_of(subject) if subject else None
        return await self._database.rows(_HISTORY, kind=kind or None, subject=named, actor=actor or None, limit=limit)

    async def _id_of(self, subject: str) -> str:
        """Return the id of a transaction that a number names, or else what was given."""
        row, draft = TransactionNumberRow, FinancialTransactionRow
        found = await self._database.read_first(
            select(row.transaction_id.label("id")).where(row.number == subject)
        ) or await self._database.read_first(select(draft.id).where(draft.id == f"ft_{subject.removeprefix('R')}"))
        return str(found.id) if found else subject
