"""Alerts fire on what running processes show while something is really broken, and on nothing else."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
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
from models.workflow_ids import WORKFLOW_QUEUE, payment_run_id
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
    processes: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def follow(self, clients: AsyncExitStack, client: httpx.AsyncClient) -> None:
        """Ask a process as well, from when it is ready on."""
        self.processes[str(client.base_url.port)] = await clients.enter_async_context(client)
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
        minutes = range(BEFORE + 1, BEFORE + AFTER, 5)
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


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_alerts_fire_on_what_processes_show_while_something_is_broken(
    observed_stack: Stack,
    merchant: Merchant,
    owner_engine: AsyncEngine,
    stripe_sandbox: SandboxControl,
    temporal_server: Client,
    period: str,
    tmp_path: Path,
) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool on this machine (Debian's package prometheus has it)")
    prometheus = Prometheus(tmp_path)
    await merchant.run("insert into duly.event_marks values ('stripe', now() - interval '20 minutes')")
    await merchant.account("acc_first", owes_minor=1000)
    found: dict[str, set[str]] = {}

    async with AsyncExitStack() as workers, AsyncExitStack() as gateways, AsyncExitStack() as clients:
        await workers.enter_async_context(running_worker(observed_stack, "workflow"))
        await prometheus.follow(clients, client_of(observed_stack, "worker-workflow"))
        run = await begin(temporal_server, period)
        alone = await prometheus.once(lambda seen: total(seen, "duly_open_runs") == 1)
        found["no gateway worker"] = prometheus.firing(alone, alone) - {"DulyNotSupervised"}

        receiver = await workers.enter_async_context(running_webhook(observed_stack))
        await gateways.enter_async_context(running_worker(observed_stack, "gateway"))
        await prometheus.follow(clients, client_of(observed_stack, "worker-gateway"))
        await prometheus.follow(clients, client_of(observed_stack, "webhook"))
        await run.result()
        begun = await prometheus.scrape()
        soft = [declined("insufficient_funds")]
        for number in range(55):
            await merchant.account(f"acc_soft_{number}", owes_minor=1000, answers=soft, answers_for_ever=True)
        await (await begin(temporal_server, period, supplement=1)).result()
        await temporal_server.execute_workflow(
            Supervisor.run, SupervisionRequest(), id=f"supervisor-{period}", task_queue=WORKFLOW_QUEUE
        )
        await temporal_server.execute_workflow(
            EventSweep.run, SweepRequest("stripe"), id=f"events/stripe-{period}", task_queue=WORKFLOW_QUEUE
        )
        healthy = await prometheus.once(
            lambda seen: (
                total(seen, "duly_supervision_age_seconds") < 1000
                and total(seen, "duly_gateway_pollers") == 1
                and total(seen, "duly_open_runs") == 0
            )
        )
        found["nothing any more"] = prometheus.firing(healthy, healthy)
        # The gateway knows no address of ours: its events came by the sweep alone.
        found["issuers decline, and no webhook comes"] = prometheus.firing(begun, healthy)

        async with httpx.AsyncClient(trust_env=False) as stranger:
            for _ in range(25):
                await stranger.post(f"{receiver.url}/webhooks/stripe", content=b"{}")
        refused = await prometheus.scrape()
        found["requests without a signature"] = prometheus.firing(healthy, refused)

        for number in range(12):
            await merchant.account(f"acc_lost_{number}", owes_minor=1000)
        never_answer(stripe_sandbox, FaultKind.RESPONSE_LOST)
        await begin(temporal_server, period, supplement=2)
        lost = await prometheus.once(lambda seen: total(seen, "duly_unknown_attempts") == 12)
        found["answers are lost"] = prometheus.firing(refused, lost) & {"DulyManyUnknown"}
        await age_attempts(owner_engine, started=timedelta(hours=7), sent=timedelta(hours=7))
        aged = await prometheus.once(lambda seen: total(seen, "duly_unknown_attempts", "up_to_24h") == 12)
        found["and still after seven hours"] = prometheus.firing(lost, aged) & {"DulyUnknownPayments"}

        await gateways.aclose()
        gone = await prometheus.scrape()
        found["the gateway's worker ends in a run"] = prometheus.firing(aged, gone) - prometheus.firing(aged, aged)
        await workers.aclose()
        silent = await prometheus.scrape()
        found["everything ends"] = prometheus.firing(gone, silent)

    assert found == {
        "no gateway worker": {"DulyGatewayNotPolled", "DulyRunStandsStill"},
        "nothing any more": set(),
        "issuers decline, and no webhook comes": {"DulyManyDeclined", "DulyNoWebhooks"},
        "requests without a signature": {"DulyEventsRefused"},
        "answers are lost": {"DulyManyUnknown"},
        "and still after seven hours": {"DulyUnknownPayments"},
        "the gateway's worker ends in a run": {"DulyProcessAway", "DulyRunStandsStill"},
        "everything ends": {"DulyNotMeasured", "DulyProcessAway"},
    }


async def begin(client: Client, period: str, *, supplement: int = 0) -> WorkflowHandle[PaymentRun, Any]:
    """Begin the month's run, or the supplement of those who have joined since."""
    request = RunRequest("monthly", period, not_due_yet=True, supplement=supplement)
    run_id = payment_run_id("monthly", period, supplement)
    return await client.start_workflow(PaymentRun.run, request, id=run_id, task_queue=WORKFLOW_QUEUE)


def total(seen: Seen, name: str, label: str = "") -> float:
    """Return the sum of a metric's series, of those with a label's value where one is given."""
    return sum(value for series, value in seen.items() if series.startswith(f"{name}{{") and label in series)
