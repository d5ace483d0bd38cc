"""Every process speaks to its servers with TLS, and says in one line when it may not."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from sandbox.servers.processes import Child, Command, choose_port
from tests.house.source import ROOT
from tests.operations.encryption.authority import CertificateAuthority, Issued, temporal_with_tls
from tests.operations.encryption.conftest import port_of
from tests.operations.encryption.test_cli_temporal_tls import believing, shown
from tests.stack.test_waiting_for_the_gateway import logged, says
from tests.support.command_line import CommandLine


@pytest.fixture
async def encrypted(
    with_database_tls: CommandLine, authority: CertificateAuthority, here: Issued, worker_certificate: Issued
) -> AsyncIterator[dict[str, str]]:
    """The settings of an installation where everything is encrypted, and Temporal asks for a certificate."""
    async with temporal_with_tls(port_of(with_database_tls), here, authority) as port:
        yield {
            **{name: value for name, value in with_database_tls.environment.items() if value},
            "DULY_LOG_LEVEL": "INFO",
            "DULY_TEMPORAL_ADDRESS": f"127.0.0.1:{port}",
            "DULY_DATABASE_TLS_CA": str(authority.certificate),
            **believing(authority),
            **shown(worker_certificate),
        }


@asynccontextmanager
async def process(log: Path, settings: dict[str, str], *words: str) -> AsyncIterator[Child]:
    """One of our processes, from its start on."""
    child = Child(Command("Process", (sys.executable, *words), log, ROOT, {**os.environ, **settings}))
    try:
        yield child
    finally:
        await child.stop()


@pytest.mark.parametrize("role", ["workflow", pytest.param("gateway", marks=pytest.mark.nightly)])
async def test_a_worker_starts_over_tls(encrypted: dict[str, str], tmp_path: Path, role: str) -> None:
    async with process(tmp_path / "worker.log", encrypted, "worker.py", f"--role={role}") as worker:
        await says(worker, "worker_started")

    assert worker.exit_code == 0


@pytest.mark.nightly
async def test_the_receiver_of_events_starts_over_tls(encrypted: dict[str, str], tmp_path: Path) -> None:
    port = choose_port("Webhook", 0)
    settings = {**encrypted, "STRIPE_WEBHOOK_SECRET": "whsec_test"}

    async with process(tmp_path / "webhook.log", settings, "webhook.py", f"--port={port}") as receiver:
        await receiver.wait_until(lambda: is_ready(f"http://127.0.0.1:{port}/ready"), timeout_seconds=60)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("DULY_TEMPORAL_TLS_CA", "has a certificate that no authority we believe has signed"),
        ("DULY_DATABASE_TLS_CA", "certificate verify failed"),
    ],
)
async def test_a_worker_that_may_not_believe_its_server_ends_and_says_so_in_one_line(
    encrypted: dict[str, str], stranger: CertificateAuthority, tmp_path: Path, setting: str, reason: str
) -> None:
    settings = {**encrypted, setting: str(stranger.certificate)}

    async with process(tmp_path / "worker.log", settings, "worker.py", "--role=workflow") as worker:
        async with asyncio.timeout(180):
            exit_code = await worker.wait()

    assert (exit_code, logged(worker)[-1]["event"]) == (1, "worker_not_started")
    assert reason in logged(worker)[-1]["reason"]
    assert "Traceback" not in worker.command.log.read_text()


async def is_ready(address: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(address)).status_code == 200
        except httpx.TransportError:
            return False
