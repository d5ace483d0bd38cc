"""Ordering a payment: the order and its claim are one commit, before anything is asked of the gateway."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from activities.database import Database, one_of
from models.cards.card import CardState
from models.money import Money
from models.payments.order import PaymentOrder
from models.period import Period
from models.problem import refusal
from models.tables.accounts import AccountRow
from models.tables.collecting import PaymentOrderRow
from models.tables.configuration import CardRow, PaymentPreferenceRow, ProviderMethodRow
from models.tables.transactions import FinancialTransactionRow, TransactionNumberRow


@dataclass(frozen=True)
class Ordered:
    """An order as it is stored; `is_open`: it is at work, or waits."""

    id: str
    account_id: str
    period: str
    provider: str
    is_open: bool


@dataclass(frozen=True)
class PayingAccount:
    """What is read of an account before a payment is ordered."""

    account_id: str
    currency: str
    time_zone: str

    def receivable(self, id: str, now: datetime) -> str:
        """Return what an order is called among the account's receivables: by the month in which it was given."""
        return f"{Period.at(now, self.time_zone)}-{id}"


class PaymentOrders:
    """Writes orders of payments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def payer(self, account_id: str) -> PayingAccount:
        """Return who is to pay. Raises RefusedError when there is no such account."""
        row = AccountRow
        found = await self._database.read_first(
            select(row.currency, row.time_zone).where(row.id == account_id, row.kind == "customer")
        )
        if found is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        return PayingAccount(account_id, found.currency, found.time_zone)

    async def handled_by(self, method: str) -> str:
        """Return the provider that handles a payment method; "" where none does (X10)."""
        row = ProviderMethodRow
        found = await self._database.read_first(select(row.provider_id).where(row.payment_method_id == method))
        return found.provider_id if found else ""

    async def way_to_pay(self, invoice_id: str) -> dict[str, str]:
        """Return how the account of an invoice pays by card: method, card, provider; empty where it has none."""
        card, preference, invoice, handled = CardRow, PaymentPreferenceRow, FinancialTransactionRow, ProviderMethodRow
        found = await self._database.read_first(
            select(preference.payment_method_id, card.id, card.provider_id)
            .join(invoice, invoice.account_id == card.account_id)
            .join(preference, preference.id == card.preference_id)
            .join(handled, handled.payment_method_id == preference.payment_method_id)
            .where(invoice.id == invoice_id, card.state == CardState.ACTIVE)
            .order_by(card.is_recurring.desc(), card.fallback_order, card.created_at.desc())
            .limit(1)
        )
        return {"method": found.payment_method_id, "card": found.id, "provider": found.provider_id} if found else {}

    async def is_known(self, id: str) -> bool:
        """Say whether an id was given to an order."""
        return await self._database.read_first(select(PaymentOrderRow.id).where(PaymentOrderRow.id == id)) is not None

    async def invoices_of(self, id: str) -> list[str]:
        """Return the invoices that an order names; none where there is no such order."""
        found = await self._database.read_first(select(PaymentOrderRow.invoices).where(PaymentOrderRow.id == id))
        return list(found.invoices) if found else []

    async def order(self, order: PaymentOrder, payer: PayingAccount, period: str) -> Ordered:
        """Write an order with its claim, or return it as it was written before. Raises RuleBrokenError."""
        stored: dict[str, Any] = await self._database.call(
            "order_payment",
            id=order.id,
            account_id=order.account_id,
            period=period,
            provider_id=order.provider,
            asked=_minor(order.asked),
            currency=payer.currency,
            invoices=await self._ids(order.invoices),
            card_id=order.card_id,
            preference=order.preference,
            hands_over=order.hands_over,
            actor=order.actor,
            reason=order.reason,
            prepays=order.prepays,
        )
        return Ordered(**stored)

    async def _ids(self, names: tuple[str, ...]) -> list[str]:
        """Return the ids of invoices that may be named by their numbers."""
        row = TransactionNumberRow
        rows = await self._database.read(select(row.number, row.transaction_id).where(one_of(row.number, names)))
        known = {found.number: found.transaction_id for found in rows}
        return [known.get(name, name) for name in names]


def _minor(asked: Money | None) -> int | None:
    return asked.amount_minor if asked else None
