"""Alerts fire on what running processes show while something is really broken, and on nothing else."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowHandle

from models.gateway.events import SweepRequest
from models.runs.process_run import RunRequest
from models.supervision.supervision import SupervisionRequest
from models.workflow_ids import SUPERVISOR, WORKFLOW_QUEUE, payment_run_id, sweep_id
from sandbox.stack import Stack
from sandbox.stripe.control.client import FaultKind, SandboxControl
from sandbox.workers import running_webhook, running_worker
from tests.operations.telemetry.process_client import client_of, until_ready
from tests.operations.telemetry.test_monitoring import ALERTS, named_by_alerts
from tests.support.attempts import age_attempts, never_answer
from tests.support.builders import Merchant, declined
from workflows.events.event_sweep import EventSweep
from workflows.runs.payment_run import PaymentRun
from workflows.supervision.supervisor import Supervisor

FIRING = re.compile(r'alertname=\\?"(\w+)\\?"')
# How long what was seen first has lasted, and how long what was seen last lasts, in minutes.
BEFORE, AFTER = 60, 400
Seen = Mapping[str, float]


@dataclass
class Prometheus:
    """What a server of Prometheus does: asks processes, and judges what it saw by the rules."""

    folder: Path
    clients: AsyncExitStack
    processes: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def follow(self, client: httpx.AsyncClient) -> None:
        """Ask a process as well, from when it is ready on."""
        self.processes[str(client.base_url.port)] = await self.clients.enter_async_context(client)
        await until_ready(client)

    async def once(self, holds: Callable[[Seen], bool]) -> Seen:
        """Ask until what is seen is as it must become: what is open is read now and then."""
        while not holds(seen := await self.scrape()):  # noqa: ASYNC110
            await asyncio.sleep(1)
        return seen

    async def scrape(self) -> Seen:
        """Ask every process, and return the series that rules are about."""
        seen: dict[str, float] = {}
        for instance, client in self.processes.items():
            try:
                text = (await client.get("/metrics")).raise_for_status().text
            except httpx.TransportError:
                seen[f'up{{job="duly", instance="{instance}"}}'] = 0
                continue
            seen[f'up{{job="duly", instance="{instance}"}}'] = 1
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.name in named_by_alerts():
                        labels = {**sample.labels, "job": "duly", "instance": instance}
                        shown = ", ".join(f'{name}="{value}"' for name, value in labels.items())
                        # promtool writes no endless number.
                        seen[f"{sample.name}{{{shown}}}"] = min(sample.value, 1e9)
        return seen

    def firing(self, before: Seen, after: Seen) -> set[str]:
        """Return the alerts that fire at any time after the change from what was seen before to what was seen then."""
        series = [{"series": name, "values": _values(before, after, name)} for name in sorted({*before, *after})]
        minutes = range(BEFORE + 1, BEFORE + AFTER, 10)
        asked = [
            {"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{minute}m", "exp_samples": []} for minute in minutes
        ]
        document = {
            "rule_files": [str(ALERTS)],
            "evaluation_interval": "1m",
            "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": asked}],
        }
        file = self.folder / "seen.yml"
        file.write_text(yaml.safe_dump(document))
        done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
        output = done.stdout + done.stderr
        assert "SUCCESS" in output or "got:" in output, output[:2000]
        return set(FIRING.findall(output))


def _values(before: Seen, after: Seen, name: str) -> str:
    first = f"{before[name]:g}x{BEFORE}" if name in before else f"_x{BEFORE}"
    then = f"{after[name]:g}x{AFTER}" if name in after else "stale"
    return f"{first} {then}"


EXPECTED = {
    "no gateway worker": {"DulyGatewayNotPolled", "DulyRunStandsStill"},
    "nothing any more": set[str](),
    # The gateway knows no address of ours: its events came by the sweep alone.
    "issuers decline, and no webhook comes": {"DulyManyDeclined", "DulyNoWebhooks"},
    "requests without a signature": {"DulyEventsRefused"},
    "answers are lost": {"DulyManyUnknown"},
    "and still after seven hours": {"DulyUnknownPayments"},
    "the gateway's worker ends in a run": {"DulyProcessAway"},
    "everything ends": {"DulyNotMeasured", "DulyProcessAway"},
}


@dataclass(frozen=True)
class Installation:
    """What is broken: its processes by what they do, and whoever asks and steers them."""

    stack: Stack
    merchant: Merchant
    client: Client
    period: str
    workers: AsyncExitStack
    gateways: AsyncExitStack
    prometheus: Prometheus

    async def start(self, role: str) -> None:
        """Start a worker, and ask it for its metrics from when it is ready on."""
        processes = self.gateways if role == "gateway" else self.workers
        await processes.enter_async_context(running_worker(self.stack, role))
        await self.prometheus.follow(client_of(self.stack, f"worker-{role}"))

    async def receive(self) -> str:
        """Start the receiver of events, and return its address."""
        receiver = await self.workers.enter_async_context(running_webhook(self.stack))
        await self.prometheus.follow(client_of(self.stack, "webhook"))
        return receiver.url

    async def begin(self, supplement: int = 0) -> WorkflowHandle[PaymentRun, Any]:
        """Begin the month's run, or the supplement of those who have joined since."""
        request = RunRequest("monthly", self.period, not_due_yet=True, supplement=supplement)
        run_id = payment_run_id("monthly", self.period, supplement)
        return await self.client.start_workflow(PaymentRun.run, request, id=run_id, task_queue=WORKFLOW_QUEUE)

    async def decline(self) -> None:
        """Let issuers decline everybody who has joined."""
        soft = [declined("insufficient_funds")]
        for number in range(55):
            await self.merchant.account(f"acc_{number}", owes_minor=1000, answers=soft, answers_for_ever=True)
        await (await self.begin(1)).result()

    async def look_after(self) -> Seen:
        """Do what is done regularly, and return what is seen once it was read."""
        execute = self.client.execute_workflow
        await execute(Supervisor.run, SupervisionRequest(), id=SUPERVISOR, task_queue=WORKFLOW_QUEUE)
        await execute(EventSweep.run, SweepRequest("stripe"), id=sweep_id("stripe"), task_queue=WORKFLOW_QUEUE)
        return await self.prometheus.once(
            lambda seen: (
                total(seen, "duly_supervision_age_seconds") < 1000
                and total(seen, "duly_gateway_pollers") == 1
                and total(seen, "duly_open_runs") == 0
            )
        )


@pytest.fixture
async def installation(
    observed_stack: Stack, merchant: Merchant, temporal_server: Client, period: str, tmp_path: Path
) -> AsyncIterator[Installation]:
    """An installation of which nothing runs yet; its list of events was read a while ago."""
    if shutil.which("promtool") is None:
        pytest.skip("no promtool on this machine (Debian's package prometheus has it)")
    await merchant.run("insert into duly.event_marks values ('stripe', now() - interval '20 minutes')")
    async with AsyncExitStack() as workers, AsyncExitStack() as gateways, AsyncExitStack() as clients:
        prometheus = Prometheus(tmp_path, clients)
        yield Installation(observed_stack, merchant, temporal_server, period, workers, gateways, prometheus)


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_alerts_fire_on_what_processes_show_while_something_is_broken(
    installation: Installation, owner_engine: AsyncEngine, stripe_sandbox: SandboxControl
) -> None:
    prometheus, found = installation.prometheus, dict[str, set[str]]()
    await installation.merchant.account("acc_first", owes_minor=1000)
    await installation.start("workflow")
    run = await installation.begin()
    alone = await prometheus.once(lambda seen: total(seen, "duly_open_runs") == 1)
    # Other tests of this server may have had a supervisor.
    found["no gateway worker"] = prometheus.firing(alone, alone) - {"DulyNotSupervised"}

    receiver = await installation.receive()
    await installation.start("gateway")
    await run.result()
    begun = await prometheus.scrape()
    await installation.decline()
    healthy = await installation.look_after()
    found["nothing any more"] = prometheus.firing(healthy, healthy)
    found["issuers decline, and no webhook comes"] = prometheus.firing(begun, healthy) - {"DulyNotSupervised"}

    async with httpx.AsyncClient(trust_env=False) as stranger:
        for _ in range(25):
            await stranger.post(f"{receiver}/webhooks/stripe", content=b"{}")
    refused = await prometheus.scrape()
    found["requests without a signature"] = prometheus.firing(healthy, refused)

    for number in range(12):
        await installation.merchant.account(f"acc_lost_{number}", owes_minor=1000)
    never_answer(stripe_sandbox, FaultKind.RESPONSE_LOST)
    await installation.begin(2)
    lost = await prometheus.once(lambda seen: total(seen, "duly_unknown_attempts") == 12)
    found["answers are lost"] = prometheus.firing(refused, lost) & {"DulyManyUnknown"}
    await age_attempts(owner_engine, started=timedelta(hours=7), sent=timedelta(hours=7))
    aged = await prometheus.once(lambda seen: total(seen, "duly_unknown_attempts", "up_to_24h") == 12)
    found["and still after seven hours"] = prometheus.firing(lost, aged) & {"DulyUnknownPayments"}

    await installation.gateways.aclose()
    gone = await prometheus.scrape()
    # The run may be held by then, for nobody was answered.
    found["the gateway's worker ends in a run"] = prometheus.firing(aged, gone) & {"DulyProcessAway"}
    await installation.workers.aclose()
    silent = await prometheus.scrape()
    found["everything ends"] = prometheus.firing(gone, silent)

    assert found == EXPECTED


def total(seen: Seen, name: str, label: str = "") -> float:
    """Return the sum of a metric's series, of those with a label's value where one is given."""
    return sum(value for series, value in seen.items() if series.startswith(f"{name}{{") and label in series)
