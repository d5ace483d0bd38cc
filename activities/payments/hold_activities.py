"""Releasing what a rule holds, for the workflow that waits for it."""

from collections.abc import Callable
from typing import Any

from temporalio import activity

from activities.database import Database
from activities.payments.charge_holds import ChargeHolds
from models.payments.hold import HeldReceivable, ReleasedHold


class HoldActivities:
    """The activity of a hold."""

    def __init__(self, database: Database) -> None:
        self._holds = ChargeHolds(database)

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.release_hold]

    @activity.defn
    async def release_hold(self, held: HeldReceivable) -> ReleasedHold:
        """Release a receivable for the amount that is held. Safe to repeat.

        Raises RuleBrokenError: nothing is held, or several amounts are and none is named.
        """
        released = await self._holds.release(
            held.account_id, held.period, held.amount_minor or None, actor=held.actor, reason=held.reason
        )
        words = (released[name] for name in ("amount_minor", "currency", "rule", "was_so", "over_because"))
        return ReleasedHold(*words)
