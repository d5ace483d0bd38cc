"""The demo: a month of recurring payments on an embedded stack, from the first invoice to the proof that it adds up."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client

from activities.database import Database, create_engine
from activities.gateway.stripe_gateway import StripeGateway
from models.period import Period
from models.workflow_ids import billing_run_id, payment_run_id
from sandbox.customers.gateway_customers import GatewayCustomers, stripe_client
from sandbox.customers.generation import generate
from sandbox.customers.load import load
from sandbox.customers.merchant import BILLING_DEFINITION, PAYMENT_DEFINITION, PROVIDER, configure
from sandbox.demo.cycle import links_of, run_cycle
from sandbox.demo.day_end import book_movements
from sandbox.demo.display import DemoDisplay
from sandbox.demo.outcomes import Cycle, Outcomes
from sandbox.demo.report import Auditor, DemoReport, report_of
from sandbox.demo.returns import give_back
from sandbox.environment import given
from sandbox.servers.processes import ServiceError, together
from sandbox.servers.temporal import client_of
from sandbox.stack import Stack, StackOptions, running_stack
from sandbox.stripe.control.client import SandboxControl
from sandbox.up import environment_file
from sandbox.workers import running_worker

SERVICE = "The demo"
ROLES = ("workflow", "gateway")
GATEWAY_TIMEOUT_SECONDS = 2.0
# Longer than the client waits and its first repeat takes: a slow answer comes when it has already been asked for again.
SLOW_SECONDS = GATEWAY_TIMEOUT_SECONDS + 4.0

# The sandbox has no rate limit here, so the provider's queue needs none either.
WORKER_ENVIRONMENT = {
    "DULY_GATEWAY_RATE": "2000",
    "DULY_GATEWAY_TIMEOUT_SECONDS": str(GATEWAY_TIMEOUT_SECONDS),
    "DULY_LOG_FORMAT": "json",
}


@dataclass(frozen=True)
class DemoOptions:
    """What to show. `faults` is the share of Stripe calls that go wrong; `keep` waits for Ctrl-C in the end."""

    accounts: int = 200
    seed: int = 7
    faults: float = 0.0
    keep: bool = False
    as_json: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be shown, naming the option."""
        if self.accounts < 1:
            raise ValueError("accounts: must be at least 1")
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
            with environment_file(demo.stack) as environment:
                display.kept(environment)
                await _until_interrupted()
        return demo.report


@contextlib.asynccontextmanager
async def running_demo(options: DemoOptions, display: DemoDisplay) -> AsyncIterator[Demo]:
    """Run the demo and keep its stack and workers up for as long as the context lasts."""
    if given("stripe_api_base"):
        raise ServiceError(
            SERVICE, "it scripts how cards answer, which only its own sandbox can: unset STRIPE_API_BASE"
        )
    began_at, began = datetime.now(UTC), time.monotonic()
    display.step("Starting PostgreSQL, Temporal, the Stripe sandbox and a mail catcher")
    async with running_stack(StackOptions()) as stack, contextlib.AsyncExitStack() as running:
        tools = await running.enter_async_context(_tools(stack, display))
        workers = (running.enter_async_context(running_worker(_for_workers(stack), role)) for role in ROLES)
        await together(tools.load(options), *workers)
        cycle = _cycle(Period.at(began_at, "UTC"))
        outcomes = Outcomes(tools.database, cycle)
        calls = tools.calls()
        async with tools.faults(options):
            await run_cycle(tools.client, cycle, outcomes, display)
        calls = tools.calls() - calls
        display.step("Giving money back: rewards, a refund that its bank sends back, a dispute")
        returns = await give_back(tools.client, tools.database, tools.control)
        display.step("Reading what the gateway books later, and comparing the ledger with it")
        await book_movements(tools.client, tools.database, PROVIDER)
        report = await report_of(
            outcomes,
            tools.auditor,
            await tools.auditor.prove(PROVIDER, began_at),
            seed=options.seed,
            period=cycle.period,
            gateway_requests=calls,
            faults={str(kind): count for kind, count in sorted(tools.control.faults_injected().items())},
            returns=returns,
            links=await links_of(tools.client, cycle, outcomes, stack.settings.temporal_ui_url),
            seconds=round(time.monotonic() - began, 1),
        )
        yield Demo(report, stack, tools.client, cycle)


@dataclass(frozen=True)
class Tools:
    """Connections to every service of the stack."""

    client: Client
    database: Database
    control: SandboxControl
    customers: GatewayCustomers
    auditor: Auditor
    display: DemoDisplay
    folder: Path

    async def load(self, options: DemoOptions) -> None:
        """Set up the merchant and its customers."""
        self.display.step(f"Making {options.accounts} customers and saving their cards")
        await configure(self.database)
        await load(generate(options.accounts, options.seed), self.customers, self.database, self.folder)

    def calls(self) -> int:
        """Count the calls that the gateway has had so far."""
        return sum(self.control.request_counts().values())

    @contextlib.asynccontextmanager
    async def faults(self, options: DemoOptions) -> AsyncIterator[None]:
        """Let calls go wrong meanwhile; afterwards wait until the slowest of them has had its effect."""
        if not options.faults:
            yield
            return
        self.control.mixed_faults(options.faults, seed=options.seed, delay_seconds=SLOW_SECONDS)
        try:
            yield
        finally:
            self.control.clear_faults()
        await asyncio.sleep(SLOW_SECONDS)


@contextlib.asynccontextmanager
async def _tools(stack: Stack, display: DemoDisplay) -> AsyncIterator[Tools]:
    settings = stack.settings
    async with contextlib.AsyncExitStack() as running:
        control = running.enter_context(SandboxControl(stack.control))
        stripe = await running.enter_async_context(stripe_client(stack))
        gateway = StripeGateway(
            settings.stripe_api_key.get_secret_value(), api_base=settings.stripe_api_base, timeout_seconds=20
        )
        running.push_async_callback(gateway.close)
        database = Database(create_engine(settings.database_url, pool=2), timeout_seconds=60)
        running.push_async_callback(database.dispose)
        if (await database.rows("select exists (select from duly.accounts)"))[0][0]:
            raise ServiceError(
                SERVICE, "its database must be empty, and this one has accounts: unset DULY_DATABASE_URL"
            )
        yield Tools(
            client=await client_of(settings),
            database=database,
            control=control,
            customers=GatewayCustomers(stripe, control),
            auditor=Auditor(database, gateway, stripe, control),
            display=display,
            folder=stack.folder.path / "customers",
        )


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
