"""Computes the recurring revenue of closed months, and keeps it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Row, func, select

from activities.database import Database
from models.problem import refusal
from models.reports.mrr import RecurringSubscription, Terminations, mrr_on
from models.reports.periods import DaySpan, months_before
from models.subscriptions.stored import anchor_of
from models.subscriptions.timeline import DatedChange, Timeline
from models.tables.reports.snapshots import MrrSnapshotRow
from models.tables.subscriptions import SubscriptionChangeRow, SubscriptionRow

TIMEOUT_SECONDS = 600.0


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
        found = await self._database.rows(_TERMINATIONS, timeout_seconds=TIMEOUT_SECONDS)
        return Terminations([(row.account_id, row.since_on, row.is_terminated) for row in found])

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


# Of accounts that are terminated, or were, each change of that and its day. Where nothing is known of when, they are
# since ever: nothing is billed to them.
_TERMINATIONS = """
    select c.account_id, (c.changed_at at time zone 'UTC')::date as since_on,
        c.changes -> 'state' ->> 'is' = 'terminated' as is_terminated
    from duly.account_changes c where c.changes ? 'state'
    union all
    select a.id, date '0001-01-01', true from duly.accounts a where a.state = 'terminated' and not exists (
        select from duly.account_changes c where c.account_id = a.id and c.changes -> 'state' ->> 'is' = 'terminated')
    order by 1, 2
"""
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
