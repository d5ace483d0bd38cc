"""What is measured of an installation, by the names that metrics have."""

from dataclasses import dataclass
from enum import StrEnum


class Age(StrEnum):
    """How long the outcome of an attempt has been unknown, in classes that never become more."""

    UP_TO_1H = "up_to_1h"
    UP_TO_6H = "up_to_6h"
    UP_TO_24H = "up_to_24h"
    OVER_24H = "over_24h"


class Measured(StrEnum):
    """What is measured; the label values of each follow in the order in which docs/operations.md names them."""

    UNKNOWN_ATTEMPTS = "unknown_attempts"
    OPEN_COLLECTIONS = "open_collections"
    STANDING_RUNS = "standing_runs"
    NEEDS_REVIEW = "workflows_need_review"
    OPEN_RUNS = "open_runs"
    OLDEST_RUN = "oldest_open_run_age_seconds"
    INBOX_EVENTS = "inbox_events"
    INBOX_LAG = "inbox_lag_seconds"
    OUTBOX_MESSAGES = "outbox_messages"
    OUTBOX_LAG = "outbox_lag_seconds"
    OPEN_DISPUTES = "open_disputes"
    OPEN_DISCREPANCIES = "open_discrepancies"
    OVERDUE_MOVEMENTS = "overdue_movements"
    SENDING_HELD = "sending_held"
    CLOCKS_APART = "clocks_apart_seconds"
    RECONCILED = "reconciliation_age_seconds"
    SWEPT = "events_swept_age_seconds"
    SUPERVISED = "supervision_age_seconds"
    MISSED_RUNS = "missed_runs"
    GATEWAY_POLLERS = "gateway_pollers"
    GATEWAY_BALANCE = "gateway_balance_minor_units"
    CLEARING_BALANCE = "clearing_balance_minor_units"
    BALANCE_DIFFERENCE = "balance_difference_minor_units"


@dataclass(frozen=True)
class Measure:
    """One number, with the values of its labels."""

    what: Measured
    labels: tuple[str, ...]
    value: float
