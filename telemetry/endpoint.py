"""The address at which a process says how it is: /metrics for Prometheus, /health and /ready for whoever watches it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest

from telemetry.health import Readiness

log = structlog.get_logger(__name__)

Refresh = Callable[[], Awaitable[None]]
Text = Callable[[], Awaitable[str]]


class ProcessEndpoint:
    """What is asked of one process."""

    def __init__(self, registry: CollectorRegistry, readiness: Readiness, sdk: Text, role: str) -> None:
        self._registry = registry
        self._readiness = readiness
        self._sdk = sdk
        self._role = role
        self._refreshes: list[Refresh] = []

    def refresh_with(self, refresh: Refresh) -> None:
        """Call this before metrics are shown."""
        self._refreshes.append(refresh)

    async def metrics(self, _request: web.Request) -> web.Response:
        """Show the process's metrics and the SDK's; while it drains, what is open as it was last read."""
        for refresh in self._refreshes:
            await self._readiness.until_stopping(refresh())
        body = generate_latest(self._registry) + (await self._sdk()).encode()
        return web.Response(body=body, headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

    async def health(self, _request: web.Request) -> web.Response:
        """Say that the process works: whoever reads this was answered by its event loop."""
        return web.json_response({"status": "alive", "role": self._role})

    async def ready(self, _request: web.Request) -> web.Response:
        """Say whether the process can do its work now; 503 when not, with what is missing."""
        is_ready, checks = await self._readiness.check()
        status = "ready" if is_ready else "not ready"
        return web.json_response({"status": status, "checks": checks}, status=200 if is_ready else 503)

    @asynccontextmanager
    async def serving(self, address: str) -> AsyncIterator[str]:
        """Serve at an address, host:port, and yield the one that was taken. Raises OSError when it cannot be."""
        app = web.Application()
        app.add_routes(
            [web.get("/metrics", self.metrics), web.get("/health", self.health), web.get("/ready", self.ready)]
        )
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            host, _, port = address.rpartition(":")
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
            taken = f"{host}:{runner.addresses[0][1]}"
            log.info("metrics_served", address=taken)
            yield taken
        finally:
            await runner.cleanup()
