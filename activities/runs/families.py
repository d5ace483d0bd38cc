"""The activities of runs, together."""

from typing import Any

from activities.database import Database
from activities.runs.billing import BillingActivities
from activities.runs.dry_runs import DryRunActivities
from activities.runs.payment_runs import RunActivities
from activities.runs.queue_rate import QueueRateActivities
from activities.runs.refund_runs import RefundRunActivities


def run_families(database: Database, *, rate: float) -> tuple[Any, ...]:
    """Return what runs need of the database, for a worker. `rate` is gateway calls a second."""
    return (
        RunActivities(database, rate=rate),
        DryRunActivities(database),
        BillingActivities(database),
        RefundRunActivities(database),
        QueueRateActivities(),
    )
