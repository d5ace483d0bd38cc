"""A payment that takes long holds nobody: the window slides over pages, and goes with a shard that continues as new."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from models.gateway.charges import Charge, ChargeResult
from models.operator_command import OperatorCommand
from models.runs.process_run import ItemOutcome
from models.workflow_ids import shard_id
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.support.attempts import charged
from tests.support.builders import RUN, Merchant, declined
from tests.support.gateways import GatedGateway, WatchedGateway
from tests.support.invariants import complaints
from tests.support.run_control import (
    STARTED_CHILD,
    duly_at,
    happened,
    members,
    owing,
    page_after,
    send_update,
    shape,
    until,
)
from tests.support.running_duly import RunningDuly
from workflows.runs.payment_run import PaymentRun

SLOW, SLOW_AND_DECLINED = "acc_01", "acc_02"
SHARD = shard_id(RUN, 0)
WHO = OperatorCommand(actor="maria", reason="the bank called")


class SlowForTwo(GatedGateway):
    """Answers at once, but for two customers whose answers wait at the gate."""

    async def charge(self, charge: Charge) -> ChargeResult:
        if charge.account_id in {SLOW, SLOW_AND_DECLINED}:
            return await super().charge(charge)
        return await WatchedGateway.charge(self, charge)


@pytest.fixture
async def slow(stripe_sandbox: SandboxControl) -> AsyncIterator[SlowForTwo]:
    gateway = SlowForTwo(stripe_sandbox)
    yield gateway
    gateway.gate.set()
    await gateway.close()


@pytest.fixture
async def duly(
    time_skipping: WorkflowEnvironment, database: Database, slow: SlowForTwo, settings: Settings
) -> AsyncIterator[RunningDuly]:
    async with duly_at(time_skipping, database, slow, settings) as running:
        yield running
        slow.gate.set()


@pytest.mark.parametrize(
    "steered",
    [
        (),
        pytest.param((PaymentRun.pause, PaymentRun.resume), marks=pytest.mark.nightly),
        pytest.param((PaymentRun.abort,), marks=pytest.mark.nightly),
    ],
    ids=len,
)
async def test_payments_that_take_long_hold_nobody_and_are_carried_into_the_next_execution(
    duly: RunningDuly,
    merchant: Merchant,
    slow: SlowForTwo,
    stripe_sandbox: SandboxControl,
    database: Database,
    steered: tuple[Any, ...],
) -> None:
    accounts = await owing(merchant, 12)
    stripe_sandbox.script_card(await merchant.token(SLOW_AND_DECLINED), declined("insufficient_funds"))
    await shape(merchant, window=3, page=2)

    run = await duly.start_run()
    await happened(run, STARTED_CHILD)
    await page_after(duly, SHARD)

    async def everybody_else_was_asked() -> bool:
        return set(slow.asked) == set(accounts)

    await until(everybody_else_was_asked)
    for command in steered:
        await send_update(run, command, WHO)
    slow.gate.set()
    certificate = await run.result()

    assert members(certificate) == {ItemOutcome.CHARGED: 11, ItemOutcome.IN_DUNNING: 1}
    assert charged(stripe_sandbox) == (11, 11_000)
    assert await complaints(stripe_sandbox, database, slow) == []
