"""Alerts fire on what running processes show while something is really broken, and on nothing else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowHandle

from models.gateway.events import SweepRequest
from models.operator_command import OperatorCommand
from models.runs.process_run import RunRequest
from models.supervision.supervision import SupervisionRequest
from models.workflow_ids import SUPERVISOR, WORKFLOW_QUEUE, payment_run_id, sweep_id
from sandbox.stack import Stack
from sandbox.stripe.control.client import FaultKind, SandboxControl
from sandbox.workers import running_webhook, running_worker
from tests.operations.telemetry.breakage.prometheus import Prometheus, Seen, total
from tests.operations.telemetry.process_client import client_of
from tests.support.attempts import age_attempts, never_answer
from tests.support.builders import Merchant, declined
from workflows.events.event_sweep import EventSweep
from workflows.runs.payment_run import PaymentRun
from workflows.supervision.supervisor import Supervisor

EXPECTED = {
    "no gateway worker": {"DulyGatewayNotPolled", "DulyRunStandsStill"},
    # Whoever has paused a run knows that it stands still.
    "and the run is paused": {"DulyGatewayNotPolled"},
    "nothing any more": set[str](),
    # The gateway knows no address of ours: its events came by the sweep alone.
    "issuers decline, and no webhook comes": {"DulyManyDeclined", "DulyNoWebhooks"},
    "requests without a signature": {"DulyEventsRefused"},
    "answers are lost": {"DulyManyUnknown"},
    "and still after seven hours": {"DulyUnknownPayments"},
    "the gateway's worker ends in a run": {"DulyProcessAway"},
    "everything ends": {"DulyNotMeasured", "DulyProcessAway"},
}
AWAY = OperatorCommand("maria", "the gateway's worker is away")


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

    async def do_regular_work(self) -> Seen:
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
    found["no gateway worker"] = await prometheus.firing(alone, alone) - {"DulyNotSupervised"}

    await run.execute_update("pause", AWAY)
    paused = await prometheus.once(lambda seen: total(seen, "duly_standing_runs", "paused") == 1)
    found["and the run is paused"] = await prometheus.firing(paused, paused) - {"DulyNotSupervised"}
    await run.execute_update("resume", AWAY)

    receiver = await installation.receive()
    await installation.start("gateway")
    await run.result()
    begun = await prometheus.scrape()
    await installation.decline()
    healthy = await installation.do_regular_work()
    found["nothing any more"] = await prometheus.firing(healthy, healthy)
    found["issuers decline, and no webhook comes"] = await prometheus.firing(begun, healthy) - {"DulyNotSupervised"}

    async with httpx.AsyncClient(trust_env=False) as stranger:
        for _ in range(25):
            await stranger.post(f"{receiver}/webhooks/stripe", content=b"{}")
    refused = await prometheus.scrape()
    found["requests without a signature"] = await prometheus.firing(healthy, refused)

    for number in range(12):
        await installation.merchant.account(f"acc_lost_{number}", owes_minor=1000)
    never_answer(stripe_sandbox, FaultKind.RESPONSE_LOST)
    await installation.begin(2)
    lost = await prometheus.once(lambda seen: total(seen, "duly_unknown_attempts") == 12)
    found["answers are lost"] = await prometheus.firing(refused, lost) & {"DulyManyUnknown"}
    await age_attempts(owner_engine, started=timedelta(hours=7), sent=timedelta(hours=7))
    aged = await prometheus.once(lambda seen: total(seen, "duly_unknown_attempts", "up_to_24h") == 12)
    found["and still after seven hours"] = await prometheus.firing(lost, aged) & {"DulyUnknownPayments"}

    await installation.gateways.aclose()
    gone = await prometheus.scrape()
    # The run may be held by then, for nobody was answered.
    found["the gateway's worker ends in a run"] = await prometheus.firing(aged, gone) & {"DulyProcessAway"}
    await installation.workers.aclose()
    silent = await prometheus.scrape()
    found["everything ends"] = await prometheus.firing(gone, silent)

    assert found == EXPECTED
