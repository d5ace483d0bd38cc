"""A collector of traces that never answers, or is away, keeps nobody, and what is kept for it does not grow."""

import gc
import threading
from collections.abc import Mapping, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from pydantic import SecretStr

from telemetry import tracing
from telemetry.tracing import Tracing

# What OpenTelemetry keeps for a collector by default, and a batch under way, as it is and as it is shown.
KEPT_AT_MOST = 2048 + 2 * 512


class Hanging(SpanExporter):
    """A collector that takes a connection and never answers, until it is let go."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.is_let_go = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Wait."""
        self.is_asked.set()
        self.is_let_go.wait()
        return SpanExportResult.FAILURE


@pytest.fixture
def _wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    # The provider of the process is set once: here it is the test's own.
    monkeypatch.setattr("opentelemetry.trace.set_tracer_provider", lambda _: None)
    monkeypatch.setattr(tracing, "END_SECONDS", 0.01)


@pytest.mark.usefixtures("_wanted")
def test_a_collector_that_never_answers_keeps_no_process_and_what_is_kept_for_it_is_bounded() -> None:
    collector = Hanging()
    traced = Tracing("workflow", exporter=lambda _: collector)
    tracer = traced._provider.get_tracer("test")  # type: ignore[union-attr]

    for _ in range(KEPT_AT_MOST + 500):
        with tracer.start_as_current_span("StartWorkflow:Of a test"):
            collector.is_asked.wait(0)
    kept = sum(isinstance(one, ReadableSpan) and one.name.endswith("Of a test") for one in gc.get_objects())
    traced.end()

    assert collector.is_asked.wait(10)
    assert not collector.is_let_go.is_set()
    collector.is_let_go.set()
    assert kept <= KEPT_AT_MOST


@pytest.mark.usefixtures("_wanted")
@pytest.mark.parametrize(("share", "is_sampled"), [("0", False), ("1", True), ("", True)])
def test_the_share_of_traces_that_is_kept_is_set_by_opentelemetrys_own_variables(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, share: str, is_sampled: bool
) -> None:
    # Compose sets what nobody has given to nothing.
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio" if share else "")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", share)
    collector = Hanging()
    collector.is_let_go.set()
    traced = Tracing("workflow", exporter=lambda _: collector)

    with traced._provider.get_tracer("test").start_as_current_span("a span") as span:  # type: ignore[union-attr]
        found = span.get_span_context().trace_flags.sampled
    traced.end()

    assert found is is_sampled
    assert caplog.records == []


@pytest.mark.usefixtures("_wanted")
@pytest.mark.parametrize(
    ("of_traces", "sent"), [("", {"x-key": "a b", "x-team": "billing"}), ("x-key=of traces alone", None)]
)
def test_a_collector_is_sent_the_headers_of_the_settings_unless_there_are_others_for_traces(
    monkeypatch: pytest.MonkeyPatch, of_traces: str, sent: Mapping[str, str] | None
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", of_traces)
    collector, given = Hanging(), list[Mapping[str, str] | None]()
    collector.is_let_go.set()

    def exporter(headers: Mapping[str, str] | None) -> SpanExporter:
        given.append(headers)
        return collector

    Tracing("workflow", SecretStr("x-key=a%20b, x-team=billing"), exporter).end()

    assert given == [sent]
