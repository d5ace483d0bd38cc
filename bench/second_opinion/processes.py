"""localstripe and the adapter as processes. localstripe is GPL: it is started, and never imported (decision 0006)."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from bench.second_opinion.adapter import COUNTS, FAULTS
from bench.second_opinion.faults import CallCounts, FaultPlan
from sandbox.servers.processes import Command, choose_port, running

ROOT = Path(__file__).parents[2]
API_KEY = "sk_test_second_opinion"
# localstripe writes all it knows there at each change; read it is not, and another user could not overwrite it.
KEPT = Path("/tmp/localstripe.pickle")  # noqa: S108  # the path is in its code


class AdapterControl:
    """Tells the adapter which calls to let go wrong, and asks it how many did."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def begin(self, plan: FaultPlan) -> None:
        """Begin a plan of faults; counting begins anew."""
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.put(self.url + FAULTS, content=plan.model_dump_json())).raise_for_status()

    async def counts(self) -> CallCounts:
        """Return what has happened under the plan."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return CallCounts.model_validate_json((await client.get(self.url + COUNTS)).content)


@contextlib.asynccontextmanager
async def running_localstripe(log: Path) -> AsyncIterator[str]:
    """Run localstripe, empty, and yield its address; what it has written is removed in the end."""
    port = choose_port("localstripe", 0)
    argv = (sys.executable, "-m", "localstripe", f"--port={port}", "--from-scratch")
    url = f"http://127.0.0.1:{port}"
    try:
        async with running(Command("localstripe", argv, log, log.parent), lambda: _answers(f"{url}/v1/balance")):
            yield url
    finally:
        KEPT.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def running_adapter(upstream: str, log: Path) -> AsyncIterator[AdapterControl]:
    """Run the adapter before a localstripe and yield its control."""
    port = choose_port("The adapter", 0)
    argv = (sys.executable, "-m", "bench.second_opinion.adapter", f"--port={port}", f"--upstream={upstream}")
    url = f"http://127.0.0.1:{port}"
    async with running(Command("The adapter", argv, log, ROOT), lambda: _answers(url + COUNTS)):
        yield AdapterControl(url)


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(url, headers={"Authorization": f"Bearer {API_KEY}"})).is_success
        except httpx.TransportError:
            return False
