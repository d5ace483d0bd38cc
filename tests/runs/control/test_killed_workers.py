"""Worker processes are killed again and again in the middle of a run: nobody is charged twice, nothing is lost."""

import asyncio
from itertools import cycle, islice
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.runs.process_run import RunRequest
from models.workflow_ids import WORKFLOW_QUEUE
from sandbox.stripe.control.client import CardOutcome
from settings import Settings
from tests.support.attempts import CHARGES, quiet_period_passes
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.crash_injection import killable_workers, reached
from tests.support.invariants import complaints
from workflows.runs.payment_run import PaymentRun

ACCOUNTS, OPENED_AT_ONCE = 150, 10
KILLED_AT = {20: "gateway", 70: "workflow", 120: "gateway"}

# The standard policy in seconds instead of days.
SHORT_TIMEOUTS = {
    "declined_after": ["PT0.5S", "PT0.5S", "PT0.5S"],
    "technical_after": ["PT0.5S", "PT0.5S", "PT0.5S"],
    "customer_deadline": "PT1S",
    "evidence_after": ["PT0.5S"],
    "review_after": "PT5S",
    "local_hour": None,
}


@pytest.fixture
def settings(settings: Settings, temporal_address: str) -> Settings:
    """Settings for worker processes on the development server."""
    changes = {"temporal_address": temporal_address, "gateway_rate": 60.0, "gateway_timeout_seconds": 2.0}
    return settings.model_copy(update=changes)


@pytest.fixture
async def crowd(merchant: Merchant) -> list[str]:
    """Accounts that all owe something; the card of every tenth is declined twice before it is accepted."""
    await merchant.run(
        "insert into duly.dunning_policies (id, version, document) values ('standard', 2, :document)",
        document=Jsonb(SHORT_TIMEOUTS),
    )
    answers = cycle([[declined("insufficient_funds")] * 2, *[[]] * 9])
    # Fewer than the pool has connections: the others would wait for one longer than it lets them.
    slots = asyncio.Semaphore(OPENED_AT_ONCE)

    async def opened(given: list[CardOutcome]) -> str:
        async with slots:
            return await merchant.account(owes_minor=2500, answers=given)

    return await asyncio.gather(*(opened(given) for given in islice(answers, ACCOUNTS)))


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_workers_killed_in_mid_run_charge_everybody_once(
    crowd: list[str], merchant: Merchant, settings: Settings, temporal_server: Client, database: Database,
    gateway: StripeGateway, owner_engine: AsyncEngine, tmp_path: Path,
) -> None:  # fmt: skip
    stripe_sandbox = merchant.sandbox
    stripe_sandbox.mixed_faults(0.15, seed=11, operation=CHARGES, delay_seconds=3)

    async with killable_workers(settings, tmp_path / "workers.log") as workers:
        run = await temporal_server.start_workflow(
            PaymentRun.run, RunRequest("monthly", PERIOD, not_due_yet=True), id=RUN, task_queue=WORKFLOW_QUEUE
        )
        for requests, role in KILLED_AT.items():
            await reached(lambda: stripe_sandbox.request_counts().get(CHARGES, 0), requests)
            await workers[role].kill_and_start()
        certificate = await asyncio.wait_for(run.result(), 180)
        await everything_collected(merchant, owner_engine)

    assert sum(total.members for total in certificate.totals) == len(crowd)
    assert await complaints(stripe_sandbox, database, gateway) == []
    assert {str(book.charges.count) for book in stripe_sandbox.movements(group_by=("duly_account",)).groups} == {"1"}
    assert await merchant.value("select sum(balance_minor) from duly.account_balances") == 0
    assert sum(stripe_sandbox.faults_injected().values()) > 10


async def everything_collected(merchant: Merchant, owner: AsyncEngine) -> None:
    """Wait until no receivable is open any more; quiet periods are over at once."""
    still_open = "select count(*) from duly.account_balances where balance_minor > 0"
    async with asyncio.timeout(240):
        while await merchant.value(still_open):
            await quiet_period_passes(owner)
            await asyncio.sleep(0.2)
