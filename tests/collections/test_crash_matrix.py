"""Die before and after every effect of an attempt: asked again, it is charged once and posted once."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product

import pytest
from aiolimiter import AsyncLimiter
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.gateway_request import CollectOutcome
from sandbox.stripe.control.client import CardOutcome, Fault, FaultKind, SandboxControl
from tests.support.attempts import CHARGES, request_for, until_answered
from tests.support.builders import Merchant, declined
from tests.support.crashes import Crash, CrashTrigger, KilledError, Moment, killable
from tests.support.invariants import complaints


@dataclass(frozen=True)
class Scenario:
    """What meets an attempt, the steps that it then takes, and what it has to come to."""

    name: str
    steps: tuple[str, ...]
    outcome: CollectOutcome
    answers: Sequence[CardOutcome] = ()
    fault: FaultKind | None = None


SCENARIOS = [
    Scenario("success", ("open_attempt", "charge", "record_outcome"), CollectOutcome.SETTLED),
    Scenario(
        "decline",
        ("open_attempt", "charge", "record_outcome"),
        CollectOutcome.DECLINED,
        answers=[declined("insufficient_funds")],
    ),
    Scenario(
        "lost response",
        ("open_attempt", "charge", "record_unanswered", "record_outcome"),
        CollectOutcome.SETTLED,
        fault=FaultKind.RESPONSE_LOST,
    ),
    Scenario(
        "lost request",
        ("open_attempt", "charge", "record_unanswered", "record_outcome"),
        CollectOutcome.SETTLED,
        fault=FaultKind.REQUEST_LOST,
    ),
    Scenario(
        "burnt key after the effect",
        ("open_attempt", "charge", "record_unanswered", "find_charge", "record_outcome"),
        CollectOutcome.SETTLED,
        fault=FaultKind.STORED_500_AFTER_EFFECT,
    ),
    Scenario(
        "burnt key before any effect",
        ("open_attempt", "charge", "record_unanswered", "find_charge", "record_outcome"),
        CollectOutcome.DID_NOT_HAPPEN,
        fault=FaultKind.STORED_500,
    ),
]


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_killed_anywhere_an_attempt_is_charged_once_and_posted_once(
    merchant: Merchant, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl,
    owner_engine: AsyncEngine, scenario: Scenario,
) -> None:  # fmt: skip
    crashes = [Crash(step, moment) for step, moment in product(scenario.steps, Moment)]
    healthy = CollectActivities(database, gateway, Clocks(database, gateway), AsyncLimiter(1000, 1))
    outcomes, balances = {}, {}

    for crash in crashes:
        account = await prepare(merchant, scenario)
        await die(crash, account, database, gateway, owner_engine)
        result = await until_answered(healthy, request_for(account), owner=owner_engine)
        outcomes[str(crash)], balances[str(crash)] = result.outcome, await merchant.balance(account)

    owed = 0 if scenario.outcome is CollectOutcome.SETTLED else 2500
    assert outcomes == dict.fromkeys(map(str, crashes), scenario.outcome)
    assert balances == dict.fromkeys(map(str, crashes), owed)
    assert await complaints(stripe_sandbox, database, gateway) == []
    assert await posted(merchant) == (len(crashes) if owed == 0 else 0)


async def test_a_call_that_is_cancelled_in_flight_is_charged_once(
    merchant: Merchant, collecting: CollectActivities, database: Database, gateway: StripeGateway,
    stripe_sandbox: SandboxControl,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    slow = Fault(operation=CHARGES, kind=FaultKind.SLOW_ANSWER, calls=(1,), delay_seconds=0.5)
    stripe_sandbox.add_fault(slow)
    attempt = asyncio.create_task(collecting.collect(request_for(account)))
    await arrived(stripe_sandbox)

    attempt.cancel()
    with suppress(asyncio.CancelledError):
        await attempt
    result = await until_answered(collecting, request_for(account))

    assert result.outcome == CollectOutcome.SETTLED
    assert await complaints(stripe_sandbox, database, gateway) == []
    assert await posted(merchant) == 1


async def prepare(merchant: Merchant, scenario: Scenario) -> str:
    account = await merchant.account(answers=scenario.answers, owes_minor=2500)
    if scenario.fault:
        hers = {"duly_account": account}
        merchant.sandbox.add_fault(Fault(operation=CHARGES, kind=scenario.fault, metadata=hers, times=1))
    return account


async def die(crash: Crash, account: str, database: Database, gateway: StripeGateway, owner: AsyncEngine) -> None:
    """Ask for the attempt as often as it takes to die at the point."""
    trigger = CrashTrigger(crash)
    collecting = CollectActivities(*killable(database, gateway, trigger), AsyncLimiter(1000, 1))
    with pytest.raises(KilledError):
        await until_answered(collecting, request_for(account), owner=owner)


async def posted(merchant: Merchant) -> int:
    """How many payments the ledger has posted."""
    payments = "select count(*) from duly.financial_transactions where classification = 'payment'"
    return int(await merchant.value(f"{payments} and posted_at is not null"))


async def arrived(sandbox: SandboxControl) -> None:
    """Let the event loop run until the gateway has been asked for a charge."""
    async with asyncio.timeout(60):
        while not sandbox.request_counts().get(CHARGES):  # noqa: ASYNC110 - it happens in another thread
            await asyncio.sleep(0)
