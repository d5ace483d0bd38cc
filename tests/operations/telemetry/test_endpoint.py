"""What running processes say of themselves: metrics, health and readiness at one address."""

import asyncio
import socket

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client

from activities.database import Database, create_engine
from sandbox.stack import Stack
from sandbox.workers import running_webhook, running_worker
from settings import Settings
from telemetry.endpoint import ProcessEndpoint
from telemetry.gauges import GAUGES
from telemetry.health import Readiness, database_answers, polls
from telemetry.process import observed
from tests.operations.telemetry.process_client import client_of, readiness, until_ready
from tests.support.run_control import until

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/none"

COUNTERS = {
    "duly_payments",
    "duly_time_to_certainty_seconds",
    "duly_unknowns_resolved",
    "duly_refunds",
    "duly_disputes",
    "duly_runs",
    "duly_collections",
    "duly_discrepancies",
}


async def families(client: httpx.AsyncClient) -> dict[str, set[str]]:
    """Return the metrics that a process shows, each with the labels of its samples."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    found = text_string_to_metric_families(answer.text)
    return {each.name: {label for sample in each.samples for label in sample.labels} for each in found}


async def test_a_workflow_worker_shows_the_sdks_metrics_the_business_and_what_is_open_and_ends_cleanly(
    observed_stack: Stack,
) -> None:
    async with (
        running_worker(observed_stack, "workflow") as worker,
        client_of(observed_stack, "worker-workflow") as client,
    ):
        await until_ready(client)
        shown = await families(client)
        health = await client.get("/health")
        running = worker.exit_code

    assert (running, worker.exit_code) == (None, 0)
    assert shown.keys() >= COUNTERS | {f"duly_{what}" for what in GAUGES}
    assert shown.keys() >= {"temporal_num_pollers", "temporal_request_latency_seconds", "process_cpu_seconds"}
    assert (health.status_code, health.json()) == (200, {"status": "alive", "role": "workflow"})


@pytest.mark.nightly
async def test_a_gateway_worker_leaves_what_is_open_to_the_workflow_workers(observed_stack: Stack) -> None:
    async with running_worker(observed_stack, "gateway"), client_of(observed_stack, "worker-gateway") as client:
        await until_ready(client)
        shown = await families(client)
        _, checks = await readiness(client)

    assert shown.keys() >= COUNTERS | {"temporal_num_pollers"}
    assert not shown.keys() & {f"duly_{what}" for what in GAUGES}
    assert checks == {"database": "ok", "temporal": "ok", "activities of duly-gateway-stripe": "ok"}


@pytest.mark.nightly
async def test_a_receiver_shows_what_it_has_counted(observed_stack: Stack) -> None:
    async with running_webhook(observed_stack) as webhook, client_of(observed_stack, "webhook") as client:
        async with httpx.AsyncClient(trust_env=False) as gateway:
            refused = await gateway.post(f"{webhook.url}/webhooks/stripe", content=b"{}")
        text = (await client.get("/metrics")).text
        ready = await readiness(client)

    assert refused.status_code == 400
    assert 'duly_received_events_total{result="untrusted_signature"} 1.0' in text
    assert 'duly_receiver_closed_connections_total{reason="evicted"} 0.0' in text
    assert ready == (200, {"database": "ok", "temporal": "ok"})


async def test_an_address_that_is_taken_is_named_with_its_setting(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(RuntimeError, match=f"DULY_METRICS_ADDRESS {address}: "):
            async with observed(settings.model_copy(update={"metrics_address": address}), "gateway"):
                pytest.fail("it was served at an address of somebody else")


async def test_a_process_is_not_ready_while_it_starts_and_once_it_is_to_stop() -> None:
    stop = asyncio.Event()
    readiness = Readiness(stop)

    starting = await readiness.check()
    stop.set()
    stopping = await readiness.check()

    assert starting == (False, {"process": "is starting"})
    assert stopping == (False, {"process": "is stopping"})


async def test_a_scrape_is_answered_while_the_process_drains_though_what_is_open_is_still_being_read() -> None:
    stop, reading = asyncio.Event(), asyncio.Event()

    async def read_for_ever() -> None:
        reading.set()
        await asyncio.Event().wait()

    async def of_the_sdk() -> str:
        return "sdk 1\n"

    endpoint = ProcessEndpoint(CollectorRegistry(), Readiness(stop), of_the_sdk, "workflow")
    endpoint.refresh_with(read_for_ever)
    async with httpx.AsyncClient(trust_env=False) as client, endpoint.serving("127.0.0.1:0") as address:
        under_way = asyncio.create_task(client.get(f"http://{address}/metrics"))
        await reading.wait()
        stop.set()
        answers = [await under_way, await client.get(f"http://{address}/metrics")]

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "sdk 1\n")] * 2
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{address}/metrics")


async def test_a_process_that_does_not_poll_or_has_no_database_says_so(temporal_server: Client) -> None:
    readiness = Readiness()
    readiness.require("activities", polls(temporal_server, "duly-of-nobody"))
    readiness.require("database", database_answers(Database(create_engine(NOWHERE, pool=1))))

    checked = []

    async def has_answered() -> bool:
        # A server that is busy answers too late: that is another thing to say.
        checked.append(await readiness.check())
        return "Temporal does not answer" not in checked[-1][1].values()

    await until(has_answered)
    assert checked[-1] == (
        False,
        {"activities": "is not polled by this process", "database": "does not answer"},
    )
