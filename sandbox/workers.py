"""Processes beside the stack: the same `worker.py` and `webhook.py` that serve production."""

import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from models.workflow_ids import WORKFLOW_QUEUE, gateway_queue
from sandbox.servers.processes import Child, Command, choose_port, run_to_end
from sandbox.servers.temporal import client_of
from sandbox.stack import Stack

ROOT = Path(__file__).parent.parent
START_SECONDS = 60.0
EVENTS_PATH = "/webhooks/stripe"
# More than the grace that worker.py gives to calls in flight.
STOP_SECONDS = 35.0

WORKFLOWS, ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY


@dataclass(frozen=True)
class Webhook:
    """A running receiver of events, and the address at which customers and the gateway reach it."""

    child: Child
    url: str


async def make_schedules(stack: Stack) -> None:
    """Make the schedules that check an installation, as compose does before its workers. ServiceError when it fails."""
    words = (sys.executable, str(ROOT / "starter.py"), "namespace", "prepare")
    command = Command("Preparing the namespace", words, stack.folder.log("namespace"), ROOT, stack.environment)
    await run_to_end(command, timeout_seconds=START_SECONDS)


@contextlib.asynccontextmanager
async def running_worker(
    stack: Stack, role: str = "all", *, name: str = "", argv: tuple[str, ...] = ()
) -> AsyncIterator[Child]:
    """Run one worker process and yield it once it polls; ServiceError if it does not get there.

    `name` tells several workers of a role apart, in errors and as the name of the log; `argv` is another program that
    does the role's work.
    """
    log = stack.folder.log(f"worker-{name or role}")
    argv = argv or (sys.executable, str(ROOT / "worker.py"), f"--role={role}")
    client = await client_of(stack.settings)
    queues = _queues(role, stack.settings.provider)
    child = Child(Command(f"Worker {name or role}", argv, log, ROOT, stack.environment, stop_seconds=STOP_SECONDS))

    async def polls() -> bool:
        return await _polls(client, child.pid, queues)

    try:
        await child.wait_until(polls, timeout_seconds=START_SECONDS)
        yield child
    finally:
        await child.stop()


async def until_it_answers(child: Child, url: str, *, timeout_seconds: float) -> None:
    """Wait until a process that serves an address is ready; ServiceError if it does not get there."""
    # One client for all tries: each new one would read the authorities of the machine, for longer than a try takes.
    async with httpx.AsyncClient(trust_env=False) as client:

        async def answers() -> bool:
            try:
                return (await client.get(f"{url}/ready")).is_success
            except httpx.TransportError:
                return False

        await child.wait_until(answers, timeout_seconds=timeout_seconds)


@contextlib.asynccontextmanager
async def running_webhook(stack: Stack) -> AsyncIterator[Webhook]:
    """Run the receiver of events on a free port and yield it once it answers; ServiceError if it does not get there."""
    url = f"http://127.0.0.1:{choose_port('Webhook', 0)}"
    argv = (sys.executable, str(ROOT / "webhook.py"), f"--port={urlsplit(url).port}")
    environment = {**stack.environment, "DULY_PUBLIC_URL": url}
    child = Child(Command("Webhook", argv, stack.folder.log("webhook"), ROOT, environment))

    try:
        await until_it_answers(child, url, timeout_seconds=START_SECONDS)
        yield Webhook(child, url)
    finally:
        await child.stop()


def _queues(role: str, provider: str) -> dict[str, TaskQueueType.ValueType]:
    """Return what a worker of a role listens to."""
    queues = {"workflow": {WORKFLOW_QUEUE: WORKFLOWS}, "gateway": {gateway_queue(provider): ACTIVITIES}}
    return queues.get(role) or queues["workflow"] | queues["gateway"]


async def _polls(client: Client, pid: int, queues: dict[str, TaskQueueType.ValueType]) -> bool:
    # A worker's identity begins with its process id; pollers of dead workers stay listed for minutes.
    ours = f"{pid}@"
    for name, kind in queues.items():
        request = DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind
        )
        described = await client.workflow_service.describe_task_queue(request)
        if not any(poller.identity.startswith(ours) for poller in described.pollers):
            return False
    return True
