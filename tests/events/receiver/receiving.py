"""A real `webhook.py`, as a process of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from temporalio.client import Client

from sandbox.servers.processes import choose_port
from settings import Settings
from tests.events.signed_events import SECRETS

ROOT = Path(__file__).parents[3]


class Receiver:
    """A real `webhook.py`."""

    def __init__(self, process: asyncio.subprocess.Process, visitor: httpx.AsyncClient, port: int) -> None:
        self._process = process
        self.port = port
        self.visitor = visitor

    async def kill(self) -> None:
        """Kill it without warning."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self._process.terminate()
        return await self._process.wait()


@asynccontextmanager
async def receiving(settings: Settings, temporal: Client, log: Path, *, files: int = 0) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port until the block ends; `files` is how many it may open, where that is limited."""
    port = choose_port("webhook", 0)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "DULY_DATABASE_URL": settings.database_url,
        "DULY_TEMPORAL_ADDRESS": temporal.service_client.config.target_host,
        "DULY_TEMPORAL_NAMESPACE": temporal.namespace,
        "STRIPE_API_KEY": settings.stripe_api_key.get_secret_value(),
        "STRIPE_API_BASE": settings.stripe_api_base,
        "STRIPE_WEBHOOK_SECRET": ",".join(SECRETS),
    }
    limited = ("sh", "-c", f'ulimit -n {files} && exec "$@"', "sh") if files else ()
    argv = (*limited, sys.executable, str(ROOT / "webhook.py"), f"--port={port}")
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, env=environment, stderr=errors)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as visitor:
        receiver = Receiver(process, visitor, port)
        try:
            await answers(visitor, process)
            yield receiver
        finally:
            await receiver.kill()


async def answers(visitor: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    """Wait until the receiver answers."""
    async with asyncio.timeout(90):
        while process.returncode is None:
            try:
                await visitor.get("/health")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    raise AssertionError("the receiver has ended")
