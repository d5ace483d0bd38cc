"""Finding payments by whatever somebody has in hand: the gateway's ids, numbers, codes, references, preferences."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from activities.database import Database
from models.gateway.gateway_request import RequestKind
from models.payments.preference import number_of_preference
from models.tables.collecting import GatewayAttemptRow, GatewayRequestRow, PaymentOrderRow
from models.tables.configuration import GatewayCustomerRow, PaymentPreferenceRow, ProviderRow
from models.tables.returns import DisputeRow
from models.tables.transactions import FinancialTransactionRow, TransactionNumberRow

# An account may have thousands of payments: the newest are shown.
FOUND_AT_MOST = 50

_R, _A, _T = GatewayRequestRow, GatewayAttemptRow, FinancialTransactionRow
_Ids = Select[*tuple[Any, ...]]


class PaymentLookup:
    """Finds the requests of payments by one word."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ids(self, word: str) -> Sequence[str]:
        """Return the ids of the requests of payments that a word stands for, of the newest payments at most."""
        for query in _queries(word):
            rows = await self._database.read(query)
            if rows:
                return list(dict.fromkeys(str(row[0]) for row in rows))
        return []


def _queries(word: str) -> Sequence[_Ids]:
    """Return what is asked, one after the other, until something is found. Each is read by an index."""
    if word.startswith("cus_"):
        return (
            _of_accounts(select(GatewayCustomerRow.account_id).where(GatewayCustomerRow.customer_reference == word)),
        )
    if word.upper().startswith("PP-"):
        row = PaymentPreferenceRow
        return (_of_accounts(select(row.account_id).where(row.number == (number_of_preference(word) or 0))),)
    numbered = select(TransactionNumberRow.transaction_id).where(TransactionNumberRow.number == word)
    return (
        _paid(select(_R.id).where(_R.id == word)),
        # Attempts of refunds have the id of a refund before it is posted.
        select(case((_R.kind == RequestKind.PAYMENT, _R.id), else_=_R.of_request_id))
        .join(_A, _A.request_id == _R.id)
        .where(
            or_(_A.gateway_reference == word, _A.charge_reference == word, _A.page_reference == word),
            or_(_R.kind == RequestKind.PAYMENT, _R.of_request_id.is_not(None)),
        ),
        select(_R.of_request_id).where(_of_gateway(word), _R.of_request_id.is_not(None)),
        select(DisputeRow.request_id).where(DisputeRow.id == word),
        _paid(
            select(_R.id).join(
                PaymentOrderRow,
                (PaymentOrderRow.account_id == _R.account_id) & (PaymentOrderRow.period == _R.period),
            )
        ).where(PaymentOrderRow.id == word),
        _of_transactions(_T.id.in_(numbered)),
        _of_transactions(_T.id == word),
        _of_transactions(_T.back_office_code == word),
        _of_transactions(_T.payment_reference == word),
    )


def _paid(ids: _Ids) -> _Ids:
    return ids.where(_R.kind == RequestKind.PAYMENT)


def _of_gateway(word: str) -> Any:
    return _R.provider_id.in_(select(ProviderRow.id)) & (_R.gateway_reference == word)


def _of_accounts(accounts: _Ids) -> _Ids:
    newest = select(_R.id).where(_R.account_id.in_(accounts), _R.kind == RequestKind.PAYMENT)
    return newest.order_by(_R.created_at.desc()).limit(FOUND_AT_MOST)


def _of_transactions(is_wanted: ColumnElement[bool]) -> _Ids:
    """Return the payments that transactions are of, were drafts of, or give back, by way of their accounts."""
    account = func.coalesce(_T.intended_account_id, _T.account_id).label("account_id")
    found = select(_T.id, account).where(is_wanted).subquery()
    was_draft = select(_A.attempt).where(_A.request_id == _R.id, _A.payment_id == found.c.id).exists()
    paid = case((_R.kind == RequestKind.PAYMENT, _R.id), else_=_R.of_request_id).label("id")
    return (
        select(paid)
        .join(found, _R.account_id == found.c.account_id)
        .where(or_(_R.transaction_id == found.c.id, was_draft), paid.is_not(None))
    )
