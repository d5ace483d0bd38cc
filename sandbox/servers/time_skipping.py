"""A Temporal server whose clock is moved by who runs it: timers fire on the way, and workflows see the moved time."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.client import Client
from temporalio.service import RPCError

from sandbox.servers.processes import Command, choose_port, running
from sandbox.servers.temporal import NAMESPACE, SERVICE, program

# For the work that falls due while time passes.
TIMEOUT = timedelta(minutes=5)


@contextlib.asynccontextmanager
async def running_time_skipping(*, log: Path, environment: Mapping[str, str], port: int = 0) -> AsyncIterator[str]:
    """Run a server that keeps everything in memory and yield its address; its clock begins as its environment says.

    Between two moves its clock goes on as all clocks do.
    """
    address = f"127.0.0.1:{choose_port(SERVICE, port)}"
    argv = (program("temporal-test-server"), address.rpartition(":")[2])
    command = Command(SERVICE, argv, log, Path.cwd(), {**os.environ, **environment}, stop_signal=signal.SIGKILL)

    async def ready() -> bool:
        try:
            _ = await time_at(await Client.connect(address, namespace=NAMESPACE))
        except (RuntimeError, RPCError):
            return False
        return True

    async with running(command, ready):
        yield address


async def time_at(client: Client) -> datetime:
    """Return what time it is for the server's workflows."""
    return (await client.test_service.get_current_time(Empty())).time.ToDatetime(UTC)


async def pass_time(client: Client, span: timedelta) -> None:
    """Move the server's clock on, from timer to timer: each is through with its work before the next one fires."""
    duration = Duration()
    duration.FromTimedelta(span)
    _ = await client.test_service.unlock_time_skipping_with_sleep(SleepRequest(duration=duration), timeout=TIMEOUT)
