"""Computes the recurring revenue of closed months, and keeps it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Date, Row, cast, func, select

from activities.database import Database
from models.problem import refusal
from models.reports.mrr import RecurringSubscription, Terminations, mrr_on
from models.reports.periods import DaySpan, months_before
from models.subscriptions.stored import anchor_of
from models.subscriptions.timeline import DatedChange, Timeline
from models.tables.accounts import AccountRow
from models.tables.reports.snapshots import MrrSnapshotRow
from models.tables.subscriptions import AccountChangeRow, SubscriptionChangeRow, SubscriptionRow

TIMEOUT_SECONDS = 600.0
_TERMINATED = "terminated"


@dataclass(frozen=True)
class KeptMonth:
    """A month that was computed: `is_new` where its newest version was made now. The version counts from 1."""

    month: date
    version: int
    is_new: bool


class MrrSnapshots:
    """Keeps a snapshot of each closed month, in order. One that is there stays, and a correction stands beside it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def update(self, today: date, *, since: date | None, actor: str, reason: str) -> list[KeptMonth]:
        """Compute the months that are over and have none yet, or all from a month on; today's own is not over.

        Raises RefusedError for a month that is not over, and RuleBrokenError where one before it has none.
        """
        last = months_before(today, 1)
        if since is not None and since.replace(day=1) > last:
            raise refusal("month", "month_is_over", f"{since:%Y-%m} is not over on {today}")
        first = since.replace(day=1) if since else await self._first_missing()
        if first is None or first > last:
            return []
        subscriptions, terminations = await self._subscriptions(), await self._terminations()
        kept = []
        for month in DaySpan(first, last).months():
            ends_on = months_before(month, -1) - timedelta(days=1)
            amounts = mrr_on([one for one in subscriptions if not terminations.holds(one.account_id, ends_on)], ends_on)
            kept.append(await self._keep(month, amounts, actor, reason))
        return kept

    async def _keep(self, month: date, amounts: Any, actor: str, reason: str) -> KeptMonth:
        rows = [
            {"account_id": account, "currency": currency, "mrr_minor": amount}
            for (account, currency), amount in amounts.items()
        ]
        found = await self._database.rows(
            "select * from duly.keep_mrr(:month, :amounts, :actor, :reason)",
            timeout_seconds=TIMEOUT_SECONDS,
            month=month,
            amounts=Jsonb(rows),
            actor=actor,
            reason=reason,
        )
        return KeptMonth(month, found[0].version, found[0].is_new)

    async def _first_missing(self) -> date | None:
        """Return the month behind the newest one, or that in which the first subscription began."""
        ((newest,),) = await self._database.read(select(func.max(MrrSnapshotRow.month)))
        if newest is not None:
            return months_before(newest, -1)
        ((began,),) = await self._database.read(select(func.min(SubscriptionRow.starts_on)))
        return began.replace(day=1) if began else None

    async def _terminations(self) -> Terminations:
        row = AccountChangeRow
        state = row.changes["state"]["is"].astext.label("state")
        since_on = cast(func.timezone("UTC", row.changed_at), Date).label("since_on")
        found = await self._database.read(
            select(row.account_id, since_on, state)
            .where(row.changes.has_key("state"))
            .order_by(row.changed_at, row.id),
            timeout_seconds=TIMEOUT_SECONDS,
        )
        changes = [(one.account_id, one.since_on, one.state == _TERMINATED) for one in found]
        # Where nobody knows of when, it is so since ever: nothing is billed to it.
        known = {account_id for account_id, _, is_terminated in changes if is_terminated}
        now = await self._database.read(select(AccountRow.id).where(AccountRow.state == _TERMINATED))
        return Terminations([*((one.id, date.min, True) for one in now if one.id not in known), *changes])

    async def _subscriptions(self) -> list[RecurringSubscription]:
        changes: dict[str, list[DatedChange]] = defaultdict(list)
        found = await self._database.read(select(*_CHANGE_COLUMNS), timeout_seconds=TIMEOUT_SECONDS)
        for row in found:
            known = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
            changes[known.pop("subscription_id")].append(DatedChange(**known))
        rows = await self._database.read(select(*_COLUMNS), timeout_seconds=TIMEOUT_SECONDS)
        return list(_timelines(rows, changes))


def _timelines(rows: Sequence[Row[Any]], changes: dict[str, list[DatedChange]]) -> Iterator[RecurringSubscription]:
    for row in rows:
        known = changes.get(row.id) or [_as_its_row_has_it(row)]
        yield RecurringSubscription(row.account_id, row.currency, Timeline(row.starts_on, known))


def _as_its_row_has_it(row: Row[Any]) -> DatedChange:
    return DatedChange(
        0,
        row.starts_on,
        row.product_id,
        row.price_minor,
        row.quantity,
        row.term_months,
        row.billing_day,
        anchor_of(row.billing_day, row.starts_on),
        ends_on=row.ends_on,
    )


_COLUMNS = (
    SubscriptionRow.id,
    SubscriptionRow.account_id,
    SubscriptionRow.currency,
    SubscriptionRow.starts_on,
    SubscriptionRow.ends_on,
    SubscriptionRow.product_id,
    SubscriptionRow.price_minor,
    SubscriptionRow.quantity,
    SubscriptionRow.term_months,
    SubscriptionRow.billing_day,
)
_CHANGE_COLUMNS = (
    SubscriptionChangeRow.subscription_id,
    SubscriptionChangeRow.version,
    SubscriptionChangeRow.from_on,
    SubscriptionChangeRow.product_id,
    SubscriptionChangeRow.price_minor,
    SubscriptionChangeRow.quantity,
    SubscriptionChangeRow.term_months,
    SubscriptionChangeRow.billing_day,
    SubscriptionChangeRow.anchor_on,
    SubscriptionChangeRow.is_paused,
    SubscriptionChangeRow.trial_ends_on,
    SubscriptionChangeRow.ends_on,
    SubscriptionChangeRow.discount_percent,
    SubscriptionChangeRow.discount_minor,
    SubscriptionChangeRow.discount_until,
)
