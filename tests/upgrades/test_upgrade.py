"""A deployed release is brought to this one while its workers go on; afterwards this release runs the next month."""

import asyncio
import re
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from temporalio.client import WorkflowExecutionStatus

from migrations import run
from sandbox.servers.postgres import DATABASE, PostgresServer
from sandbox.stripe.control.client import Fault, FaultKind
from sandbox.workers import running_worker
from tests.house.source import ROOT
from tests.ledger.books import plain_url
from tests.upgrades.catalogue import catalogue, differences
from tests.upgrades.deployed_release import DeployedRelease, deployed
from tests.upgrades.kept_release import KeptRelease, releases
from tests.upgrades.months import bill, no_money_differs, start_payments, until_gateway_has_had
from tests.upgrades.postgres_tools import dump, restore

CHARGES = "POST /v1/payment_intents"
# The month that is under way while the schema changes, and the first whole month of this release.
DURING, AFTERWARDS = "2026-11", "2026-12"
# What a process logs when a function, table or column is not there, or not as it was.
SCHEMA_FAULTS = ("SchemaMismatchError", "UndefinedFunction", "UndefinedColumn", "UndefinedTable")
ACTIVITY = re.compile(r'"(?:workflow_id|activity_id)": "([^"]+)"')


def refused_again(written: str) -> dict[str, int]:
    """Count the refusals of each activity that the schema refused twice or more; a line without an activity counts too.

    A call that is under way at the commit is refused once: its body goes on with functions that are gone by then (see
    test_calls_under_way). Whatever is called afterwards must be there.
    """
    faulty = [line for line in written.splitlines() if any(fault in line for fault in SCHEMA_FAULTS)]
    calls = Counter(" ".join(ACTIVITY.findall(line)) for line in faulty)
    return {call: times for call, times in calls.items() if times > 1 or not call}


async def migrate_during_a_run(duly: DeployedRelease) -> None:
    """Bill and collect a month with the old release, and bring the database to this one before a payment is through."""
    await bill(duly, duly.code, DURING)
    duly.control.add_fault(Fault(operation=CHARGES, kind=FaultKind.RATE_LIMIT))
    payments = await start_payments(duly, duly.code, DURING)
    await until_gateway_has_had(duly, CHARGES)

    # Here and not by the command: the old release hands a payment that is refused for 20 s over, and the run is done.
    await asyncio.to_thread(run.migrate, duly.postgres.owner_url())

    assert (await payments.describe()).status is WorkflowExecutionStatus.RUNNING
    duly.control.clear_faults()
    async with asyncio.timeout(180):
        await payments.result()


def changed_by_hand(url: str) -> list[str]:
    """Name the functions, views and triggers that are not as migrate has left them."""
    with psycopg.connect(plain_url(url)) as connection:
        return [str(name) for (name,) in connection.execute("select object from duly.changed_objects()")]


async def differences_from_a_new_database(postgres: PostgresServer, folder: Path) -> list[str]:
    """Compare what the upgrade made with what migrate makes of an empty database, and each with what was kept of it.

    Both are dumped and restored before: PostgreSQL writes the brackets of a definition in another way afterwards.
    """
    await postgres.create_database("new")
    await asyncio.to_thread(run.migrate, postgres.owner_url("new"))
    found, changed = [], list[str]()
    for name in (DATABASE, "new"):
        await dump(postgres, folder / f"{name}.sql", name)
        await postgres.create_database(f"{name}_restored")
        await restore(postgres, folder / f"{name}.sql", f"{name}_restored")
        restored = postgres.owner_url(f"{name}_restored")
        found.append(catalogue(restored))
        changed += changed_by_hand(restored)
    return [*differences(*found), *changed]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("release", releases(), ids=lambda release: release.version)
async def test_a_release_is_upgraded_under_its_running_worker_and_the_next_month_is_run(
    release: KeptRelease, tmp_path: Path
) -> None:
    async with deployed(release, tmp_path) as duly:
        async with running_worker(duly.stack, name="old", argv=duly.worker_of(duly.code)) as old:
            await migrate_during_a_run(duly)
            written = old.command.log.read_text()
        assert refused_again(written) == {}

        await duly.prepare(ROOT)
        async with running_worker(duly.stack, name="new", argv=duly.worker_of(ROOT)):
            await bill(duly, ROOT, AFTERWARDS)
            payments = await start_payments(duly, ROOT, AFTERWARDS)
            async with asyncio.timeout(180):
                await payments.result()

        await no_money_differs(duly, (DURING, AFTERWARDS))
        assert await differences_from_a_new_database(duly.postgres, tmp_path) == []
