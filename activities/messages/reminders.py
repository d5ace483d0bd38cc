"""Reminders of invoices that fall due or are overdue: written into the outbox, once each (S8, S21)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from temporalio import activity

from activities.bank.debits.notices import DebitNotices
from activities.database import Database

SWEEP_SECONDS = 10 * 60.0


class ReminderActivities:
    """Finds who is to be reminded."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.write_reminders]

    @activity.defn
    async def write_reminders(self, now: datetime) -> int:
        """Write every reminder and notice of a debit that is due at a moment, and alert operators of overdue debits.

        Returns how many messages are new. A repeat writes none.
        """
        written = await self._database.call("write_reminders", now=now, timeout_seconds=SWEEP_SECONDS)
        alerted = await self._database.call("alert_overdue_debits", now=now, timeout_seconds=SWEEP_SECONDS)
        announced = await DebitNotices(self._database).announce(now)
        return int(written) + int(alerted) + announced


async def reminders_at(database: Database, now: datetime) -> Sequence[Row[Any]]:
    """Return the reminders that would be written at a moment."""
    return await database.rows("select * from duly.reminders_at(:now)", now=now, timeout_seconds=SWEEP_SECONDS)
