"""Notices to payers of bank debits, in the outbox: each in time for its day, or for a later one that it names."""

from datetime import datetime

from psycopg.types.json import Jsonb

from activities.database import Database
from models.bank.working_days import announced_collection

SWEEP_SECONDS = 10 * 60.0


class DebitNotices:
    """Writes the letters about debits that have none, or none in time. Each debit has its first with its request."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def announce(self, now: datetime) -> int:
        """Write what is due at a moment and return how many letters there are; where none is due nothing changes.

        A debit whose letter can no longer be in time gets a later day, where its creditor's rule says so.
        """
        found = await self._database.rows(
            "select * from duly.debits_to_announce(:now)", now=now, timeout_seconds=SWEEP_SECONDS
        )
        days = {}
        for row in found:
            hours = {"lead_days": row.lead_days, "cut_off": row.cut_off, "time_zone": row.time_zone}
            # The letter may go out on the day after.
            later = announced_collection(now, notice_days=row.notice_days + 1, **hours)
            days[row.id] = str(later if row.is_late else row.collect_on)
        if not days:
            return 0
        return int(await self._database.call("announce_debits", days=Jsonb(days), timeout_seconds=SWEEP_SECONDS))
