"""A trace leads from a command over workflow and activity to Stripe's request, and shows ids alone."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.gateway.clocked_http import span_name
from sandbox.stack import Stack
from sandbox.workers import running_worker
from telemetry.tracing import NOBODY, SHOWN, ShownSpans, SignalsToNobody
from tests.house.source import ROOT
from tests.support.builders import Merchant, declined
from tests.support.run_control import until


class Collector:
    """A receiver of OTLP over HTTP that keeps what it gets."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.raw = b""
        self.keys: set[str] = set()

    async def receive(self, request: web.Request) -> web.Response:
        """Keep the spans of a request."""
        body = await request.read()
        self.raw += body
        self.keys.add(request.headers.get("x-key", "none"))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {
                one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
            }
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return web.Response()

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def path_to(self, span: Span) -> list[str]:
        """Return the names of the spans that lead to one, from the first."""
        parents = {one.span_id: one for one in self.spans}
        path = [span.name]
        while (parent := parents.get(span.parent_span_id)) is not None:
            span = parent
            path.insert(0, span.name)
        return path


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[tuple[Collector, dict[str, str]]]:
    """A collector, and the environment of a process that is to send its spans there."""
    collector = Collector()
    app = web.Application(client_max_size=2**26)
    app.add_routes([web.post("/v1/traces", collector.receive)])
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    key = tmp_path / "headers"
    key.write_text("x-key=key-in-a-file\n")
    yield (
        collector,
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OTEL_EXPORTER_OTLP_HEADERS_FILE": str(key),
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        },
    )
    await runner.cleanup()


def attributes(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


@pytest.mark.nightly
async def test_a_trace_leads_from_a_command_to_the_id_of_stripes_request(
    observed_stack: Stack, merchant: Merchant, collector: tuple[Collector, dict[str, str]], period: str
) -> None:
    collected, endpoint = collector
    account = await merchant.account(f"acc_{period}", owes_minor=2500, answers=[declined("insufficient_funds")])
    stack = replace(observed_stack, environment={**observed_stack.environment, **endpoint})

    async with running_worker(stack, "all"):
        command = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "starter.py"),
            *("collections", "start", account, period),
            cwd=ROOT,
            env={**os.environ, **stack.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await command.communicate()
        charges = "Stripe POST /v1/payment_intents"

        async def is_traced() -> bool:
            return any(len(collected.path_to(span)) > 3 for span in collected.named(charges))

        await until(is_traced)

    (charge,) = collected.named(charges)
    *_, started, activity, asked = collected.path_to(charge)
    assert command.returncode == 0, output
    assert (started, activity, asked) == ("StartActivity:collect", "RunActivity:collect", charges)
    assert collected.path_to(charge)[0].startswith("StartUpdateWithStartWorkflow:Collection")
    assert attributes(charge)["stripe.request_id"].startswith("req_")
    assert collected.services == {"duly-all", "duly-starter"}
    assert collected.keys == {"key-in-a-file"}
    assert {name for span in collected.spans for name in attributes(span)} <= SHOWN
    assert not [word for word in (b"sk_test", b"Customer", b"pm_card", b"insufficient") if word in collected.raw]
    assert not [value for span in collected.spans for value in attributes(span).values() if "@" in value]
    assert {span.status.message for span in collected.spans} == {""}


async def test_a_signal_to_nobody_is_no_error_of_its_trace(time_skipping: WorkflowEnvironment) -> None:
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ShownSpans(kept)))
    config = time_skipping.client.config()
    config["interceptors"] = [TracingInterceptor(provider.get_tracer("test")), SignalsToNobody()]
    client = Client(**config)

    with pytest.raises(RPCError):
        await client.get_workflow_handle("collection/acc_1/2026-11").signal("gateway_event")

    (span,) = kept.get_finished_spans()
    assert (span.status.status_code, span.events) == (StatusCode.UNSET, ())
    assert span.attributes == {"temporalWorkflowID": "collection/acc_1/2026-11", NOBODY: True}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/v1/payment_intents/pi_3OqkTZ/confirm", "/v1/payment_intents/{id}/confirm"),
        ("/v1/balance_transactions/txn_1a?expand=x", "/v1/balance_transactions/{id}"),
        ("/v1/customers/cus_9X/payment_methods", "/v1/customers/{id}/payment_methods"),
        ("/v1/checkout/sessions/cs_test_a1B/expire", "/v1/checkout/sessions/{id}/expire"),
    ],
)
def test_a_span_of_the_gateway_has_a_name_without_ids(url: str, name: str) -> None:
    assert span_name("post", f"https://api.stripe.com{url}") == f"Stripe POST {name}"
