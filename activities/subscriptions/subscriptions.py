"""Subscriptions in the database, as commands read and write them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter
from sqlalchemy import Date, Row, cast, func, select, true

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.problem import refusal
from models.subscriptions.billing import BillableSubscription
from models.subscriptions.stored import Plan, StoredSubscription
from models.subscriptions.timeline import DatedChange
from models.tables.accounts import AccountRow
from models.tables.base import whole_row
from models.tables.reference import ProductRow
from models.tables.subscriptions import SubscriptionChangeRow, SubscriptionRow

_STORED = TypeAdapter(StoredSubscription)
_BILLABLE = TypeAdapter(BillableSubscription)
_CHANGES = TypeAdapter(list[DatedChange])

_HISTORY = select(
    SubscriptionChangeRow.version,
    SubscriptionChangeRow.kind,
    SubscriptionChangeRow.from_on,
    SubscriptionChangeRow.product_id,
    SubscriptionChangeRow.price_minor,
    SubscriptionChangeRow.quantity,
    SubscriptionChangeRow.term_months,
    SubscriptionChangeRow.billing_day,
    SubscriptionChangeRow.is_paused,
    SubscriptionChangeRow.trial_ends_on,
    SubscriptionChangeRow.ends_on,
    SubscriptionChangeRow.discount_percent,
    SubscriptionChangeRow.discount_minor,
    SubscriptionChangeRow.discount_until,
    SubscriptionChangeRow.actor,
    SubscriptionChangeRow.reason,
    SubscriptionChangeRow.changed_at,
).order_by(SubscriptionChangeRow.version)


# What a subscription is today where its account lives: by row for a page, which ends when it is full, else inlined.
_TODAY = cast(func.timezone(AccountRow.time_zone, func.now()), Date)
_STATE = func.duly.subscription_state(whole_row(SubscriptionRow), _TODAY)
_STANDING = (
    func.duly.subscription_standing(SubscriptionRow.id, SubscriptionRow.starts_on, SubscriptionRow.ends_on, _TODAY)
    .table_valued("state")
    .lateral("standing")
)
_SUBSCRIPTIONS = (
    select(
        SubscriptionRow.id,
        SubscriptionRow.account_id,
        SubscriptionRow.product_id,
        ProductRow.name.label("product_name"),
        SubscriptionRow.price_minor,
        SubscriptionRow.currency,
        SubscriptionRow.quantity,
        SubscriptionRow.term_months,
        SubscriptionRow.billing_day,
        SubscriptionRow.starts_on,
        SubscriptionRow.ends_on,
        SubscriptionRow.billed_until,
        SubscriptionRow.created_at,
        _STATE.label("state"),
    )
    .join(ProductRow, ProductRow.id == SubscriptionRow.product_id)
    .join(AccountRow, AccountRow.id == SubscriptionRow.account_id)
)
_LIST = NewestFirst(_SUBSCRIPTIONS, moment=SubscriptionRow.created_at, key=SubscriptionRow.id, state=_STATE)
_TOTALS = replace(_LIST, columns=_SUBSCRIPTIONS.join(_STANDING, true()), state=_STANDING.c.state)


class Subscriptions:
    """Reads subscriptions, and writes what was planned; the database refuses what is no longer as it was read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def require(self, subscription_id: str) -> StoredSubscription:
        """Return a subscription. Raises RefusedError when there is none."""
        return _STORED.validate_python(await self._document(subscription_id))

    async def billable(self, subscription_id: str) -> BillableSubscription | None:
        """Return a subscription as its next bill is worked out, or None while it is billed in whole months."""
        document = await self._document(subscription_id)
        return _BILLABLE.validate_python(document) if document["by_day_from"] else None

    async def history(self, subscription_id: str) -> Sequence[Row[Any]]:
        """Return what was changed of a subscription, by whom and why, in that order."""
        return await self._database.read(_HISTORY.where(SubscriptionChangeRow.subscription_id == subscription_id))

    async def page(self, page: ListPage, *, account_id: str, state: str) -> Listed:
        """Return a page of subscriptions, the newest first, each with its state today; an empty filter means all."""
        of_account = matching(SubscriptionRow.account_id, account_id)
        listed = await _LIST.page(
            self._database, page, *of_account, *((state == _STATE,) if state else ()), with_totals=False
        )
        if not page.is_totalled:
            return listed
        of_state = (state == _STANDING.c.state,) if state else ()
        return replace(
            listed, totals=await _TOTALS.totals(self._database, page, *of_account, *of_state), is_totalled=True
        )

    async def account(self, account_id: str) -> Row[Any]:
        """Return the account that is to have a subscription. Raises RefusedError when there is none."""
        account = select(AccountRow.currency, AccountRow.time_zone).where(AccountRow.id == account_id)
        found = await self._database.read_first(account)
        if found is None:
            raise refusal("account", "account_exists", f"there is no account {account_id!r}")
        return found

    async def create(
        self, subscription_id: str, account_id: str, currency: str, change: DatedChange, *, actor: str, reason: str
    ) -> bool:
        """Make a subscription; False when the same is there already. Raises RuleBrokenError."""
        made = await self._database.call(
            "create_subscription",
            subscription_id=subscription_id,
            account_id=account_id,
            currency=currency,
            change=change_documents([change])[0],
            actor=actor,
            reason=reason,
        )
        return bool(made)

    async def change(self, stored: StoredSubscription, plan: Plan, *, actor: str, reason: str) -> None:
        """Write planned changes. Raises RuleBrokenError when the subscription is not as it was read."""
        await self._database.call(
            "change_subscription",
            subscription_id=stored.id,
            version=stored.version,
            billings=stored.billings,
            newest_billed=stored.newest.transaction_id if stored.newest else "",
            changes=Jsonb(change_documents(plan.changes)),
            row=Jsonb(_plain(plan.row)),
            actor=actor,
            reason=reason,
        )

    async def _document(self, subscription_id: str) -> dict[str, Any]:
        document: dict[str, Any] | None = await self._database.call("subscription_of", subscription_id=subscription_id)
        if document is None:
            raise refusal("subscription", "subscription_exists", f"there is no subscription {subscription_id!r}")
        return document


def change_documents(changes: Sequence[DatedChange]) -> list[dict[str, Any]]:
    """Return changes as the database writes them; it numbers them itself."""
    documents: list[dict[str, Any]] = _CHANGES.dump_python(list(changes), mode="json", exclude_none=True)
    return [{name: value for name, value in one.items() if name != "version"} for one in documents]


def _plain(row: Any) -> Any:
    return TypeAdapter(dict[str, Any]).dump_python(dict(row or {}), mode="json")
