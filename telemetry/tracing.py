"""Traces by OpenTelemetry: from a command over workflow and activity to the id of Stripe's request.

They are off unless an OTLP endpoint is set. OpenTelemetry's own variables (OTEL_*) say where they go, how many of them,
and under which name; the protocol is HTTP. Spans of workflows are made once, never by a replay.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status, StatusCode
from opentelemetry.util.re import parse_env_headers
from opentelemetry.util.types import Attributes
from pydantic import SecretStr
from temporalio.client import Interceptor, OutboundInterceptor, SignalWorkflowInput
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.service import RPCError, RPCStatusCode

from telemetry.wanted import forget_empty, is_wanted

# A collector that is away keeps nobody: so long the last spans may take when a process ends.
END_SECONDS = 3.0

# All that a span may say. Ids of ours and of the gateway; what else a library adds stays here.
SHOWN = frozenset(
    {
        "temporalWorkflowID",
        "temporalRunID",
        "temporalActivityID",
        "temporalActivityType",
        "temporalUpdateID",
        "http.request.method",
        "http.response.status_code",
        "stripe.request_id",
        "exception.type",
        "duly.nobody",
    }
)


# Set on the span of a signal for whom nobody is there: most events are about what needs no workflow, and are no errors.
NOBODY = "duly.nobody"


class SignalsToNobody(Interceptor):
    """Marks the spans of signals whose workflow is not there, or over. It comes after the one that makes spans."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        """Look at what a client sends."""
        return _SignalsToNobody(next)


class _SignalsToNobody(OutboundInterceptor):
    async def signal_workflow(self, input: SignalWorkflowInput) -> None:  # noqa: A002
        """Send a signal."""
        try:
            await super().signal_workflow(input)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                trace.get_current_span().set_attribute(NOBODY, True)
            raise


class ShownSpans(SpanExporter):
    """Passes on what is listed of spans. Texts of errors are not: they may quote what they are about."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Pass spans on."""
        return self._exporter.export([_shown(span) for span in spans])

    def shutdown(self) -> None:
        """End the exporter."""
        self._exporter.shutdown()


def _to_collector(headers: Mapping[str, str] | None) -> SpanExporter:
    return OTLPSpanExporter(headers=headers)


def _read(headers: SecretStr | None) -> Mapping[str, str] | None:
    # Those of traces alone outrank those of all signals; OpenTelemetry reads them itself.
    if headers is None or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS"):
        return None
    return parse_env_headers(headers.get_secret_value(), liberal=True)


class Tracing:
    """Makes the spans of one process, where an endpoint is set; `interceptors` are for its client of Temporal."""

    def __init__(
        self,
        role: str,
        headers: SecretStr | None = None,
        exporter: Callable[[Mapping[str, str] | None], SpanExporter] = _to_collector,
    ) -> None:
        self.interceptors: list[Interceptor] = []
        self._provider: TracerProvider | None = None
        if not is_wanted():
            return
        forget_empty()
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES outrank this name.
        resource = Resource.create()
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: f"duly-{role}"}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(ShownSpans(exporter(_read(headers)))))
        # The gateway's client makes its spans by the provider of the process.
        trace.set_tracer_provider(self._provider)
        self.interceptors += [TracingInterceptor(self._provider.get_tracer("duly.temporal")), SignalsToNobody()]

    def end(self) -> None:
        """Send what is left, and wait for that a little."""
        if self._provider is not None:
            sending = threading.Thread(target=self._provider.shutdown, daemon=True)
            sending.start()
            sending.join(END_SECONDS)


def _shown(span: ReadableSpan) -> ReadableSpan:
    is_to_nobody = (span.attributes or {}).get(NOBODY) is True
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_listed(span.attributes),
        events=[
            Event(event.name, _listed(event.attributes), event.timestamp) for event in span.events if not is_to_nobody
        ],
        links=span.links,
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=Status(StatusCode.UNSET if is_to_nobody else span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
    )


def _listed(attributes: Attributes) -> Attributes:
    return {name: value for name, value in (attributes or {}).items() if name in SHOWN}
