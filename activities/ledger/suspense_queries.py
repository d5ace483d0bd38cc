"""Money in suspense, waiting for somebody to find out whose it is (F77, F122)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, select

from activities.database import Database, matching
from models.ledger.account import AccountKind
from models.ledger.transaction import Classification, Side
from models.tables.accounts import AccountRow
from models.tables.ledger import OpenItemRow
from models.tables.transactions import FinancialTransactionRow, TransactionNoteRow, TransactionNumberRow

_FIRST_NOTE = (
    select(TransactionNoteRow.note)
    .where(TransactionNoteRow.transaction_id == FinancialTransactionRow.id)
    .order_by(TransactionNoteRow.id)
    .limit(1)
    .scalar_subquery()
)

_WAITING = (
    select(
        FinancialTransactionRow.id,
        TransactionNumberRow.number,
        FinancialTransactionRow.account_id,
        FinancialTransactionRow.currency,
        FinancialTransactionRow.total_minor,
        (OpenItemRow.amount_minor - OpenItemRow.allocated_minor).label("unsettled_minor"),
        FinancialTransactionRow.issued_on,
        FinancialTransactionRow.posted_on,
        FinancialTransactionRow.payment_reference,
        FinancialTransactionRow.gateway_reference,
        FinancialTransactionRow.intended_account_id,
        OpenItemRow.account_version,
        _FIRST_NOTE.label("note"),
    )
    .select_from(AccountRow)
    .join(
        OpenItemRow,
        and_(
            OpenItemRow.account_id == AccountRow.id,
            OpenItemRow.side == Side.CREDIT,
            OpenItemRow.allocated_minor < OpenItemRow.amount_minor,
        ),
    )
    .join(
        FinancialTransactionRow,
        and_(
            FinancialTransactionRow.id == OpenItemRow.transaction_id,
            FinancialTransactionRow.classification == Classification.PAYMENT,
        ),
    )
    .join(TransactionNumberRow, TransactionNumberRow.transaction_id == FinancialTransactionRow.id)
    .where(AccountRow.kind == AccountKind.SUSPENSE)
    .order_by(TransactionNumberRow.number)
)


class SuspenseQueries:
    """Reads the daily queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, *, currency: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next payments behind a number, oldest first."""
        filters = (*matching(AccountRow.currency, currency), TransactionNumberRow.number > after)
        return await self._database.read(_WAITING.where(*filters).limit(limit))
