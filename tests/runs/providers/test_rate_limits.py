"""A gateway that refuses calls as too many (429): nothing has happened by them, and in the end everybody pays once."""

import pytest

from models.collections.collection import Stage
from models.runs.process_run import ItemOutcome
from models.runs.run_control import RunStage
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.support.attempts import CHARGES, broken_invariants, charged
from tests.support.builders import Merchant
from tests.support.run_control import owing, reached, shape
from tests.support.running_duly import RunningDuly
from workflows.runs.payment_run import PaymentRun

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize("others", [(), (FaultKind.REQUEST_LOST,)], ids=["alone", "and lost"])
async def test_who_was_refused_as_one_too_many_is_charged_once_when_the_gateway_takes_calls_again(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, others: tuple[FaultKind, ...]
) -> None:
    await owing(merchant, 20)
    await shape(merchant, window=6)
    for kind in others:
        stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=kind, probability=0.3))
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.RATE_LIMIT))
    run = await duly.start_run()
    async with duly.environment.time_skipping_unlocked():  # type: ignore[attr-defined]
        await reached(run, RunStage.HELD)
    taken_while_held = charged(stripe_sandbox)[0]

    # It is back, and refuses every third call still.
    stripe_sandbox.clear_faults()
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.RATE_LIMIT, probability=0.3))
    await run.result()
    totals = await run.query(PaymentRun.totals)
    stripe_sandbox.clear_faults()
    stages = [
        (await duly.collected(row.account_id)).stage
        for row in await merchant.run("select account_id from duly.collections order by 1")
    ]

    assert taken_while_held == 0
    assert sum(totals.values()) == 20
    assert totals[ItemOutcome.UNKNOWN] == len(stages)
    assert set(stages) <= {Stage.SETTLED}
    assert charged(stripe_sandbox) == (20, 20_000)
    assert await merchant.value("select sum(balance_minor) from duly.account_balances") == 0
    assert await broken_invariants(merchant) == []
