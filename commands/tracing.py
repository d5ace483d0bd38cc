"""The trace of one command, where an OTLP endpoint is set."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from telemetry.wanted import is_wanted

if TYPE_CHECKING:
    from temporalio.client import Interceptor

    from telemetry.tracing import Tracing


def interceptors() -> "Sequence[Interceptor]":
    """Return what traces the calls of a client of Temporal."""
    return _tracing().interceptors if is_wanted() else ()


def end() -> None:
    """Send the spans that are left, before the process ends."""
    if is_wanted():
        _tracing().end()


@cache
def _tracing() -> "Tracing":
    from telemetry.tracing import Tracing

    return Tracing("starter")
