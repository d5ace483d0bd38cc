"""Everything that a process shows of itself, put together once at its start."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypedDict

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from temporalio.client import Client, Interceptor
from temporalio.runtime import Runtime

from activities.business_events import listen
from activities.database import Database, create_engine
from activities.operations.measures import Measures
from models.workflow_ids import MAIL_QUEUE, WORKFLOW_QUEUE, gateway_queue
from settings import Settings
from telemetry.counters import BusinessCounters
from telemetry.endpoint import ProcessEndpoint
from telemetry.gauges import MEASURE_SECONDS, OpenWork
from telemetry.health import Readiness, database_answers, polls, temporal_answers
from telemetry.receiver import ReceiverCounters
from telemetry.sdk import SdkMetrics
from telemetry.tracing import Tracing

# The roles of worker.py that run workflows, and those that call a gateway.
WORKFLOWS = frozenset({"all", "workflow"})
GATEWAY = frozenset({"all", "gateway"})


class Connection(TypedDict):
    """What a client of Temporal is made with, so that its calls are measured and traced."""

    runtime: Runtime | None
    interceptors: Sequence[Interceptor]


class Telemetry:
    """What a process of a role shows of itself. Without an address it shows nothing, and costs nothing."""

    def __init__(self, settings: Settings, role: str, stop: asyncio.Event | None = None) -> None:
        self._settings = settings
        self._role = role
        self.runtime: Runtime | None = None
        self.tracing = Tracing(role, settings.trace_headers)
        self.registry = CollectorRegistry()
        self.readiness = Readiness(stop)
        self._work: OpenWork | None = None

    @property
    def connection(self) -> Connection:
        """How the process connects to Temporal."""
        return Connection(runtime=self.runtime, interceptors=self.tracing.interceptors)

    def watch(self, client: Client, database: Database) -> Client:
        """Be ready when the database and Temporal answer, and this process polls its queues; return the client."""
        self.readiness.require("database", database_answers(database))
        self.readiness.require("temporal", temporal_answers(client))
        if self._role in WORKFLOWS:
            self.readiness.require(f"workflows of {WORKFLOW_QUEUE}", polls(client, WORKFLOW_QUEUE, workflows=True))
            self.readiness.require(f"activities of {MAIL_QUEUE}", polls(client, MAIL_QUEUE))
        if self._role in GATEWAY:
            queue = gateway_queue(self._settings.provider)
            self.readiness.require(f"activities of {queue}", polls(client, queue))
        if self._work is not None:
            self._work.ask(client)
        return client

    def receive(self, events: Mapping[str, int], closed: Mapping[str, int]) -> None:
        """Show what a receiver of events counts."""
        self.registry.register(ReceiverCounters(events, closed))

    async def begin(self, stack: AsyncExitStack) -> None:
        """Serve until the stack ends. Raises OSError when the address cannot be had."""
        settings = self._settings
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the package leaves it without types
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        counters = BusinessCounters(self.registry, settings.provider)
        stack.callback(listen(counters.count))
        sdk = SdkMetrics()
        self.runtime = sdk.runtime
        endpoint = ProcessEndpoint(self.registry, self.readiness, sdk.text, self._role)
        if self._role in WORKFLOWS:
            # One connection of its own: it takes none from the work, and the lock that it holds says who measures.
            engine = create_engine(settings.database_url, pool=1, timeout_seconds=MEASURE_SECONDS)
            stack.push_async_callback(engine.dispose)
            self._work = OpenWork(self.registry, Measures(Database(engine, timeout_seconds=MEASURE_SECONDS)))
            endpoint.refresh_with(self._work.refresh)
        await stack.enter_async_context(endpoint.serving(settings.metrics_address))


@asynccontextmanager
async def observed(settings: Settings, role: str, stop: asyncio.Event | None = None) -> AsyncIterator[Telemetry]:
    """Observe this process while the block runs, where an address is set. Raises RuntimeError when it cannot be had."""
    telemetry = Telemetry(settings, role, stop)
    async with AsyncExitStack() as stack:
        stack.callback(telemetry.tracing.end)
        if settings.metrics_address:
            try:
                await telemetry.begin(stack)
            except OSError as error:
                raise RuntimeError(f"DULY_METRICS_ADDRESS {settings.metrics_address}: {error.strerror}") from error
        yield telemetry
