"""Whether traces are wanted; loading what makes them takes a command longer than saying no."""

import os

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def forget_empty() -> None:
    """Let what is set to nothing count as not set, as for settings of ours; OpenTelemetry takes some for wrong."""
    for name in [name for name, value in os.environ.items() if name.startswith("OTEL_") and not value.strip()]:
        del os.environ[name]


def is_wanted() -> bool:
    """Whether an endpoint is set, and OpenTelemetry is not switched off."""
    return any(os.environ.get(name) for name in ENDPOINTS) and os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true"
