"""A running stack with customers who all pay: each figure is measured on one."""

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from temporalio.client import Client

from activities.database import Database, create_engine
from bench.instant import InstantCustomers
from models.runs.process_run import Certificate, RunRequest
from models.workflow_ids import WORKFLOW_QUEUE, billing_run_id, payment_run_id
from sandbox.customers.gateway_customers import GatewayCustomers, stripe_client
from sandbox.customers.generation import GeneratedAccount, generate
from sandbox.customers.load import CustomerSaver, load
from sandbox.customers.merchant import BILLING_DEFINITION, PAYMENT_DEFINITION, configure
from sandbox.servers.processes import ServiceError
from sandbox.servers.temporal import client_of
from sandbox.stack import Stack, StackOptions, running_stack
from sandbox.stripe.control.client import SandboxControl
from workflows.runs.billing_run import BillingRun
from workflows.runs.payment_run import PaymentRun

SEED = 7
# More customers than are wanted are drawn, since one in eight would not pay at once.
DRAWN_FOR_ONE = 2
# Freezing and certifying a large run is one call each.
DATABASE_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class Merchant:
    """A merchant on a running stack: what is measured, and the means to look at it."""

    stack: Stack
    client: Client
    database: Database
    control: SandboxControl

    def workers(self, *, rate: float) -> Stack:
        """Return the stack as workers see it that send so many gateway calls a second at most."""
        # Receipts go out after a run, which would be in the way of the next: nobody is told anything here.
        environment = {"DULY_GATEWAY_RATE": f"{rate:g}", "DULY_LOG_LEVEL": "WARNING", "DULY_SMTP_URL": ""}
        return replace(self.stack, environment={**self.stack.environment, **environment})

    async def bill(self, period: str) -> Certificate:
        """Post every customer's invoices of a period."""
        return await bill(self.client, period)

    async def collect(self, period: str) -> Certificate:
        """Collect a period from everyone, by the product's own payment run."""
        return await collect(self.client, period)


async def bill(client: Client, period: str) -> Certificate:
    """Run the billing of a period to its certificate."""
    return await client.execute_workflow(
        BillingRun.run,
        RunRequest(BILLING_DEFINITION, period, not_due_yet=True),
        id=billing_run_id(BILLING_DEFINITION, period),
        task_queue=WORKFLOW_QUEUE,
    )


async def collect(client: Client, period: str) -> Certificate:
    """Run the payments of a period to its certificate."""
    return await client.execute_workflow(
        PaymentRun.run,
        RunRequest(PAYMENT_DEFINITION, period, not_due_yet=True),
        id=payment_run_id(PAYMENT_DEFINITION, period),
        task_queue=WORKFLOW_QUEUE,
    )


@contextlib.asynccontextmanager
async def running_merchant(accounts: int, *, instant: bool = False) -> AsyncIterator[Merchant]:
    """Start a stack of our own and open so many accounts; `instant` saves their cards at the instant gateway."""
    async with empty_merchant() as merchant, stripe_client(merchant.stack) as stripe:
        customers: CustomerSaver = InstantCustomers() if instant else GatewayCustomers(stripe, merchant.control)
        await load(who_pay(accounts), customers, merchant.database, merchant.stack.folder.path / "customers")
        yield merchant


@contextlib.asynccontextmanager
async def empty_merchant(postgres_settings: Mapping[str, str] | None = None) -> AsyncIterator[Merchant]:
    """Start a stack of our own for a merchant that has no customers yet."""
    options = StackOptions(ui=False, postgres_settings=postgres_settings or {})
    async with running_stack(options) as stack, contextlib.AsyncExitStack() as running:
        if not stack.control:
            raise ServiceError("The bench", "it measures the whole stack on this machine: unset STRIPE_API_BASE")
        control = running.enter_context(SandboxControl(stack.control))
        database = Database(
            create_engine(stack.settings.database_url, pool=stack.settings.database_pool),
            timeout_seconds=DATABASE_TIMEOUT_SECONDS,
        )
        running.push_async_callback(database.dispose)
        await database.verify()
        await configure(database)
        yield Merchant(stack, await client_of(stack.settings), database, control)


def who_pay(accounts: int) -> Iterator[GeneratedAccount]:
    """Draw so many customers whose payments are the easy case."""
    drawn = generate(accounts * DRAWN_FOR_ONE, SEED)
    return islice((account for account in drawn if account.problem is None), accounts)
