"""The Temporal SDK's own metrics: it serves them on the loopback, from where they join those of the process."""

import socket

import aiohttp
import structlog
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

log = structlog.get_logger(__name__)

TRIES = 5
_SECONDS = aiohttp.ClientTimeout(total=3)


class SdkMetrics:
    """A runtime of the SDK that keeps metrics, and where it serves them."""

    def __init__(self) -> None:
        self.runtime, self._address = _serving()

    async def text(self) -> str:
        """Return the SDK's metrics as Prometheus reads them; nothing when it does not answer."""
        try:
            async with (
                aiohttp.ClientSession(timeout=_SECONDS, trust_env=False) as session,
                session.get(f"http://{self._address}/metrics") as answer,
            ):
                return await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("sdk_metrics_missing", reason=str(error))
            return ""


def _serving() -> tuple[Runtime, str]:
    """Make a runtime that serves on a free port. It takes no port 0: when another process was faster, the next."""
    for tries in range(1, TRIES + 1):
        address = f"127.0.0.1:{_free_port()}"
        config = PrometheusConfig(
            bind_address=address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
        )
        try:
            return Runtime(telemetry=TelemetryConfig(metrics=config)), address
        except ValueError as error:
            if tries == TRIES:
                raise RuntimeError(f"the SDK's metrics find no port: {error}") from error
    raise AssertionError(TRIES)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
