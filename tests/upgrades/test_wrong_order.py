"""Workers of a release that start before its migrate harm nothing: they wait, and no payment has an outcome of it."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from temporalio.client import WorkflowExecutionStatus

from sandbox.workers import running_worker
from tests.house.source import ROOT
from tests.ledger.books import plain_url
from tests.upgrades.deployed_release import DeployedRelease, deployed
from tests.upgrades.kept_release import releases
from tests.upgrades.months import bill, no_money_differs, start_payments, until_gateway_has_had

PERIOD = "2026-11"
CHARGES = "POST /v1/payment_intents"
# What the collecting path calls before the gateway and after it: an older database has the one or the other not yet.
NEW_FUNCTIONS = ("open_attempt", "record_outcome")


async def forget(duly: DeployedRelease, function: str) -> None:
    """Leave the database without a function, as before the release that brings it."""
    async with await psycopg.AsyncConnection.connect(
        plain_url(duly.postgres.owner_url()), autocommit=True
    ) as connection:
        cursor = await connection.execute(
            "select oid::regprocedure::text from pg_proc where pronamespace = 'duly'::regnamespace and proname = %s",
            [function],
        )
        [(signature,)] = await cursor.fetchall()
        await connection.execute(f"drop function {signature}".encode())
        await connection.execute("update duly.installation set functions_hash = 'of an older release'")


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("function", NEW_FUNCTIONS)
async def test_a_run_waits_for_a_function_that_is_not_there_yet_and_then_is_whole(
    function: str, tmp_path: Path
) -> None:
    async with deployed(releases()[-1], tmp_path) as duly:
        await duly.prepare(ROOT)
        async with running_worker(duly.stack, name="new", argv=duly.worker_of(ROOT)) as worker:
            await bill(duly, ROOT, PERIOD)
            await forget(duly, function)

            payments = await start_payments(duly, ROOT, PERIOD)
            if function == "record_outcome":
                await until_gateway_has_had(duly, CHARGES)
            await until_logged(worker.command.log, "SchemaMismatchError")
            assert (await payments.describe()).status is WorkflowExecutionStatus.RUNNING

            await duly.prepare(ROOT)
            async with asyncio.timeout(240):
                await payments.result()

        await no_money_differs(duly, [PERIOD])


async def until_logged(log: Path, words: str) -> None:
    """Wait until a worker has written something."""
    async with asyncio.timeout(90):
        while words not in await asyncio.to_thread(log.read_text):  # noqa: ASYNC110  # another process's file
            await asyncio.sleep(0.05)
