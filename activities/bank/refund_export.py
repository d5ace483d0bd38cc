"""The monthly refund of accounts in credit: who is refunded, drafted in one commit (F120)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, cast, exists, func, select, true

from activities.database import Database
from activities.ledger.client import naming_the_rule
from models.bank.refund_plan import Candidate, period_prefix, refund_key
from models.ledger.account import AccountKind, AccountState
from models.ledger.transaction import Classification, LifeCycleState
from models.tables.accounts import AccountBalanceRow, AccountRow
from models.tables.base import whole_row
from models.tables.configuration import BANK_DEBITS, ProviderRow
from models.tables.returns import RefundAtBankRow
from models.tables.transactions import FinancialTransactionRow

_PENDING = (
    select(func.sum(FinancialTransactionRow.total_minor).label("pending_minor"))
    .where(
        FinancialTransactionRow.account_id == AccountRow.id,
        FinancialTransactionRow.classification == Classification.REFUND,
        FinancialTransactionRow.state == LifeCycleState.DRAFT,
    )
    .correlate(AccountRow)
    .lateral("pending_refunds")
)

_HAS_GATEWAY_PAYMENT = exists().where(
    FinancialTransactionRow.account_id == AccountRow.id,
    FinancialTransactionRow.classification == Classification.PAYMENT,
    FinancialTransactionRow.state == LifeCycleState.POSTED,
    # What was debited goes back by a transfer: no gateway can return it.
    FinancialTransactionRow.provider.is_not(None),
    FinancialTransactionRow.provider.not_in(select(ProviderRow.id).where(ProviderRow.gateway == BANK_DEBITS)),
)

# In the order of the fields of a Candidate.
_CANDIDATES = (
    select(
        AccountRow.id.label("account_id"),
        AccountRow.owner_name,
        AccountRow.currency,
        (-AccountBalanceRow.balance_minor).label("credit_minor"),
        cast(func.coalesce(_PENDING.c.pending_minor, 0), BigInteger).label("pending_minor"),
        (AccountRow.state == AccountState.TERMINATED).label("is_terminated"),
        _HAS_GATEWAY_PAYMENT.label("has_gateway_payment"),
        func.duly.promotional_credit(AccountRow.id).label("promotional_minor"),
    )
    .join(AccountBalanceRow, AccountBalanceRow.account_id == AccountRow.id)
    .join(_PENDING, true())
    .where(AccountRow.kind == AccountKind.CUSTOMER, AccountBalanceRow.balance_minor < 0)
    .order_by(AccountRow.id)
)

_DRAFTED = (
    select(
        FinancialTransactionRow.id,
        FinancialTransactionRow.reference_number,
        FinancialTransactionRow.account_id,
        FinancialTransactionRow.currency,
        FinancialTransactionRow.total_minor,
        FinancialTransactionRow.state,
        AccountRow.owner_name,
        exists().where(RefundAtBankRow.transaction_id == FinancialTransactionRow.id).label("is_at_bank"),
        func.duly.is_refund_overtaken(whole_row(FinancialTransactionRow)).label("is_overtaken"),
    )
    .join(AccountRow, AccountRow.id == FinancialTransactionRow.account_id)
    .order_by(FinancialTransactionRow.account_id)
)

# A month's list is one commit, whole or not there.
DRAFT_SECONDS = 10 * 60.0


class RefundExport:
    """Reads who is in credit, and drafts a month's refunds."""

    def __init__(self, database: Database, *, actor: str) -> None:
        self._database = database
        self._actor = actor

    async def candidates(self) -> list[Candidate]:
        """Return every customer's account in credit."""
        return [Candidate(*tuple(row)) for row in await self._database.read(_CANDIDATES)]

    async def of_period(self, period: str) -> Sequence[Row[Any]]:
        """Return the refunds that a month's export has drafted, whatever became of them."""
        prefix, key = period_prefix(period), FinancialTransactionRow.idempotency_key
        # Keys of a month lie side by side; ';' is the character behind ':'.
        return await self._database.read(_DRAFTED.where(key >= prefix, key < f"{prefix[:-1]};"))

    async def draft(self, period: str, chosen: Sequence[Candidate]) -> None:
        """Draft the refunds of a month, all or none; what was requested back meanwhile is left out."""
        rows = [
            {
                "key": refund_key(period, one.account_id),
                "account_id": one.account_id,
                "amount_minor": one.refund_minor,
                "currency": one.currency,
            }
            for one in chosen
        ]
        with naming_the_rule():
            await self._database.call(
                "draft_bank_refunds",
                reason=f"Negative balance, {period}",
                actor=self._actor,
                refunds={"rows": rows},
                timeout_seconds=DRAFT_SECONDS,
            )
