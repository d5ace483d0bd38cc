"""Workers beside the stack."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import sandbox.workers
from sandbox.servers.postgres import PostgresServer
from sandbox.servers.processes import ServiceError
from sandbox.stack import StackOptions, running_stack
from sandbox.up import up
from sandbox.workers import running_worker
from tests.fixtures.stripe import WEBHOOK_SECRET
from tests.house.source import ROOT
from tests.support.builders import API_KEY


# In the gate a worker is started, asked for its metrics and stopped: tests/operations/telemetry/test_endpoint.py.
@pytest.mark.nightly
@pytest.mark.parametrize("role", ["all", "workflow", "gateway"])
async def test_a_worker_is_up_when_it_polls_and_ends_cleanly_when_it_is_stopped(
    everything_given: dict[str, str], role: str
) -> None:
    async with running_stack() as stack, running_worker(stack, role) as worker:
        running = worker.exit_code

    assert running is None
    assert worker.exit_code == 0


def test_a_worker_of_workflows_loads_nothing_that_only_others_use() -> None:
    others = ("stripe", "typst", "pikepdf", "xlsxwriter", "lxml", "cryptography")
    code = f"import sys, worker; print([name for name in {others} if name in sys.modules])"

    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ended.stdout == "[]\n"


@pytest.mark.nightly
async def test_a_worker_that_ends_by_itself_ends_the_stack(everything_given: dict[str, str], tmp_path: Path) -> None:
    async with running_stack() as stack, running_worker(stack, "gateway") as worker:
        psutil.Process(worker.pid).kill()

        with pytest.raises(ServiceError, match="Worker gateway stopped: it ended with exit code -9"):
            await worker.watch()


async def test_a_worker_that_does_not_start_is_named_with_its_last_words(
    everything_given: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "worker.py").write_text("raise SystemExit('no table payments')\n")
    (tmp_path / "starter.py").write_text("")  # it prepares the namespace
    monkeypatch.setattr(sandbox.workers, "ROOT", tmp_path)

    with pytest.raises(ServiceError) as failed:
        await up(StackOptions(data=tmp_path / "data"), ["gateway"])

    assert str(failed.value) == (
        "Worker gateway did not start: it ended with exit code 1. Its last lines:\nno table payments\n"
        f"Its log: {tmp_path}/data/logs/worker-gateway.log"
    )


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(
    ("program", "event"),
    [
        (("worker.py", "--role=workflow"), "worker_not_started"),
        (("webhook.py", "--port=0"), "receiver_not_started"),
        (("console.py", "--port=0"), "console_not_started"),
        (("portal.py", "--port=0"), "portal_not_started"),
    ],
)
async def test_what_is_started_before_the_first_migrate_says_so_in_a_line(
    postgres_server: PostgresServer, temporal_address: str, program: tuple[str, ...], event: str
) -> None:
    name = f"empty_{event}"
    await postgres_server.create_database(name)
    environment = {
        "DULY_DATABASE_URL": postgres_server.runtime_url(name),
        "DULY_TEMPORAL_ADDRESS": temporal_address,
        "STRIPE_API_KEY": API_KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "DULY_PORTAL_URL": "http://127.0.0.1:8020",
    }

    started = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / program[0]),
        *program[1:],
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    written, _ = await started.communicate()

    [line] = [json.loads(line) for line in written.splitlines()]
    assert (started.returncode, line["event"]) == (1, event)
    assert line["reason"].endswith("run `duly migrate`")
    await postgres_server.drop_database(name)
