"""A deployed release is brought to this one while its workers go on; afterwards this release runs the next month."""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.database import Database, create_engine
from activities.gateway.stripe_gateway import StripeGateway
from migrations import run
from models.workflow_ids import payment_run_id
from sandbox.servers.postgres import DATABASE, PostgresServer
from sandbox.stripe.control.client import Fault, FaultKind
from sandbox.workers import running_worker
from tests.house.source import ROOT
from tests.support.invariants import complaints
from tests.upgrades.catalogue import catalogue, differences
from tests.upgrades.deployed_release import DeployedRelease, deployed
from tests.upgrades.kept_release import KeptRelease, releases
from tests.upgrades.postgres_tools import dump, restore

BILLING, PAYMENT = "plans", "monthly"
CHARGES = "POST /v1/payment_intents"
# The month that is under way while the schema changes, and the first whole month of this release.
DURING, AFTERWARDS = "2026-11", "2026-12"
# Of forty generated accounts, the fewest whose cards are always charged.
PAYING_ACCOUNTS = 30
# What a process logs when a function, table or column is not there, or not as it was.
SCHEMA_FAULTS = ("SchemaMismatchError", "UndefinedFunction", "UndefinedColumn", "UndefinedTable")


async def migrate_during_a_run(duly: DeployedRelease) -> None:
    """Bill and collect a month with the old release, and bring the database to this one before a payment is through."""
    await duly.command(duly.code, "billing", "start", BILLING, DURING, "--wait")
    with_gateway_busy = Fault(operation=CHARGES, kind=FaultKind.RATE_LIMIT)
    duly.control.add_fault(with_gateway_busy)
    await duly.command(duly.code, "runs", "start", PAYMENT, DURING)
    paid_by = duly.client.get_workflow_handle(payment_run_id(PAYMENT, DURING))
    async with asyncio.timeout(30):
        while not duly.control.faults_injected().get(FaultKind.RATE_LIMIT):  # noqa: ASYNC110  # another process's state
            await asyncio.sleep(0.05)

    await duly.command(ROOT, "migrate")

    assert (await paid_by.describe()).status is WorkflowExecutionStatus.RUNNING
    duly.control.clear_faults()
    async with asyncio.timeout(60):
        await paid_by.result()


async def paid(database: Database, period: str) -> int:
    """Count a month's payments that the gateway has made."""
    [row] = await database.rows(
        "select count(*) from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id"
        " where r.kind = 'payment' and r.period = :period and a.outcome = 'succeeded'",
        period=period,
    )
    return int(row[0])


async def no_money_differs(duly: DeployedRelease) -> None:
    """Both months are paid, each once, and gateway and ledger agree."""
    settings = duly.stack.settings
    key = settings.stripe_api_key.get_secret_value()
    gateway = StripeGateway(key, api_base=settings.stripe_api_base, timeout_seconds=20)
    database = Database(create_engine(settings.database_url, pool=2), timeout_seconds=30)
    try:
        assert await complaints(duly.control, database, gateway) == []
        assert min([await paid(database, DURING), await paid(database, AFTERWARDS)]) >= PAYING_ACCOUNTS
    finally:
        await gateway.close()
        await database.dispose()


async def differences_from_a_new_database(postgres: PostgresServer, folder: Path) -> list[str]:
    """Compare what the upgrade made with what migrate makes of an empty database.

    Both are dumped and restored before: PostgreSQL writes the brackets of a definition in another way afterwards.
    """
    await postgres.create_database("new")
    await asyncio.to_thread(run.migrate, postgres.owner_url("new"))
    found = []
    for name in (DATABASE, "new"):
        await dump(postgres, folder / f"{name}.sql", name)
        await postgres.create_database(f"{name}_restored")
        await restore(postgres, folder / f"{name}.sql", f"{name}_restored")
        found.append(catalogue(postgres.owner_url(f"{name}_restored")))
    return differences(*found)


@pytest.mark.parametrize("release", releases(), ids=lambda release: release.version)
async def test_a_release_is_upgraded_under_its_running_worker_and_the_next_month_is_run(
    release: KeptRelease, tmp_path: Path
) -> None:
    async with deployed(release, tmp_path) as duly:
        async with running_worker(duly.stack, name="old", argv=duly.worker_of(duly.code)) as old:
            await migrate_during_a_run(duly)
            written = old.command.log.read_text()
        assert not [fault for fault in SCHEMA_FAULTS if fault in written]

        async with running_worker(duly.stack, name="new", argv=duly.worker_of(ROOT)):
            await duly.command(ROOT, "billing", "start", BILLING, AFTERWARDS, "--not-due-yet", "--wait")
            await duly.command(ROOT, "runs", "start", PAYMENT, AFTERWARDS, "--not-due-yet", "--wait")

        await no_money_differs(duly)
        assert await differences_from_a_new_database(duly.postgres, tmp_path) == []
