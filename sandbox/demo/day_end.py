"""The end of the demo's day: the scheduled sweep reads what the gateway has booked after its answers."""

import asyncio
import time
from datetime import UTC, datetime

from temporalio.client import Client

from activities.database import Database
from models.gateway.events import SweepRequest
from models.workflow_ids import WORKFLOW_QUEUE, sweep_id
from sandbox.servers.processes import ServiceError
from workflows.events.event_sweep import EventSweep

SERVICE = "The demo"
# Stripe's sandbox books a charge three seconds after it, and takes disputed money as late.
TIMEOUT_SECONDS = 60.0
PAUSE_SECONDS = 0.5

_OPEN = "select count(*) from duly.gateway_expectations where movement is null"


async def book_movements(client: Client, database: Database, provider: str) -> None:
    """Sweep until every movement that the ledger expects is booked. ServiceError when some do not come."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (await database.rows(_OPEN))[0][0]:
        if time.monotonic() > deadline:
            raise ServiceError(SERVICE, "movements that the ledger expects have not come; the workers' logs say why")
        await client.execute_workflow(
            EventSweep.run,
            SweepRequest(provider),
            id=f"{sweep_id(provider)}-{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            task_queue=WORKFLOW_QUEUE,
        )
        await asyncio.sleep(PAUSE_SECONDS)
