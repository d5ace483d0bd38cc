"""Money in suspense, waiting for somebody to find out whose it is (F77, F122)."""

from sqlalchemy import and_, literal, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.ledger.account import AccountKind
from models.ledger.transaction import Classification, Side
from models.listing import ListPage
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
        FinancialTransactionRow.posted_at,
        literal("waiting").label("state"),
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
)
_LIST = NewestFirst(
    _WAITING,
    moment=FinancialTransactionRow.posted_at,
    key=TransactionNumberRow.number,
    state=literal("waiting"),
    amount=OpenItemRow.amount_minor - OpenItemRow.allocated_minor,
    currency=AccountRow.currency,
)


class SuspenseQueries:
    """Reads what waits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, page: ListPage, *, currency: str) -> Listed:
        """Return a page of payments, the newest first, and what all that wait come to."""
        return await _LIST.page(self._database, page, *matching(AccountRow.currency, currency))
