"""The demo: a month of recurring payments on an embedded stack, from the first invoice to the proof that it adds up."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client

from models.period import Period
from models.workflow_ids import billing_run_id, payment_run_id
from sandbox.console import running_console
from sandbox.customers.generation import ONE_IN, generate
from sandbox.customers.load import load
from sandbox.customers.merchant import BILLING_DEFINITION, PAYMENT_DEFINITION, PROVIDER, WITH_SELLER, configure
from sandbox.demo.cycle import links_of, run_cycle
from sandbox.demo.day_end import book_movements
from sandbox.demo.display import DemoDisplay
from sandbox.demo.outcomes import Cycle, Outcomes
from sandbox.demo.report import DemoReport, report_of
from sandbox.demo.returns import give_back
from sandbox.demo.tools import GATEWAY_TIMEOUT_SECONDS, Tools, running_tools
from sandbox.environment import given
from sandbox.past.company import Company
from sandbox.past.lives import Life, lives_of
from sandbox.past.past import folder_of_the_past, live_through, periods_until
from sandbox.past.present import go_on, resume
from sandbox.portal import running_portal, with_portal
from sandbox.servers.processes import ServiceError, together
from sandbox.stack import Stack, StackOptions, running_stack
from sandbox.up import environment_file
from sandbox.workers import make_schedules, running_worker
from settings import environment_name

SERVICE = "The demo"
ROLES = ("workflow", "gateway")
MONTHS_MAX = 60

# The sandbox has no rate limit here, so the provider's queue needs none either.
WORKER_ENVIRONMENT = {
    "DULY_GATEWAY_RATE": "2000",
    "DULY_GATEWAY_TIMEOUT_SECONDS": str(GATEWAY_TIMEOUT_SECONDS),
    "DULY_LOG_FORMAT": "json",
}


@dataclass(frozen=True)
class DemoOptions:
    """What to show. `faults` is the share of Stripe calls that go wrong; `keep` waits for Ctrl-C in the end.

    Of more than one of the `months` all but the last are in the past: a company of so many accounts has lived through
    them, and `faults` are of the last. Of every `one_in` customers one has a problem.
    """

    accounts: int = 200
    months: int = 1
    seed: int = 7
    faults: float = 0.0
    one_in: int = ONE_IN
    keep: bool = False
    as_json: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be shown, naming the option."""
        if self.accounts < 1:
            raise ValueError("accounts: must be at least 1")
        if not 1 <= self.months <= MONTHS_MAX:
            raise ValueError(f"months: must be from 1 to {MONTHS_MAX}")
        if not 0 <= self.faults <= 0.9:
            raise ValueError("faults: must be from 0 to 0.9, the share of calls that go wrong")


@dataclass(frozen=True)
class Demo:
    """A demo that is over, while its stack still runs."""

    report: DemoReport
    stack: Stack
    client: Client
    cycle: Cycle


async def run_demo(options: DemoOptions) -> DemoReport:
    """Run the demo, show it on the terminal, and stop everything. ServiceError when a service does not start."""
    display = DemoDisplay(as_json=options.as_json)
    async with running_demo(options, display) as demo:
        display.summary(demo.report)
        if options.keep:
            await make_schedules(demo.stack)
            async with running_console(demo.stack) as console, running_portal(demo.stack):
                with environment_file(demo.stack) as environment:
                    display.kept(environment, console.describe(), demo.stack.settings.portal_url)
                    await _until_interrupted()
        return demo.report


@contextlib.asynccontextmanager
async def running_demo(options: DemoOptions, display: DemoDisplay) -> AsyncIterator[Demo]:
    """Run the demo and keep its stack and workers up for as long as the context lasts."""
    if given("stripe_api_base"):
        raise ServiceError(
            SERVICE, "it scripts how cards answer, which only its own sandbox can: unset STRIPE_API_BASE"
        )
    began = time.monotonic()
    present = Period.at(datetime.now(UTC), "UTC")
    periods = periods_until(present, options.months)
    began_at = (
        datetime.combine(periods[0].starts_on, datetime.min.time(), UTC) if options.months > 1 else datetime.now(UTC)
    )
    async with contextlib.AsyncExitStack() as running:
        data = running.enter_context(folder_of_the_past()) if options.months > 1 else None
        lives = await _past_of(data, periods, options, display)
        display.step("Starting PostgreSQL, Temporal, the Stripe sandbox and a mail catcher")
        stack = await running.enter_async_context(running_stack(StackOptions(data=data)))
        # Before the workers start: their letters lead there.
        stack = with_portal(stack) if options.keep else stack
        tools = await running.enter_async_context(running_tools(stack))
        workers = (running.enter_async_context(running_worker(_for_workers(stack), role)) for role in ROLES)
        await together(_open(tools, lives, periods, options, display), *workers)
        if lives:
            await resume(tools)
        cycle = _cycle(present)
        outcomes = Outcomes(tools.database, cycle)
        calls = tools.calls()
        async with tools.faults(options.faults, options.seed):
            await run_cycle(tools.client, cycle, outcomes, display)
        calls = tools.calls() - calls
        display.step("Giving money back: rewards, a refund that its bank sends back, a dispute")
        returns = await give_back(tools.client, tools.database, tools.control, cycle.period)
        display.step("Reading what the gateway books later, and comparing the ledger with it")
        await book_movements(tools.client, tools.database, PROVIDER)
        report = await report_of(
            outcomes,
            tools.auditor,
            await tools.auditor.prove(PROVIDER, began_at, charged_once="duly_request" if lives else "duly_account"),
            seed=options.seed,
            period=cycle.period,
            gateway_requests=calls,
            faults={str(kind): count for kind, count in sorted(tools.control.faults_injected().items())},
            returns=returns,
            months=await tools.auditor.months() if lives else (),
            links=await links_of(tools.client, cycle, outcomes, stack.settings.temporal_ui_url),
            seconds=round(time.monotonic() - began, 1),
        )
        yield Demo(report, stack, tools.client, cycle)


async def _past_of(
    data: Path | None, periods: Sequence[Period], options: DemoOptions, display: DemoDisplay
) -> list[Life]:
    """Live through the months before the present, if there are any, and return the company's accounts."""
    if data is None:
        return []
    for field in ("database_url", "temporal_address", "smtp_url"):
        if name := given(field):
            raise ServiceError(SERVICE, f"its past needs servers of its own: unset {environment_name(field)} ({name})")
    lives = lives_of(options.accounts, options.seed, periods)
    return await live_through(data, periods, lives, seed=options.seed, step=display.step)


async def _open(
    tools: Tools, lives: list[Life], periods: Sequence[Period], options: DemoOptions, display: DemoDisplay
) -> None:
    """Set up the merchant and its customers, or let the company go on into the present."""
    if lives:
        await go_on(Company(tools, lives), len(periods) - 1)
        return
    if (await tools.database.rows("select exists (select from duly.accounts)"))[0][0]:
        raise ServiceError(SERVICE, "its database must be empty, and this one has accounts: unset DULY_DATABASE_URL")
    display.step(f"Making {options.accounts} customers and saving their cards")
    await configure(tools.database, WITH_SELLER)
    await load(generate(options.accounts, options.seed, options.one_in), tools.customers, tools.database, tools.folder)


def _cycle(period: Period) -> Cycle:
    return Cycle(
        str(period), billing_run_id(BILLING_DEFINITION, str(period)), payment_run_id(PAYMENT_DEFINITION, str(period))
    )


def _for_workers(stack: Stack) -> Stack:
    return replace(stack, environment={**stack.environment, **WORKER_ENVIRONMENT})


async def _until_interrupted() -> None:
    """Wait for Ctrl-C or SIGTERM, which end the wait and not the demo: its report is still to be returned."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine that runs has a task
        task.uncancel()
