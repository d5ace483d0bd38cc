"""Counters of business events, each counted once it is committed, by the process that committed it."""

from itertools import chain, product

from prometheus_client import CollectorRegistry, Counter, Histogram

from models.disputes.dispute import DisputeState
from models.gateway.decline import DeclineClass
from models.gateway.gateway_request import AttemptOutcome, RequestKind
from models.operations.business_events import (
    AttemptRecorded,
    AttemptUnanswered,
    BusinessEvent,
    CollectionMoved,
    DiscrepancyFound,
    DisputeRecorded,
    RefundRecorded,
    RunEnded,
    RunStarted,
    UnknownResolved,
)
from models.operations.event_names import EventName, RunSort
from models.operations.events_swept import EventsSwept
from models.reconciliation.discrepancy import KINDS
from models.refunds.refund import RefundOutcome
from telemetry.labels import OTHER, bounded

# From the answer of a gateway in good health to what a person finds out after days.
CERTAINTY_BUCKETS = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600)

_ENDS = {
    EventName.COLLECTION_OPENED: "opened",
    EventName.COLLECTION_SETTLED: "settled",
    EventName.COLLECTION_GIVEN_UP: "given_up",
}
_RESOLVED = {RequestKind.PAYMENT: "payment"}


class BusinessCounters:
    """The counters of one process; `provider` is the one whose gateway it calls."""

    def __init__(self, registry: CollectorRegistry, provider: str) -> None:
        self._provider = provider
        self._payments = Counter(
            "duly_payments",
            "Outcomes of attempts to collect, each counted when its commit is answered. Unknown: once, when the "
            "gateway's answer stayed away; its later outcome counts as well. What reconciliation or a recovery books "
            "is not in it.",
            ("provider", "outcome", "decline_class"),
            registry=registry,
        )
        self._certainty = Histogram(
            "duly_time_to_certainty_seconds",
            "Time from an attempt's first row to the commit of its definite outcome.",
            ("provider",),
            buckets=CERTAINTY_BUCKETS,
            registry=registry,
        )
        self._resolved = Counter(
            "duly_unknowns_resolved",
            "Attempts that nobody knew the outcome of and that got one, by evidence or by a person.",
            ("provider", "kind"),
            registry=registry,
        )
        self._refunds = Counter(
            "duly_refunds",
            "Refunds and payment cancellations that came to stand elsewhere, counted when that is committed.",
            ("provider", "outcome"),
            registry=registry,
        )
        self._disputes = Counter(
            "duly_disputes",
            "Disputes that came to stand elsewhere, counted when that is committed.",
            ("provider", "state"),
            registry=registry,
        )
        self._swept = Counter(
            "duly_swept_events",
            "Events that the gateway's own list had and its webhook had not brought.",
            ("provider",),
            registry=registry,
        )
        self._begin_at_zero()
        self._of_no_provider(registry)

    def _of_no_provider(self, registry: CollectorRegistry) -> None:
        self._runs = Counter(
            "duly_runs",
            "Runs whose members were fixed (started) and whose certificate was written (completed).",
            ("sort", "step"),
            registry=registry,
        )
        self._collections = Counter(
            "duly_collections",
            "Receivables that were taken over because they have to wait, and what became of them.",
            ("step",),
            registry=registry,
        )
        self._discrepancies = Counter(
            "duly_discrepancies",
            "Differences between gateway and ledger that were booked (mended) or opened for a person.",
            ("provider", "kind", "handling"),
            registry=registry,
        )
        for step in _ENDS.values():
            self._collections.labels(step)
        for sort, step in product(RunSort, ("started", "completed")):
            self._runs.labels(sort, step)
        for kind, handling in product(KINDS, ("mended", "opened")):
            self._discrepancies.labels(self._provider, kind, handling)

    def count(self, event: BusinessEvent) -> None:
        """Count an event."""
        match event:
            case AttemptRecorded(outcome=outcome, decline_class=decline, until_certain=until_certain):
                self._payments.labels(self._provider, outcome, decline or "").inc()
                if until_certain is not None:
                    self._certainty.labels(self._provider).observe(until_certain.total_seconds())
            case AttemptUnanswered(kind=RequestKind.PAYMENT):
                self._payments.labels(self._provider, AttemptOutcome.UNKNOWN, "").inc()
            case AttemptUnanswered():
                self._refunds.labels(self._provider, RefundOutcome.UNKNOWN).inc()
            case UnknownResolved(kind=kind):
                self._resolved.labels(self._provider, _RESOLVED.get(kind, "refund")).inc()
            case RefundRecorded(outcome=refund):
                self._refunds.labels(self._provider, refund).inc()
            case EventsSwept(found=found):
                self._swept.labels(self._provider).inc(found)
            case DisputeRecorded(state=state):
                self._disputes.labels(self._provider, state).inc()
            case _:
                self._count_of_no_provider(event)

    def _count_of_no_provider(self, event: BusinessEvent) -> None:
        match event:
            case RunStarted(sort=sort):
                self._runs.labels(sort, "started").inc()
            case RunEnded(sort=sort):
                self._runs.labels(sort, "completed").inc()
            case CollectionMoved(name=name):
                self._collections.labels(bounded(_ENDS.get(name, OTHER), _ENDS.values())).inc()
            case DiscrepancyFound(kind=kind, is_mended=is_mended):
                handling = "mended" if is_mended else "opened"
                self._discrepancies.labels(self._provider, bounded(kind, KINDS), handling).inc()
            case _:
                return

    def _begin_at_zero(self) -> None:
        """Name every series at once: the first payment is an increase too, and alarms have something to compare."""
        outcomes = (one for one in AttemptOutcome if one is not AttemptOutcome.DECLINED)
        declines = ((AttemptOutcome.DECLINED, decline) for decline in DeclineClass)
        for outcome, decline in chain(((one, "") for one in outcomes), declines):
            self._payments.labels(self._provider, outcome, decline)
        self._certainty.labels(self._provider)
        self._swept.labels(self._provider)
        for kind in ("payment", "refund"):
            self._resolved.labels(self._provider, kind)
        for refund in RefundOutcome:
            self._refunds.labels(self._provider, refund)
        for state in DisputeState:
            self._disputes.labels(self._provider, state)
