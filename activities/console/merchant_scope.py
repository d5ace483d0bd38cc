"""What a user of the console who is limited to merchants may see: their customers, and all that is of one of these."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select

from activities.database import Database, one_of
from models.tables.accounts import AccountRow
from models.tables.collecting import CollectionRow, GatewayRequestRow, PaymentRequestRow
from models.tables.configuration import ProviderRow
from models.tables.ledger import AccountBillRow
from models.tables.messages import MessageRow
from models.tables.operations import ApprovalRow, MerchantCustomerRow
from models.tables.returns import DisputeRow
from models.tables.transactions import FinancialTransactionRow, TransactionNumberRow

_M, _T, _N = MerchantCustomerRow, FinancialTransactionRow, TransactionNumberRow
_Query = Select[*tuple[Any, ...]]


def _of(row: Any) -> Callable[[str], _Query]:
    return lambda id: select(row.account_id).where(row.id == id)


def _of_transaction(id: str) -> _Query:
    reference = f"ft_{id[1:]}" if id[:1] == "R" and id[1:].isdigit() else id
    numbered = select(_N.transaction_id).where(_N.number == id)
    return select(_T.account_id).where(_T.id.in_([id, reference]) | _T.id.in_(numbered))


def _of_collection(id: str) -> _Query:
    account, _, period = id.rpartition("/")
    return select(CollectionRow.account_id).where(CollectionRow.account_id == account, CollectionRow.period == period)


# Whose an object is, by the noun of its page. What is of no one account is not here, and nobody with a limit sees it.
_ACCOUNT_OF: Mapping[str, Callable[[str], _Query]] = {
    "accounts": lambda id: select(AccountRow.id.label("account_id")).where(AccountRow.id == id),
    "transactions": _of_transaction,
    "payments": _of(GatewayRequestRow),
    "requests": _of(GatewayRequestRow),
    "refunds": _of(GatewayRequestRow),
    "collections": _of_collection,
    "payment-requests": _of(PaymentRequestRow),
    "disputes": _of(DisputeRow),
    "messages": _of(MessageRow),
    "bills": _of(AccountBillRow),
    "approvals": _of(ApprovalRow),
}


class MerchantScope:
    """Reads whose customer an account is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has(self, merchants: Sequence[str], noun: str, id: str) -> bool:
        """Tell whether an object is of a customer of these merchants. What is not there is not."""
        if noun == "merchants":
            return id in merchants
        if noun == "providers":
            row = ProviderRow
            return bool(
                await self._database.read(select(row.id).where(row.id == id, one_of(row.merchant_id, merchants)))
            )
        if noun not in _ACCOUNT_OF:
            return False
        found = {row.account_id or "" for row in await self._database.read(_ACCOUNT_OF[noun](id))}
        return bool(found) and await self.among(merchants, sorted(found)) == found

    async def among(self, merchants: Sequence[str], accounts: Sequence[str]) -> frozenset[str]:
        """Return those of some accounts that are customers of these merchants."""
        query = select(_M.account_id).where(one_of(_M.merchant_id, merchants), one_of(_M.account_id, accounts))
        return frozenset(row.account_id for row in await self._database.read(query))


def is_customer_of(merchants: Sequence[str], account: Any = AccountRow.id) -> tuple[ColumnElement[bool], ...]:
    """Return the filter of accounts for the customers of these merchants; without any, everybody passes."""
    if not merchants:
        return ()
    return (exists().where(_M.account_id == account, one_of(_M.merchant_id, merchants)),)
