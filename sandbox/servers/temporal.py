"""A Temporal development server with its UI, and the namespace set-up that Duly needs on any server."""

import contextlib
import shutil
import signal
import sysconfig
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from sandbox.servers.processes import Command, ServiceError, choose_port, running
from settings import Settings
from workflows.client import connect

SERVICE = "Temporal"
NAMESPACE = "default"
RETENTION = timedelta(days=90)

DYNAMIC_CONFIG = {
    # One provider's or one run's backlog does not hold up another's on a shared queue.
    "matching.enableFairness": "true",
    # Partitions spread a queue over hosts; on one, tasks only wander between them, a tenth of a payment's CPU.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    # A workflow that cannot go on (a bug, a missing patch) is listed as having problems after two tries.
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute": "2",
}


@dataclass(frozen=True)
class TemporalServer:
    """A running development server: its frontend as host:port, and its UI's address ("" without one)."""

    address: str
    ui_url: str


@contextlib.asynccontextmanager
async def running_temporal(
    *,
    log: Path,
    database: Path | None,
    ui: bool = True,
    port: int = 0,
    ui_port: int = 0,
    limits: Mapping[str, str] | None = None,
) -> AsyncIterator[TemporalServer]:
    """Run a development server that keeps its state in a database file, or in memory when that is None.

    The namespace `default` exists, with 90 days of retention, when it yields. Ports of 0 take free ones; `limits` are
    further settings of the server's dynamic configuration.
    """
    frontend = choose_port(SERVICE, port)
    web = choose_port(f"{SERVICE} UI", ui_port) if ui else 0
    server = TemporalServer(f"127.0.0.1:{frontend}", f"http://127.0.0.1:{web}" if ui else "")
    argv = (program("temporal"), "server", "start-dev", *_options(frontend, web, database, limits or {}))
    # What is only in memory has no reason to be wound down, which takes the server more than a second.
    stop_signal = signal.SIGTERM if database else signal.SIGKILL

    async def ready() -> bool:
        return await _set_retention(server.address)

    async with running(Command(SERVICE, argv, log, Path.cwd(), stop_signal=stop_signal), ready):
        yield server


async def client_of(settings: Settings) -> Client:
    """Connect as every process does; RuntimeError when nobody answers."""
    key = settings.temporal_api_key
    return await connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        tls=settings.temporal_tls,
        api_key=key.get_secret_value() if key else None,
    )


async def register_search_attributes(client: Client, keys: Iterable[SearchAttributeKey[Any]]) -> None:
    """Register the attributes that the client's namespace lacks; ServiceError when one exists with another type.

    Without this a workflow that sets one is refused at its start, or retries its first task for ever.
    """
    wanted = {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in keys}
    try:
        known = await _known_attributes(client)
        missing = {name: kind for name, kind in wanted.items() if known.get(name) != kind}
        if clash := sorted(missing.keys() & known.keys()):
            raise ServiceError(SERVICE, f"search attribute {clash[0]} exists in {client.namespace} with another type")
        if missing:
            request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        raise ServiceError(SERVICE, f"search attributes were not registered: {error.message}") from error


async def _known_attributes(client: Client) -> Mapping[str, IndexedValueType.ValueType]:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        return (await client.operator_service.list_search_attributes(request)).custom_attributes
    except RPCError as error:
        # The time-skipping test server registers attributes but cannot list them; it starts with none.
        if error.status is RPCStatusCode.UNIMPLEMENTED:
            return {}
        raise


def program(name: str) -> str:
    """Return the path of a program: beside this Python, where packages put theirs, or else on the path."""
    beside = Path(sysconfig.get_path("scripts")) / name
    return str(beside) if beside.exists() else shutil.which(name) or name


def _options(frontend: int, web: int, database: Path | None, limits: Mapping[str, str]) -> tuple[str, ...]:
    served = ("--ui-port", str(web), "--ui-disable-news-fetch") if web else ("--headless",)
    # WAL halves what a write costs; with synchronous=1 only the machine itself going down can lose one.
    pragmas = ("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1")
    stored = ("--db-filename", str(database), *pragmas) if database else ()
    configured = tuple(f"--dynamic-config-value={key}={value}" for key, value in {**DYNAMIC_CONFIG, **limits}.items())
    return (
        "--ip",
        "127.0.0.1",
        "--port",
        str(frontend),
        "--log-level",
        "warn",
        *served,
        *stored,
        *configured,
    )


async def _set_retention(address: str) -> bool:
    """Keep closed workflows for `RETENTION` instead of a day; False while the server does not answer yet."""
    length = Duration()
    length.FromTimedelta(RETENTION)
    config = NamespaceConfig(workflow_execution_retention_ttl=length)
    try:
        client = await Client.connect(address)
        await client.workflow_service.update_namespace(UpdateNamespaceRequest(namespace=NAMESPACE, config=config))
    except (RuntimeError, RPCError):
        return False
    return True
