"""Lives through the months before the present, on servers of their own whose clocks are moved on."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.period import Period
from sandbox.demo.tools import running_tools
from sandbox.past.company import Company
from sandbox.past.lives import Life
from sandbox.past.months import PastMonth
from sandbox.past.passing import PassingTime
from sandbox.servers.processes import Child, Command, ServiceError
from sandbox.servers.shown_clock import ShownClock, library
from sandbox.stack import Stack, StackOptions, running_stack
from sandbox.workers import ROOT, STOP_SECONDS

SERVICE = "The past"
# Time to set the company up before its first month.
BEFORE = timedelta(hours=6)
ENVIRONMENT = {"DULY_GATEWAY_RATE": "2000", "DULY_LOG_FORMAT": "json"}


async def live_through(
    data: Path, periods: Sequence[Period], lives: list[Life], *, seed: int, step: Callable[[str], None]
) -> list[Life]:
    """Live through all of the periods but the last, and return the accounts as they are by then.

    What has come of it is in the folder, for a stack that goes on from there. ServiceError: the system has no library
    for clocks that are set, or a month's books did not agree with the gateway's.
    """
    if not library().exists():
        raise ServiceError(SERVICE, "libfaketime has no library for this system; `--months 1` does without")
    begins = datetime.combine(periods[0].starts_on, datetime.min.time(), UTC) - BEFORE
    async with contextlib.AsyncExitStack() as running:
        clock = running.enter_context(_clock_at(begins))
        stack = await running.enter_async_context(running_stack(StackOptions(data=data, ui=False, clock=clock)))
        tools = await running.enter_async_context(running_tools(stack))
        worker = await running.enter_async_context(_past_worker(stack))
        company = Company(tools, lives)
        await company.set_up()
        month = PastMonth(tools.client, PassingTime(tools.client, tools.database, clock), company, seed=seed)
        for number, period in enumerate(periods[:-1]):
            step(f"Living through {period}")
            certificate = await month.live(number, period)
            if certificate.open_discrepancies or worker.exit_code is not None:
                reason = f"{period}: {certificate.open_discrepancies} open discrepancies; the worker's log says why"
                raise ServiceError(SERVICE, reason, worker.command.log, what="went wrong")
    return company.lives


def periods_until(present: Period, months: int) -> list[Period]:
    """Return so many months, the last of which is the present."""
    back = present.starts_on.year * 12 + present.starts_on.month - months
    found = [Period.parse(f"{back // 12}-{back % 12 + 1:02d}")]
    while len(found) < months:
        found.append(found[-1].next())
    return found


@contextlib.contextmanager
def folder_of_the_past() -> Iterator[Path]:
    """Make a folder for what the past leaves behind; after an error it stays, for its logs."""
    parent = Path(tempfile.mkdtemp(prefix="duly-"))
    # The database server's own user passes through.
    parent.chmod(0o711)
    try:
        yield parent / "company"
    except ServiceError:
        raise
    except BaseException:
        shutil.rmtree(parent)
        raise
    shutil.rmtree(parent)


@contextlib.contextmanager
def _clock_at(moment: datetime) -> Iterator[ShownClock]:
    with tempfile.TemporaryDirectory(prefix="duly-clock-") as folder:
        Path(folder).chmod(0o755)
        clock = ShownClock(Path(folder) / "offset")
        clock.set((moment - datetime.now(UTC)).total_seconds())
        yield clock


@contextlib.asynccontextmanager
async def _past_worker(stack: Stack) -> AsyncIterator[Child]:
    argv, log = (sys.executable, "-m", "sandbox.past.worker"), stack.folder.log("worker-past")
    environment = {**stack.environment, **ENVIRONMENT}
    child = Child(Command("Worker of the past", argv, log, ROOT, environment, stop_seconds=STOP_SECONDS))
    try:
        yield child
    finally:
        await child.stop()
