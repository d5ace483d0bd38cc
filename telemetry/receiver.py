"""What a receiver of events has counted, as metrics: events by what became of them, connections that were closed."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from telemetry.labels import OTHER, bounded

# What Webhook.counts and Connections.closed may hold.
RESULTS = (
    "stored",
    "repeated",
    "delivered",
    "of_nobody_yet",
    "too_large",
    "untrusted_signature",
    "untrusted_body",
    "untrusted_livemode",
    "untrusted_stale",
    "link_refused",
)
REASONS = ("too_slow", "evicted", "head_too_large")


class ReceiverCounters(Collector):
    """Shows the counts of one receiver."""

    def __init__(self, events: Mapping[str, int], closed: Mapping[str, int]) -> None:
        self._events = events
        self._closed = closed

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Yield both, every known value from zero on."""
        yield _family(
            "duly_received_events",
            "Requests with events: stored and repeated are answered once that is committed, refused ones by their "
            "reason; delivered are events whose workflow was signalled; link_refused are visits of payers beyond the "
            "limits.",
            "result",
            RESULTS,
            self._events,
        )
        yield _family(
            "duly_receiver_closed_connections",
            "Connections that were closed because they kept the receiver waiting.",
            "reason",
            REASONS,
            self._closed,
        )


def _family(name: str, text: str, label: str, known: tuple[str, ...], counts: Mapping[str, int]) -> CounterMetricFamily:
    values = dict.fromkeys((*known, OTHER), 0)
    for value, count in tuple(counts.items()):
        values[bounded(value, known)] += count
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, count in values.items():
        family.add_metric((value,), count)
    return family
