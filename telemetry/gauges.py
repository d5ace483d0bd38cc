"""Gauges of what is open, read now and then by one process. What could not be read is not shown at all."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client, RPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.database import DatabaseUnavailableError, SchemaMismatchError
from activities.operations.measured import Age, Measure, Measured
from activities.operations.measures import Measures, among_workflows
from models.collections.collection import Stage
from models.currency import EXPONENTS
from models.disputes.dispute import DisputeState
from models.gateway.events import EventState
from models.gateway.gateway_request import RequestKind
from models.messages.message import MessageState
from models.operations.event_names import RunSort
from models.reconciliation.discrepancy import KINDS
from models.runs.run_control import RunStage
from telemetry.labels import bounded

log = structlog.get_logger(__name__)

# What was read is shown for so long: a scrape more often than this costs nothing. Visibility answers few questions.
DATABASE_SECONDS = 10.0
WORKFLOWS_SECONDS = 60.0
# Less than a scrape waits for.
MEASURE_SECONDS = 5.0

# A provider is configured, in a table that is read with the measures; there is no list of them here.
PROVIDER = "provider"

VALUES: Mapping[str, Collection[str]] = {
    "kind": frozenset({*RequestKind, *KINDS}),
    "age": frozenset(Age),
    "stage": frozenset({*Stage, *RunStage}),
    "sort": frozenset(RunSort),
    "state": frozenset({*EventState, *MessageState, *DisputeState}),
    "currency": frozenset(EXPONENTS),
    "clock": frozenset({"the gateway", "the database", "this machine", "nobody knows"}),
}
"""The values of each label, provider aside."""


@dataclass(frozen=True)
class Described:
    """How a measure is shown."""

    help: str
    labels: tuple[str, ...] = ()
    is_of_workflows: bool = False


GAUGES: Mapping[Measured, Described] = {
    Measured.UNKNOWN_ATTEMPTS: Described(
        "Attempts whose outcome nobody knows, by the time since they were written down.", (PROVIDER, "kind", "age")
    ),
    Measured.OPEN_COLLECTIONS: Described(
        "Receivables that wait, by where they stand.", ("stage",), is_of_workflows=True
    ),
    Measured.STANDING_RUNS: Described(
        "Payment runs that stand still: held because the gateway answers nobody, or paused by somebody.",
        ("stage",),
        is_of_workflows=True,
    ),
    Measured.NEEDS_REVIEW: Described("Workflows that wait for a person.", is_of_workflows=True),
    Measured.OPEN_RUNS: Described("Runs that have begun and are not over.", ("sort",)),
    Measured.OLDEST_RUN: Described("Time since the oldest open run began.", ("sort",)),
    Measured.INBOX_EVENTS: Described(
        "Events of the gateway that are not delivered, or that wait for a person; counted up to 100 000.",
        (PROVIDER, "state"),
    ),
    Measured.INBOX_LAG: Described("Time since the event that waits longest should have been delivered.", (PROVIDER,)),
    Measured.OUTBOX_MESSAGES: Described(
        "Messages that are not sent, by state; counted up to 100 000 each.", ("state",)
    ),
    Measured.OUTBOX_LAG: Described("Time since the oldest message that is to be sent was queued."),
    Measured.OPEN_DISPUTES: Described("Disputes that the bank has not decided.", (PROVIDER, "state")),
    Measured.OPEN_DISCREPANCIES: Described(
        "Differences between gateway and ledger that wait for a person.", (PROVIDER, "kind")
    ),
    Measured.OVERDUE_MOVEMENTS: Described(
        "Movements that the ledger expects of the gateway and that should have come.", (PROVIDER,)
    ),
    Measured.SENDING_HELD: Described("1 while nothing is sent to a provider, after a restore.", (PROVIDER,)),
    Measured.CLOCKS_APART: Described(
        "How far the worst two of the clocks of gateway, database and worker are apart, and which is wrong where that "
        "can be told. Above 60 nothing new is sent.",
        (PROVIDER, "clock"),
    ),
    Measured.RECONCILED: Described(
        "Time since a provider was last reconciled, or since it is configured where it never was.", (PROVIDER,)
    ),
    Measured.SWEPT: Described(
        "Time up to which a provider's own list of events was not read yet: ten minutes more than since its last "
        "sweep, or since it is configured where it was never swept.",
        (PROVIDER,),
    ),
    Measured.SUPERVISED: Described(
        "Time since a supervisor was last done; +Inf where Temporal knows of none.", is_of_workflows=True
    ),
    Measured.MISSED_RUNS: Described(
        "Periods that are due for a day and have no run, or were billed and not collected; read every ten minutes.",
        ("sort",),
    ),
    Measured.GATEWAY_POLLERS: Described(
        "Workers that polled the queue of a provider's calls in the last 90 seconds.",
        (PROVIDER,),
        is_of_workflows=True,
    ),
    Measured.GATEWAY_BALANCE: Described(
        "The gateway's balance as the last reconciliation read it.", (PROVIDER, "currency")
    ),
    Measured.CLEARING_BALANCE: Described(
        "The ledger's clearing account when that balance was read.", (PROVIDER, "currency")
    ),
    Measured.BALANCE_DIFFERENCE: Described("What of the two balances no movement explained.", (PROVIDER, "currency")),
}


class Snapshot:
    """One kind of reading: what it found last, when, and whether it is answered."""

    def __init__(self, lifetime_seconds: float) -> None:
        self._lifetime = lifetime_seconds
        self._read = float("-inf")
        self.is_up = False
        self.found: list[Measure] = []
        self.read_at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether what was found has become too old to be shown."""
        return time.monotonic() - self._read >= self._lifetime

    def note(self, found: list[Measure] | None, *, is_up: bool) -> None:
        """Keep what was found; None where this process is not the one that reads."""
        self._read = time.monotonic()
        self.is_up = is_up
        self.found = found or []
        self.read_at = time.time() if found is not None else 0.0


class OpenWork(Collector):
    """Collects the gauges. `refresh` reads, `collect` shows what the last reading found."""

    def __init__(
        self,
        registry: CollectorRegistry,
        measures: Measures,
        *,
        database_seconds: float = DATABASE_SECONDS,
        workflows_seconds: float = WORKFLOWS_SECONDS,
    ) -> None:
        self._measures = measures
        self._client: Client | None = None
        self._database = Snapshot(database_seconds)
        self._workflows = Snapshot(workflows_seconds)
        self._refreshing = asyncio.Lock()
        registry.register(self)

    def ask(self, client: Client) -> None:
        """Count workflows as well, from now on."""
        self._client = client

    async def refresh(self) -> None:
        """Read again what is too old. Scrapes at the same moment share a reading; no fault leaves here."""
        async with self._refreshing:
            if self._database.is_due:
                await self._measure_database()
            if self._client is not None and self._workflows.is_due:
                await self._measure_workflows(self._client)

    async def _measure_database(self) -> None:
        try:
            async with asyncio.timeout(MEASURE_SECONDS):
                is_ours = await self._measures.may_measure()
                found = await self._measures.in_database() if is_ours else None
        except (
            DatabaseUnavailableError,
            SchemaMismatchError,
            ApplicationError,
            SQLAlchemyError,
            TimeoutError,
        ) as error:
            log.warning("database_not_measured", error=type(error).__name__, reason=str(error))
            self._database.note(None, is_up=False)
        else:
            self._database.note(found, is_up=True)

    async def _measure_workflows(self, client: Client) -> None:
        if not self._database.read_at:
            # Another process reads, or nobody knows which.
            self._workflows.note(None, is_up=self._database.is_up)
            return
        try:
            async with asyncio.timeout(MEASURE_SECONDS):
                found = await among_workflows(client, self._measures.providers)
        except (RPCError, RPCTimeoutOrCancelledError, TimeoutError) as error:
            log.warning("workflows_not_measured", error=type(error).__name__, reason=str(error))
            self._workflows.note(None, is_up=False)
        else:
            self._workflows.note(found, is_up=True)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield every gauge, with what was found of it."""
        yield from self._of_snapshots()
        for what, described in GAUGES.items():
            name = f"duly_{what}"
            family = GaugeMetricFamily(name, described.help, labels=described.labels)
            snapshot = self._workflows if described.is_of_workflows else self._database
            for labels, value in _summed(what, described, snapshot.found).items():
                family.add_metric(labels, value)
            yield family

    def _of_snapshots(self) -> Iterable[GaugeMetricFamily]:
        up = GaugeMetricFamily(
            "duly_measured_up",
            "Whether the last reading was answered; 0: its gauges are not shown.",
            labels=("source",),
        )
        at = GaugeMetricFamily(
            "duly_measured_timestamp_seconds",
            "When what is shown was read, by the process that reads.",
            labels=("source",),
        )
        for source, snapshot in (("database", self._database), ("temporal", self._workflows)):
            up.add_metric((source,), float(snapshot.is_up))
            if snapshot.read_at:
                at.add_metric((source,), snapshot.read_at)
        yield up
        yield at


def _summed(what: Measured, described: Described, found: Iterable[Measure]) -> dict[tuple[str, ...], float]:
    """Add up what has the same labels once values that nobody knows are one."""
    summed: dict[tuple[str, ...], float] = {}
    for measure in found:
        if measure.what is what:
            labels = tuple(
                value if name == PROVIDER else bounded(value, VALUES[name])
                for name, value in zip(described.labels, measure.labels, strict=True)
            )
            summed[labels] = summed.get(labels, 0) + measure.value
    return summed
