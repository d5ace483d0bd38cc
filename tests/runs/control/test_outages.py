"""When the gateway is away or burns a key: collections wait for evidence, show it, and go on by themselves."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome, CollectResult
from sandbox.stripe.control.client import Answer, CardOutcome, Fault, FaultKind, SandboxControl
from tests.support.attempts import (
    CHARGES,
    LISTS,
    attempts,
    broken_invariants,
    charged,
    fault_charges,
    quiet_period_passes,
)
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FaultKind.STORED_500, [(1, "did_not_happen"), (2, "succeeded")]),
        (FaultKind.STORED_500_AFTER_EFFECT, [(1, "succeeded")]),
    ],
)
async def test_a_burnt_key_is_replaced_only_when_nothing_had_happened(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl,
    owner_engine: AsyncEngine, kind: FaultKind, expected: list[tuple[int, str | None]],
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, kind)

    await duly.run()
    if len(expected) > 1:
        await quiet_period_passes(owner_engine)
        await duly.collected(account)

    assert await attempts(merchant, account) == expected
    assert charged(stripe_sandbox) == (1, 2500)
    assert await merchant.balance(account) == 0


@pytest.mark.parametrize(
    "kind", [pytest.param(FaultKind.REQUEST_LOST, marks=pytest.mark.nightly), FaultKind.RESPONSE_LOST]
)
async def test_a_gateway_that_is_away_for_two_days_is_waited_for_and_charges_once(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    account = await merchant.account(owes_minor=2500)
    for operation in (CHARGES, LISTS):
        stripe_sandbox.add_fault(Fault(operation=operation, kind=kind))

    certificate = await duly.run()
    await duly.environment.sleep(timedelta(days=2))
    during = await duly.collection(account).query(Collection.status)
    stripe_sandbox.clear_faults()
    result = await duly.collected(account)

    assert [(total.outcome, total.members) for total in certificate.totals] == [("unknown", 1)]
    assert (during.stage, during.attempt, during.is_in_review) == (Stage.UNKNOWN, 1, True)
    assert (result.stage, result.attempts) == (Stage.SETTLED, 1)
    assert await attempts(merchant, account) == [(1, "succeeded")]
    assert charged(stripe_sandbox) == (1, 2500)
    assert await broken_invariants(merchant) == []


async def test_a_charge_whose_answer_was_lost_is_looked_for_before_its_key_is_sent_again(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.RESPONSE_LOST))

    certificate = await duly.run()

    assert [(total.outcome, total.members) for total in certificate.totals] == [("charged", 1)]
    assert stripe_sandbox.request_counts()[CHARGES] == 1
    assert await attempts(merchant, account) == [(1, "succeeded")]


@pytest.mark.nightly
async def test_a_burnt_key_whose_evidence_cannot_be_had_is_never_replaced(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.STORED_500_AFTER_EFFECT)
    stripe_sandbox.add_fault(Fault(operation=LISTS, kind=FaultKind.UNAVAILABLE_503))

    await duly.run()
    await duly.environment.sleep(timedelta(days=1))
    blind = await attempts(merchant, account)
    stripe_sandbox.clear_faults()
    await duly.collected(account)

    assert blind == [(1, "unknown")]
    assert await attempts(merchant, account) == [(1, "succeeded")]
    assert charged(stripe_sandbox) == (1, 2500)


async def test_a_slow_payment_is_settled_when_the_gateway_says_so_and_an_event_wakes_it(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    slowly = CardOutcome(answer=Answer.PROCESS, then=Answer.SUCCEED, after_seconds=86_400)
    account = await merchant.account(answers=[slowly], owes_minor=2500)
    handle = await duly.start_collection(account)
    first: CollectResult = await handle.execute_update("first_outcome", result_type=CollectResult)
    assert first.outcome == CollectOutcome.PROCESSING

    stripe_sandbox.advance(86_400)
    await handle.signal(Collection.gateway_event)
    result = await duly.collected(account)

    opened, closed = (await handle.describe()).start_time, (await handle.describe()).close_time
    assert (result.stage, result.attempts) == (Stage.SETTLED, 1)
    assert closed is not None
    assert closed - opened < timedelta(minutes=1)
