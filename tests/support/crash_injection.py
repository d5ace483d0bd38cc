"""Real worker processes on the development server, to be killed without warning."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from settings import Settings

ROOT = Path(__file__).parent.parent.parent
TIMEOUT_SECONDS = 6


class WorkerProcess:
    """One `worker.py` of a role."""

    def __init__(self, settings: Settings, role: str, log: Path) -> None:
        self._settings = settings
        self._role = role
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start another process in place of the dead one."""
        program = ROOT / ("worker.py" if self._role == "gateway" else "tests/support/killable_worker.py")
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, str(program), f"--role={self._role}", cwd=ROOT, env=self._environment(), stderr=log
            )

    async def kill(self) -> None:
        """Kill it as the kernel does when memory is short: nothing is finished, nothing is said."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def kill_and_start(self) -> None:
        await self.kill()
        await self.start()

    def _environment(self) -> dict[str, str]:
        settings = self._settings
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": str(ROOT),
            "DULY_DATABASE_URL": settings.database_url,
            "DULY_TEMPORAL_ADDRESS": settings.temporal_address,
            "STRIPE_API_KEY": settings.stripe_api_key.get_secret_value(),
            "STRIPE_API_BASE": settings.stripe_api_base,
            "DULY_GATEWAY_RATE": str(settings.gateway_rate),
            "DULY_GATEWAY_TIMEOUT_SECONDS": str(settings.gateway_timeout_seconds),
            "TEST_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        }


@asynccontextmanager
async def killable_workers(settings: Settings, log: Path) -> AsyncIterator[dict[str, WorkerProcess]]:
    """A worker process of each role; none of them outlives the test."""
    workers = {role: WorkerProcess(settings, role, log) for role in ("workflow", "gateway")}
    try:
        for worker in workers.values():
            await worker.start()
        yield workers
    finally:
        for worker in workers.values():
            await worker.kill()


async def reached(progress: Callable[[], int], goal: int) -> None:
    """Wait until something that happens in other processes has got so far."""
    async with asyncio.timeout(240):
        while progress() < goal:  # noqa: ASYNC110 - there is no event across processes
            await asyncio.sleep(0.05)
