"""Accounts as the command line shows them: read only, by key or page by page."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Row, Text, cast, func, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.cards.card import CardState
from models.gateway.gateway_request import RequestKind
from models.ledger.account import AccountKind
from models.ledger.transaction import Side
from models.listing import ListPage
from models.tables.accounts import AccountBalanceRow, AccountRow
from models.tables.collecting import GatewayRequestRow
from models.tables.configuration import CardRow, GatewayCustomerRow, PaymentPreferenceRow
from models.tables.ledger import OpenItemRow
from models.tables.messages import MailStopRow
from models.tables.reference import ProductRow
from models.tables.subscriptions import AccountChangeRow, SubscriptionRow

_ACCOUNTS = select(
    AccountRow.id,
    AccountRow.kind,
    AccountRow.owner_name,
    AccountRow.currency,
    AccountRow.state,
    AccountRow.time_zone,
    AccountRow.locale,
    AccountRow.email,
    AccountRow.owner_reference,
    AccountRow.credit_limit_minor,
    AccountRow.credit_period_days,
    AccountRow.due_date_rule_id,
    AccountRow.region,
    AccountRow.segment,
    AccountRow.classification,
    AccountRow.created_at,
    AccountBalanceRow.balance_minor,
).join(AccountBalanceRow, AccountBalanceRow.account_id == AccountRow.id)

# Of each row of a list: what is past due on its own calendar, since when, and the card that is charged first.
_OVERDUE = (
    OpenItemRow.account_id == AccountRow.id,
    OpenItemRow.allocated_minor < OpenItemRow.amount_minor,
    OpenItemRow.side == Side.DEBIT,
    OpenItemRow.sort_on < cast(func.timezone(AccountRow.time_zone, func.now()), Date),
)
_OVERDUE_MINOR = cast(func.coalesce(func.sum(OpenItemRow.amount_minor - OpenItemRow.allocated_minor), 0), BigInteger)
_FIRST_CARD = (
    select(
        func.concat_ws(
            " ",
            CardRow.brand,
            CardRow.last4,
            func.concat(CardRow.exp_year, "-", func.lpad(cast(CardRow.exp_month, Text), 2, "0")),
        )
    )
    .where(CardRow.account_id == AccountRow.id, CardRow.state == CardState.ACTIVE)
    .order_by(CardRow.fallback_order, CardRow.id)
    .limit(1)
    .correlate(AccountRow)
    .scalar_subquery()
)
_LIST = NewestFirst(
    _ACCOUNTS.add_columns(
        select(_OVERDUE_MINOR).where(*_OVERDUE).correlate(AccountRow).scalar_subquery().label("overdue_minor"),
        select(func.min(OpenItemRow.sort_on))
        .where(*_OVERDUE)
        .correlate(AccountRow)
        .scalar_subquery()
        .label("overdue_since"),
        func.coalesce(_FIRST_CARD, "").label("card"),
    ),
    moment=AccountRow.created_at,
    key=AccountRow.id,
    state=AccountRow.state,
    amount=AccountBalanceRow.balance_minor,
    currency=AccountRow.currency,
)

_SUBSCRIPTIONS = (
    select(
        SubscriptionRow.id,
        SubscriptionRow.product_id,
        ProductRow.name,
        SubscriptionRow.price_minor,
        SubscriptionRow.currency,
        SubscriptionRow.quantity,
        SubscriptionRow.billing_day,
        SubscriptionRow.starts_on,
        SubscriptionRow.ends_on,
        SubscriptionRow.term_months,
        SubscriptionRow.billed_until,
    )
    .join(ProductRow, ProductRow.id == SubscriptionRow.product_id)
    .order_by(SubscriptionRow.id)
)

_CARDS = select(
    CardRow.id,
    CardRow.provider_id,
    CardRow.brand,
    CardRow.last4,
    CardRow.exp_month,
    CardRow.exp_year,
    CardRow.is_recurring,
    CardRow.fallback_order,
    CardRow.state,
    CardRow.state_reason,
).order_by(CardRow.fallback_order, CardRow.id)

_CHANGES = select(
    AccountChangeRow.changes, AccountChangeRow.actor, AccountChangeRow.reason, AccountChangeRow.changed_at
).order_by(AccountChangeRow.id.desc())

_PAYMENTS = (
    select(
        GatewayRequestRow.id,
        GatewayRequestRow.period,
        GatewayRequestRow.state,
        GatewayRequestRow.amount_minor,
        GatewayRequestRow.currency,
        GatewayRequestRow.gateway_reference,
        GatewayRequestRow.error_code,
        GatewayRequestRow.error_description,
        GatewayRequestRow.created_at,
    )
    .where(GatewayRequestRow.kind == RequestKind.PAYMENT)
    .order_by(GatewayRequestRow.created_at.desc())
)


class AccountQueries:
    """Reads accounts and what belongs to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, account_id: str) -> Row[Any] | None:
        """Return one account, or None."""
        return await self._database.read_first(_ACCOUNTS.where(AccountRow.id == account_id))

    async def page(
        self,
        page: ListPage,
        *others: ColumnElement[bool],
        state: str,
        segment: str = "",
        classification: str = "",
        region: str = "",
    ) -> Listed:
        """Return a page of customers' accounts, the newest first; an empty filter lets everything through."""
        filters = (
            *others,
            AccountRow.kind == AccountKind.CUSTOMER,
            *matching(AccountRow.state, state),
            *matching(AccountRow.segment, segment),
            *matching(AccountRow.classification, classification),
            *matching(AccountRow.region, region),
        )
        return await _LIST.page(self._database, page, *filters)

    async def subscriptions(self, account_id: str) -> Sequence[Row[Any]]:
        """Return what an account buys."""
        return await self._database.read(_SUBSCRIPTIONS.where(SubscriptionRow.account_id == account_id))

    async def cards(self, account_id: str) -> Sequence[Row[Any]]:
        """Return an account's cards in the order in which they are charged."""
        return await self._database.read(_CARDS.where(CardRow.account_id == account_id))

    async def customers(self, account_id: str) -> Sequence[Row[Any]]:
        """Return the gateways' customers of an account (G7, G8)."""
        row = GatewayCustomerRow
        customers = select(row.provider_id, row.customer_reference).where(row.account_id == account_id)
        return await self._database.read(customers)

    async def preferences(self, account_id: str) -> Sequence[Row[Any]]:
        """Return the ways in which an account pays, the one that holds now first (G3)."""
        row = PaymentPreferenceRow
        ways = select(row.number, row.payment_method_id.label("method"), row.is_default.label("is_preferred"))
        return await self._database.read(
            ways.where(row.account_id == account_id).order_by(row.is_default.desc(), row.number)
        )

    async def unsettled(self, account_id: str) -> Sequence[Row[Any]]:
        """Return the invoices that somebody still has to pay, earliest due first."""
        return await self._database.rows("select * from duly.unsettled_invoices(:id)", id=account_id)

    async def changes(self, account_id: str, limit: int) -> Sequence[Row[Any]]:
        """Return what commands changed of an account, by whom and why, newest first."""
        return await self._database.read(_CHANGES.where(AccountChangeRow.account_id == account_id).limit(limit))

    async def mail_stops(self, account_id: str) -> Sequence[Row[Any]]:
        """Return why an account is not written to, since when and how it came; of an address nothing is told."""
        row = MailStopRow
        columns = (row.kind, row.actor, row.reason, row.since)
        return await self._database.read(select(*columns).where(row.account_id == account_id).order_by(row.kind))

    async def payments(self, account_id: str, limit: int) -> Sequence[Row[Any]]:
        """Return the latest payment requests to a gateway, newest first."""
        return await self._database.read(_PAYMENTS.where(GatewayRequestRow.account_id == account_id).limit(limit))
