"""The table of our own metrics as docs/operations.md has it. As a program, prints it."""

import sys

from prometheus_client import CollectorRegistry, Metric
from sqlalchemy.ext.asyncio import create_async_engine

from activities.database import Database
from activities.operations.measures import Measures
from telemetry.counters import BusinessCounters
from telemetry.gauges import GAUGES, OpenWork
from telemetry.receiver import ReceiverCounters

HEAD = ("| Metric | Kind | Labels | What it says |", "|---|---|---|---|")

LABELS = {
    "duly_payments": "provider, outcome, decline_class",
    "duly_time_to_certainty_seconds": "provider",
    "duly_unknowns_resolved": "provider, kind",
    "duly_refunds": "provider, outcome",
    "duly_disputes": "provider, state",
    "duly_swept_events": "provider",
    "duly_runs": "sort, step",
    "duly_collections": "step",
    "duly_discrepancies": "provider, kind, handling",
    "duly_measured_up": "source",
    "duly_measured_timestamp_seconds": "source",
    "duly_received_events": "result",
    "duly_receiver_closed_connections": "reason",
    **{f"duly_{what}": ", ".join(described.labels) for what, described in GAUGES.items()},
}


def our_metrics() -> list[Metric]:
    """Return every metric of ours that any process shows."""
    registry = CollectorRegistry()
    BusinessCounters(registry, "stripe")
    OpenWork(registry, Measures(Database(create_async_engine("postgresql+psycopg://127.0.0.1:1/none"))))
    registry.register(ReceiverCounters({}, {}))
    return list(registry.collect())


def shown_name(metric: Metric) -> str:
    """Return a metric's name as Prometheus stores it."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def rows() -> list[str]:
    """Return the row of each metric."""
    return [
        f"| `{shown_name(metric)}` | {metric.type} | {LABELS[metric.name]} | {metric.documentation} |"
        for metric in our_metrics()
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join((*HEAD, *rows())) + "\n")
