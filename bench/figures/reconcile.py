"""A day of many movements reconciled: how long it takes, its history, and what the workers hold meanwhile."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

import aiohttp
from psycopg.types.json import Jsonb
from sqlalchemy import text

from activities.database import Database, create_engine
from bench import process_costs
from bench.machine import Machine, this_machine
from bench.rates import first_and_last_tenth
from models.reconciliation.reconciliation import ReconciliationCertificate, ReconciliationRequest
from models.workflow_ids import WORKFLOW_QUEUE, reconciliation_id
from sandbox.customers.gateway_customers import stripe_client
from sandbox.customers.merchant import configure
from sandbox.servers.temporal import client_of
from sandbox.stack import Stack, StackOptions, running_stack
from sandbox.stripe.money import charge_fee
from sandbox.workers import running_worker
from workflows.reconciliation.reconciliation import Reconciliation

TARGET_SECONDS = 300.0
TARGET_EVENTS = 200
TARGET_GROWTH = 0.15
SAMPLE_SECONDS = 1.0

AMOUNT_MINOR = 1999
CONNECTIONS = 16
CUSTOMERS = 500
# Charges of a customer whom nobody here knows: exactly these must be found.
FOREIGN = 3
BOOKED_AT_ONCE = 500

_OPEN = "select duly.open_account(a, 'EUR', 'Ada Lovelace') from unnest(cast(:accounts as text[])) a"
_CUSTOMERS = """
    insert into duly.gateway_customers (provider_id, account_id, customer_reference)
    select 'stripe', a, c from unnest(cast(:accounts as text[]), cast(:customers as text[])) u (a, c)"""
_BOOK = """
    select count(duly.adopt_payment('stripe', r.customer, '', r.payment, r.charge, :amount, 'EUR', :fee,
        '{"method": "card"}'))
    from jsonb_to_recordset(:rows) r (customer text, payment text, charge text)"""


@dataclass(frozen=True)
class WorkerMemory:
    """Resident memory of a worker, in MiB: the medians of the first and of the last tenth of the time."""

    part: str
    first_mib: float
    last_mib: float

    @property
    def growth(self) -> float:
        """The last tenth over the first, as a share."""
        return round(self.last_mib / self.first_mib - 1, 3)


@dataclass(frozen=True)
class ReconciledDay:
    """One day, reconciled from nothing, and once more when all of it was known."""

    machine: Machine
    movements: int
    seconds: float
    again_seconds: float
    events: int
    matched: int
    found: int
    foreign: int
    memory: tuple[WorkerMemory, ...]
    foreign_cores: float


async def measure_reconcile(*, movements: int) -> ReconciledDay:
    """Charge at the sandbox, book all but a few, and reconcile the day."""
    async with running_stack(StackOptions(ui=False)) as stack, contextlib.AsyncExitStack() as running:
        database = Database(create_engine(stack.settings.database_url, pool=4), timeout_seconds=600)
        running.push_async_callback(database.dispose)
        await configure(database)
        customers = await _customers(stack, database)
        stranger = customers.pop()
        charges = await _charge(stack, customers, stranger, movements)
        await _book(stack, [one for one in charges if one["customer"] != stranger])
        quiet = replace(stack, environment={**stack.environment, "DULY_SMTP_URL": "", "DULY_LOG_LEVEL": "WARNING"})
        for role in ("workflow", "gateway"):
            await running.enter_async_context(running_worker(quiet, role))
        before = process_costs.read()
        async with _sampled_memory() as samples:
            certificate, seconds, events = await _reconcile(stack)
        foreign_cores = process_costs.cost(before, process_costs.read()).foreign_cores
        _, again_seconds, _ = await _reconcile(stack)
        return ReconciledDay(
            machine=await this_machine(database),
            movements=movements,
            seconds=seconds,
            again_seconds=again_seconds,
            events=events,
            matched=sum(total.movements for total in certificate.totals if total.state == "matched"),
            found=certificate.open_discrepancies,
            foreign=FOREIGN,
            memory=tuple(_memory(part, samples) for part in process_costs.WORKERS),
            foreign_cores=foreign_cores,
        )


async def _customers(stack: Stack, database: Database) -> list[str]:
    """Open accounts whose customers have a card at the gateway; the last customer is nobody's."""
    async with stripe_client(stack) as client:
        customers = [(await client.v1.customers.create_async({})).id for _ in range(CUSTOMERS + 1)]
    accounts = [f"acc_{number:06d}" for number in range(CUSTOMERS)]
    await database.rows(_OPEN, accounts=accounts)
    async with database.transaction() as connection:
        await connection.execute(text(_CUSTOMERS), {"accounts": accounts, "customers": customers[:-1]})
    return customers


async def _charge(stack: Stack, customers: Sequence[str], stranger: str, count: int) -> list[dict[str, str]]:
    """Charge as often as there are to be movements, over a few connections."""
    payers = [stranger] * FOREIGN + [customers[number % len(customers)] for number in range(count - FOREIGN)]
    waiting = iter(payers)
    made: list[dict[str, str]] = []
    key = stack.settings.stripe_api_key.get_secret_value()
    async with aiohttp.ClientSession(stack.settings.stripe_api_base, auth=aiohttp.BasicAuth(key)) as session:
        await asyncio.gather(*(_charge_each(session, waiting, made) for _ in range(CONNECTIONS)))
    return made


async def _charge_each(session: aiohttp.ClientSession, payers: Iterator[str], made: list[dict[str, str]]) -> None:
    for customer in payers:
        asked = {
            "amount": str(AMOUNT_MINOR),
            "currency": "eur",
            "customer": customer,
            "payment_method": "pm_card_visa",
            "confirm": "true",
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never",
        }
        async with session.post("/v1/payment_intents", data=asked) as answer:
            intent = await answer.json()
        made.append({"customer": customer, "payment": intent["id"], "charge": intent["latest_charge"]})


async def _book(stack: Stack, charges: Sequence[dict[str, str]]) -> None:
    """Book charges as the product books what it finds, many in a commit."""
    owner = create_engine(stack.settings.migration_database_url, pool=1, timeout_seconds=600)
    fee = charge_fee(AMOUNT_MINOR, "eur")
    async with owner.connect() as connection:
        left = iter(charges)
        while part := list(islice(left, BOOKED_AT_ONCE)):
            await connection.execute(text(_BOOK), {"rows": Jsonb(part), "amount": AMOUNT_MINOR, "fee": fee})
        await connection.execute(text("vacuum analyze"))
    await owner.dispose()


async def _reconcile(stack: Stack) -> tuple[ReconciliationCertificate, float, int]:
    """Reconcile today; return the certificate, the seconds it took, and the events of the workflow's history."""
    client = await client_of(stack.settings)
    day = datetime.now(UTC).date()
    began = time.perf_counter()
    handle = await client.start_workflow(
        Reconciliation.run,
        ReconciliationRequest("stripe", day, young_minutes=0),
        id=reconciliation_id("stripe", f"{day}"),
        task_queue=WORKFLOW_QUEUE,
    )
    certificate = await handle.result()
    seconds = round(time.perf_counter() - began, 1)
    return certificate, seconds, (await handle.describe()).history_length


@contextlib.asynccontextmanager
async def _sampled_memory() -> AsyncIterator[list[dict[str, float]]]:
    samples: list[dict[str, float]] = []
    sampling = asyncio.create_task(_sample(samples))
    try:
        yield samples
    finally:
        sampling.cancel()


async def _sample(samples: list[dict[str, float]]) -> None:
    while True:
        samples.append(process_costs.resident_mib())
        await asyncio.sleep(SAMPLE_SECONDS)


def _memory(part: str, samples: list[dict[str, float]]) -> WorkerMemory:
    held = [sample[part] for sample in samples]
    first, last = first_and_last_tenth(held) if len(held) >= 10 else (held[0], held[-1])
    return WorkerMemory(part, round(first, 1), round(last, 1))
