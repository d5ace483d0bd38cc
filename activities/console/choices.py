"""What forms offer to choose from: types, methods, reasons and layouts that are in use, and an account's cards."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from activities.database import Database
from models.cards.card import CardState
from models.tables.accounts import VoucherTypeRow
from models.tables.configuration import BANK_DEBITS, EFFECTIVE, CardRow, CreditorRow, ProviderMethodRow, ProviderRow
from models.tables.operations import UserRow
from models.tables.reference import (
    DueDateRuleRow,
    PaymentMethodRow,
    ProductRow,
    StatementLayoutRow,
    TransactionReasonRow,
    TransactionTypeRow,
)
from models.tables.transactions import FinancialTransactionRow

Choices = Sequence[tuple[str, str]]
# What has no name of its own.
_BY_ID: Mapping[str, InstrumentedAttribute[str]] = MappingProxyType(
    {"layouts": StatementLayoutRow.id, "due_date_rules": DueDateRuleRow.id, "creditors": CreditorRow.id}
)
# Who may be given work of the whole house, what is sold, and kinds of vouchers.
_READ: Mapping[str, Select[*tuple[Any, ...]]] = MappingProxyType(
    {
        "assignees": select(UserRow.id, UserRow.id)
        .where(UserRow.state == "active", UserRow.merchants == [], UserRow.role != "viewer")
        .order_by(UserRow.id),
        "products": select(ProductRow.id, ProductRow.name).where(ProductRow.is_active).order_by(ProductRow.name),
        "voucher_types": select(VoucherTypeRow.id, VoucherTypeRow.name).order_by(VoucherTypeRow.name),
    }
)


class FormChoices:
    """Reads what may be chosen: the value, and how it reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, what: str, account_id: str) -> Choices:
        """Return the choices of a kind: `cards` of an account, products, ...; `types:` and `reasons:` of a sort.

        `account_id` is a transaction's id for `cards_of_transaction`: of its account.
        """
        kind, _, sort = what.partition(":")
        if kind in {"cards", "cards_of_transaction"}:
            return await self._cards(kind, account_id)
        if kind in _READ:
            return _pairs(await self._database.read(_READ[kind]))
        if kind in _BY_ID:
            column = _BY_ID[kind]
            return _pairs(await self._database.read(select(column, column).order_by(column)))
        if kind == "methods":
            method = PaymentMethodRow
            by_gateway = select(ProviderMethodRow.payment_method_id)
            ours = select(method.id, method.name).where(method.is_active, method.id.not_in(by_gateway))
            return _pairs(await self._database.read(ours.order_by(method.name)))
        if kind == "gateway_methods":
            method, handled = PaymentMethodRow, ProviderMethodRow
            theirs = select(method.id, method.name).join(handled, handled.payment_method_id == method.id)
            return _pairs(await self._database.read(theirs.where(method.is_active).order_by(method.name)))
        if kind == "payment_methods":
            method = PaymentMethodRow
            every = select(method.id, method.name).where(method.is_active)
            return _pairs(await self._database.read(every.order_by(method.name)))
        if kind in {"providers", "platforms"}:
            # A platform connects merchants: it is none's own, and in use.
            provider, own = ProviderRow, (ProviderRow.merchant_id.is_(None), ProviderRow.state == EFFECTIVE)
            only = own if kind == "platforms" else ()
            asked = select(provider.id, provider.id).where(provider.gateway != BANK_DEBITS, *only)
            return _pairs(await self._database.read(asked.order_by(provider.merchant_id.nulls_first(), provider.id)))
        if kind == "types":
            type_ = TransactionTypeRow
            types = select(type_.id, type_.name).where(type_.is_active, type_.classification == sort)
            return _pairs(await self._database.read(types.order_by(type_.is_default.desc(), type_.name)))
        reason = TransactionReasonRow
        reasons = select(reason.id, reason.name).where(reason.is_active, reason.purpose == sort)
        return _pairs(await self._database.read(reasons.order_by(reason.name)))

    async def _cards(self, kind: str, id: str) -> Choices:
        row, transaction = CardRow, FinancialTransactionRow
        label = func.trim(func.concat(row.brand, " ", row.last4))
        of = select(transaction.account_id).where(transaction.id == id).scalar_subquery()
        account = of if kind == "cards_of_transaction" else id
        query = select(row.id, label).where(row.account_id == account, row.state == CardState.ACTIVE)
        return _pairs(await self._database.read(query.order_by(row.fallback_order)))


def _pairs(rows: Sequence[Sequence[str]]) -> Choices:
    return [(str(row[0]), str(row[1])) for row in rows]
