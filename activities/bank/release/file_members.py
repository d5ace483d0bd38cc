"""What is in a file for the bank: the refunds of a month and the debits of a batch, page by page."""

from typing import Any

from sqlalchemy import Select, exists, select

from activities.database import Database
from activities.listing import Listed
from models.bank.refund_plan import period_prefix
from models.console.approval import LimitedKind
from models.listing import ListPage
from models.tables.accounts import AccountRow
from models.tables.returns import DebitRow, RefundAtBankRow
from models.tables.transactions import FinancialTransactionRow, TransactionNumberRow

_T, _D = FinancialTransactionRow, DebitRow
_KEY = _T.idempotency_key
_REFUNDS = (
    select(
        _KEY.label("place"),
        _T.id,
        TransactionNumberRow.number,
        _T.reference_number,
        _T.account_id,
        AccountRow.owner_name,
        _T.total_minor.label("amount_minor"),
        _T.currency,
        _T.state,
        exists().where(RefundAtBankRow.transaction_id == _T.id).label("is_at_bank"),
    )
    .join(AccountRow, AccountRow.id == _T.account_id)
    .outerjoin(TransactionNumberRow, TransactionNumberRow.transaction_id == _T.id)
    .order_by(_KEY)
)
_DEBITS = (
    select(
        _D.id.label("place"),
        _D.id,
        _D.request_id,
        _D.account_id,
        AccountRow.owner_name,
        _D.amount_minor,
        _D.currency,
        _D.state,
        _D.code,
        _D.collect_on,
        _D.sequence_type,
        _D.mandate_id,
    )
    .join(AccountRow, AccountRow.id == _D.account_id)
    .order_by(_D.id)
)


class BankFileMembers:
    """Reads what is in files for the bank, in the order of its accounts, or of the debits' ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, kind: LimitedKind, subject: str, page: ListPage) -> Listed:
        """Return a page of a month's refunds, whatever became of them, or of a batch's debits; none of no file."""
        if kind is LimitedKind.DEBIT_FILE:
            return await self._page(_DEBITS.where(_D.batch_id == subject, _D.id > page.after), page)
        prefix = period_prefix(subject)
        # Keys of a month lie side by side; ';' is the character behind ':'.
        return await self._page(_REFUNDS.where(max(prefix, page.after) < _KEY, f"{prefix[:-1]};" > _KEY), page)

    async def _page(self, wanted: Select[*tuple[Any, ...]], page: ListPage) -> Listed:
        rows = await self._database.read(wanted.limit(page.limit))
        return Listed(rows, rows[-1].place if len(rows) == page.limit else None, is_totalled=False)
