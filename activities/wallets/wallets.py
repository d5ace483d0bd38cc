"""Wallets: credited, debited, voided, and shown with what is left of each credit."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Text, and_, case, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import aliased

from activities.database import Database
from activities.ledger.client import Ledger
from models.problem import refusal
from models.tables.accounts import AccountRow, WalletLimitRow, WalletTransactionRow, WalletTypeRow
from models.tables.accounts import WalletTopUpChoiceRow as ChoiceRow
from models.tables.accounts import WalletTopUpRow as TopUpRow
from models.tables.accounts import WalletTopUpRuleRow as RuleRow
from models.tables.transactions import TransactionNumberRow

_ROW = WalletTransactionRow
_CREDITS = """
    select id, number, type_id, posted_on, expires_on, amount_minor, left_minor from duly.wallet_credits(:account)
    order by expires_on nulls last, wallet_version
"""
_VOIDED = aliased(WalletTransactionRow)
# What is posted beside each, by its number: invoices, payments and their cancellations.
_DOCUMENTS = (
    select(func.array_agg(aggregate_order_by(TransactionNumberRow.number, TransactionNumberRow.number)))
    .where(TransactionNumberRow.transaction_id.in_([_ROW.made_invoice_id, _ROW.transaction_id]))
    .scalar_subquery()
)
_STATEMENT = (
    select(
        _ROW.id,
        _ROW.number,
        _ROW.posted_on,
        _ROW.type_id,
        _ROW.direction,
        case((_ROW.direction == "credit", _ROW.amount_minor), else_=-_ROW.amount_minor).label("amount_minor"),
        _ROW.balance_after_minor,
        _ROW.expires_on,
        _VOIDED.number.label("voids"),
        func.coalesce(_DOCUMENTS, cast([], ARRAY(Text))).label("documents"),
        _ROW.actor,
        _ROW.reason,
    )
    .outerjoin(_VOIDED, _VOIDED.id == _ROW.voids_id)
    .order_by(_ROW.wallet_version)
)


class Wallets:
    """Moves and reads wallets. Whatever is refused is raised as a LedgerError that names the rule."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ledger = Ledger(database)

    async def credit(self, **arguments: Any) -> Row[Any]:
        """Credit a wallet, with the invoice of its type; asking again with the key answers the same transaction."""
        return await self.require(str(await self._ledger.run("wallet_credit", **arguments)))

    async def debit(self, **arguments: Any) -> Row[Any]:
        """Debit a wallet, with the payment and invoice of its type; never more than there is."""
        return await self.require(str(await self._ledger.run("wallet_debit", **arguments)))

    async def pay_services(self, **arguments: Any) -> str:
        """Pay for an account's subscriptions, fund its wallet by the rest, and return the payment's id."""
        return str(await self._ledger.run("pay_services", **arguments))

    async def funded_by(self, payment_id: str) -> Row[Any] | None:
        """Return the wallet transaction that a payment has funded; None when there is none."""
        found = await self._database.read_first(select(_ROW.id).where(_ROW.funding_payment_id == payment_id))
        return await self.require(found.id) if found else None

    async def void(self, transaction_id: str, *, key: str, actor: str, reason: str) -> Row[Any]:
        """Take a wallet transaction back, with what was posted beside it."""
        arguments = {"key": key, "transaction_id": transaction_id, "actor": actor, "reason": reason}
        return await self.require(str(await self._ledger.run("wallet_void", **arguments)))

    async def account(self, account_id: str) -> Row[Any]:
        """Return an account with the limit of its wallet's currency. Raises RefusedError when there is none."""
        found = await self._database.read_first(
            select(AccountRow.id, AccountRow.owner_name, AccountRow.currency, WalletLimitRow.maximum_minor)
            .outerjoin(WalletLimitRow, WalletLimitRow.currency == AccountRow.currency)
            .where(AccountRow.id == account_id)
        )
        if found is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        return found

    async def balance(self, account_id: str) -> int:
        """Return what is in a wallet, in minor units."""
        return int(await self._database.call("wallet_balance", account_id=account_id))

    async def credits(self, account_id: str) -> Sequence[Row[Any]]:
        """Return what is left of each credit, in the order in which it is spent."""
        return await self._database.rows(_CREDITS, account=account_id)

    async def top_ups(self, account_id: str) -> Row[Any] | None:
        """Return the rule of an account's currency, what the account has chosen, and what is asked for now.

        None: no rule tops up wallets of the currency.
        """
        asked = TopUpRow.account_id == AccountRow.id, TopUpRow.state == "requested"
        return await self._database.read_first(
            select(
                RuleRow.below_minor,
                RuleRow.amount_minor,
                RuleRow.most_in_month,
                RuleRow.is_active,
                (RuleRow.is_active & func.coalesce(ChoiceRow.is_on, RuleRow.for_all)).label("is_on"),
                ChoiceRow.is_on.label("chosen"),
                TopUpRow.invoice_id.label("requested"),
                TransactionNumberRow.number.label("requested_number"),
            )
            .select_from(AccountRow)
            .join(RuleRow, RuleRow.currency == AccountRow.currency)
            .outerjoin(ChoiceRow, ChoiceRow.account_id == AccountRow.id)
            .outerjoin(TopUpRow, and_(*asked))
            .outerjoin(TransactionNumberRow, TransactionNumberRow.transaction_id == TopUpRow.invoice_id)
            .where(AccountRow.id == account_id)
        )

    async def choose_top_up(self, account_id: str, *, is_on: bool | None, actor: str, reason: str) -> bool:
        """Switch an account's automatic top-up on or off; None: as the rule says. Return whether that is a change."""
        chosen = {"account_id": account_id, "is_on": is_on, "actor": actor, "reason": reason}
        return bool(await self._ledger.run("choose_top_up", **chosen))

    async def statement(self, account_id: str, since: date | None, until: date | None) -> Sequence[Row[Any]]:
        """Return the transactions of a wallet in their order, debits below zero."""
        days = [*([_ROW.posted_on >= since] if since else []), *([_ROW.posted_on <= until] if until else [])]
        return await self._database.read(_STATEMENT.where(_ROW.account_id == account_id, *days))

    async def newest(self, account_id: str, limit: int) -> Sequence[Row[Any]]:
        """Return the newest transactions of a wallet, the newest first, debits below zero."""
        wanted = _STATEMENT.order_by(None).order_by(_ROW.wallet_version.desc()).limit(limit)
        return await self._database.read(wanted.where(_ROW.account_id == account_id))

    async def require(self, identifier: str) -> Row[Any]:
        """Return a wallet transaction by its id or number. Raises RefusedError when there is none."""
        wanted = select(
            _ROW.id,
            _ROW.number,
            _ROW.account_id,
            _ROW.currency,
            _ROW.type_id,
            WalletTypeRow.name.label("type"),
            _ROW.direction,
            _ROW.amount_minor,
            _ROW.expires_on,
            _ROW.voids_id,
            _ROW.transaction_id,
            _ROW.made_invoice_id,
            _ROW.funding_payment_id,
            _ROW.balance_after_minor,
            _ROW.actor,
            _ROW.reason,
            _ROW.posted_on,
            _ROW.posted_at,
        ).join(WalletTypeRow, WalletTypeRow.id == _ROW.type_id)
        found = await self._database.read_first(wanted.where((_ROW.id == identifier) | (_ROW.number == identifier)))
        if found is None:
            problem = f"there is no wallet transaction {identifier!r}"
            raise refusal("wallet_transaction", "wallet_transaction_exists", problem)
        return found
