"""The receiver is killed between storing an event and hinting its workflow: the next one delivers it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from sandbox.servers.processes import choose_port
from settings import Settings
from tests.events.signed_events import SECRETS, an_event, send
from tests.support.builders import Merchant

ROOT = Path(__file__).parent.parent.parent


class Receiver:
    """A real `webhook.py`."""

    def __init__(self, process: asyncio.subprocess.Process, visitor: httpx.AsyncClient) -> None:
        self._process = process
        self.visitor = visitor

    async def kill(self) -> None:
        """Kill it without warning."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


@asynccontextmanager
async def receiving(settings: Settings, temporal: Client, log: Path) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port until the block ends."""
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
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(ROOT / "webhook.py"), f"--port={port}", cwd=ROOT, env=environment, stderr=errors
        )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as visitor:
        receiver = Receiver(process, visitor)
        try:
            await answers(visitor, process)
            yield receiver
        finally:
            await receiver.kill()


async def answers(visitor: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    """Wait until the receiver answers."""
    async with asyncio.timeout(30):
        while process.returncode is None:
            try:
                await visitor.get("/health")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    raise AssertionError("the receiver has ended")


async def state_of(merchant: Merchant) -> str | None:
    rows = await merchant.run("select state from duly.gateway_events")
    return str(rows[0].state) if rows else None


async def test_an_event_whose_receiver_was_killed_before_it_hinted_anybody_is_delivered_by_the_next(
    merchant: Merchant, owner_engine: AsyncEngine, settings: Settings, temporal_server: Client, tmp_path: Path
) -> None:
    account = await merchant.account(owes_minor=2500)
    await merchant.run(
        "select duly.open_attempt(:account, '2026-11', 'stripe', '', 1, 'scheduled', '')", account=account
    )
    async with receiving(settings, temporal_server, tmp_path / "webhook.log") as receiver:
        # Finding out whom an event is about takes this table; storing it does not.
        async with owner_engine.begin() as connection:
            await connection.execute(text("lock table duly.gateway_requests in access exclusive mode"))
            answered = await send(receiver.visitor, an_event(metadata={"duly_request": "req_1"}))
            await receiver.kill()
        stored = await state_of(merchant)

    async with receiving(settings, temporal_server, tmp_path / "webhook.log"), asyncio.timeout(20):
        while await state_of(merchant) != "delivered":  # noqa: ASYNC110 - there is no event across processes
            await asyncio.sleep(0.05)

    assert (answered, stored) == (200, "waiting")
