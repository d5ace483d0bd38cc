"""A receivable that waits for a bank: its run ends without it, and what the bank says days later updates the books."""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.database import Database
from models.collections.collection import Stage
from models.runs.process_run import ItemOutcome
from settings import Settings
from tests.bank.debits.direct_debits import BY, DirectDebits, credited
from tests.supervision.crashes.crashing_activities import CrashingActivities, Death
from tests.support.attempts import broken_invariants
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly
from worker import debit_worker


@pytest.fixture
async def debits(merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path) -> DirectDebits:
    """A company that collects by bank debit."""
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    return debits


async def test_a_run_ends_with_its_debits_pending_and_the_statement_settles_them(
    debits: DirectDebits, duly: RunningDuly, database: Database, settings: Settings
) -> None:
    account = await debits.payer("c1")
    await debits.cli.json("cards", "prefer", account, "--method", "direct_debit", *BY)
    of_provider = settings.model_copy(update={"provider": "sepa"})

    async with debit_worker(duly.client, database, of_provider):
        certificate = await duly.run("debits")
        exported = await debits.export()
        await debits.statement(credited(exported["debits"][0]["id"], "25.00"))
        collected = await duly.collected(account)

    assert [(one.outcome, one.reason, one.members) for one in certificate.totals] == [
        (ItemOutcome.PENDING, "processing", 1)
    ]
    assert collected.stage is Stage.SETTLED
    assert await debits.merchant.balance(account) == 0
    assert await broken_invariants(debits.merchant) == []


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("workflow", ["PaymentRunShard", "Collection"])
@pytest.mark.parametrize("death", Death)
async def test_a_worker_that_dies_while_it_asks_for_a_debit_asks_for_it_once(
    debits: DirectDebits, duly: RunningDuly, database: Database, settings: Settings, workflow: str, death: Death
) -> None:
    account = await debits.payer("c1")
    await debits.cli.json("cards", "prefer", account, "--method", "direct_debit", *BY)
    crashing = CrashingActivities()
    crashing.die_once(workflow, "collect", death)
    config = duly.client.config()
    config["interceptors"] = [*config["interceptors"], crashing]
    client = Client(**config)

    async with debit_worker(client, database, settings.model_copy(update={"provider": "sepa"})):
        await duly.run("debits")
        exported = await debits.export()
        await debits.statement(credited(exported["debits"][0]["id"], "25.00"))
        collected = await duly.collected(account)

    assert crashing.has_died
    assert (collected.stage, len(exported["debits"])) == (Stage.SETTLED, 1)
    assert await debits.merchant.value("select count(*) from duly.debits") == 1
    assert await debits.merchant.balance(account) == 0
    assert await broken_invariants(debits.merchant) == []


async def test_whoever_asks_for_the_debit_of_an_attempt_at_the_same_moment_gets_the_same(debits: DirectDebits) -> None:
    asked = await debits.collect(await debits.payer("c1"))
    [row] = await debits.merchant.run("select idempotency_key as key, collect_on as day from duly.debits")

    again = await asyncio.gather(
        *(debits.database.call("request_debit", idempotency_key=row.key, collect_on=row.day) for _ in range(3))
    )

    assert [one["id"] for one in again] == [asked.gateway_reference] * 3
    assert await debits.merchant.value("select count(*) from duly.debits") == 1
