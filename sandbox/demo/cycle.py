"""One month, as a service runs it: start the billing run and the payment run, wait until nothing is open any more."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy

from models.runs.process_run import Certificate, RunKind, RunRequest
from models.workflow_ids import WORKFLOW_QUEUE, collection_id, shard_id
from sandbox.customers.merchant import BILLING_DEFINITION, PAYMENT_DEFINITION, PROVIDER
from sandbox.demo.display import DemoDisplay
from sandbox.demo.outcomes import OPEN, Cycle, Outcomes
from sandbox.servers.processes import ServiceError
from workflows.runs.billing_run import BillingRun
from workflows.runs.payment_run import PaymentRun
from workflows.visibility import run_label

SERVICE = "The demo"
POLL_SECONDS = 0.25
# Longer than any wait of the demo's policy and than a call's tries: whatever is open then is not going to close.
STALLED_SECONDS = 90.0

Run = WorkflowHandle[Any, Certificate]

# What a poll finds: anything that changes while the work goes on, and whether something is still open.
Poll = Callable[[], Awaitable[tuple[object, bool]]]


async def run_cycle(client: Client, cycle: Cycle, outcomes: Outcomes, display: DemoDisplay) -> None:
    """Bill and collect. Returns when every receivable is settled or given up, or when nothing has moved for long.

    ServiceError: a run failed, or nothing moves although it is not over.
    """
    display.step(f"Billing {cycle.period}")
    await _follow(await _start_billing(client, cycle), outcomes.billed)
    display.step(f"Collecting {cycle.period}")
    payments = await _start_payments(client, cycle)
    with display.progress() as progress:

        async def poll() -> tuple[object, bool]:
            tally = await outcomes.tally()
            progress.show(tally)
            is_open = any(tally[outcome] for outcome in OPEN) or await outcomes.open_collections() > 0
            return tally, is_open

        await _follow(payments, poll)


async def _start_billing(client: Client, cycle: Cycle) -> Run:
    request = RunRequest(BILLING_DEFINITION, cycle.period)
    return await client.start_workflow(
        BillingRun.run,
        request,
        id=cycle.billing_run,
        task_queue=WORKFLOW_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        **run_label(RunKind.BILLING, request, cycle.billing_run),
    )


async def _start_payments(client: Client, cycle: Cycle) -> Run:
    request = RunRequest(PAYMENT_DEFINITION, cycle.period)
    return await client.start_workflow(
        PaymentRun.run,
        request,
        id=cycle.payment_run,
        task_queue=WORKFLOW_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        **run_label(RunKind.PAYMENT, request, cycle.payment_run, provider=PROVIDER),
    )


async def _follow(run: Run, poll: Poll) -> None:
    """Poll until a run is over and nothing is open any more, or nothing moves."""
    result = asyncio.create_task(_certificate(run))
    before, moved = object(), time.monotonic()
    try:
        while time.monotonic() - moved < STALLED_SECONDS:
            is_over = result.done()
            if is_over:
                await result
            found, is_open = await poll()
            if is_over and not is_open:
                return
            if found != before:
                before, moved = found, time.monotonic()
            await asyncio.sleep(POLL_SECONDS)
        if not result.done():
            raise ServiceError(SERVICE, f"{run.id} has not moved for {STALLED_SECONDS:g} s; the workers' logs say why")
    finally:
        result.cancel()


async def _certificate(run: Run) -> Certificate:
    try:
        return await run.result()
    except WorkflowFailureError as error:
        raise ServiceError(SERVICE, f"{run.id} failed: {error.cause.__cause__ or error.cause}") from error


async def links_of(client: Client, cycle: Cycle, outcomes: Outcomes, ui_url: str) -> dict[str, str]:
    """Return addresses in the Temporal UI: the run, a shard with its payments, a collection."""
    if not ui_url:
        return {}
    account = await outcomes.recovered_account()
    wanted = {"run": cycle.payment_run, "shard": shard_id(cycle.payment_run, 0)}
    if account:
        wanted["collection"] = collection_id(account, cycle.period)
    return {name: await _link(client, id, ui_url) for name, id in wanted.items()}


async def _link(client: Client, workflow_id: str, ui_url: str) -> str:
    # A shard continues as new after each page: its payments are on the timeline of the first execution.
    described = await client.get_workflow_handle(workflow_id).describe()
    first = described.raw_description.workflow_execution_info.first_run_id
    return f"{ui_url}/namespaces/{client.namespace}/workflows/{quote(workflow_id, safe='')}/{first}/history"
