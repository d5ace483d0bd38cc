"""The trace of one command, where an OTLP endpoint is set."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from telemetry.wanted import is_wanted

if TYPE_CHECKING:
    from temporalio.client import Interceptor

    from settings import Settings
    from telemetry.tracing import Tracing

# Made with the first connection to Temporal; there is one command in a process.
_made: "list[Tracing]" = []


def interceptors(settings: "Settings") -> "Sequence[Interceptor]":
    """Return what traces the calls of a client of Temporal."""
    if not is_wanted():
        return ()
    if not _made:
        from telemetry.tracing import Tracing

        _made.append(Tracing("starter", settings.trace_headers))
    return _made[0].interceptors


def end() -> None:
    """Send the spans that are left, before the process ends."""
    for tracing in _made:
        tracing.end()
