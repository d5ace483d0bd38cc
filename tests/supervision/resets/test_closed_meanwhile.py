"""Reset, in the UI, while the end of something is being written down: what commits after it is what counts."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy

from activities.database import Database
from models.bank.bank_refunds import BankRefundsRequest
from models.cards.card import CardRegistration, CardRequest
from models.collections.collection import CollectionResult
from models.workflow_ids import WORKFLOW_QUEUE, bank_refunds_id, card_id
from tests.refunds.bank_refund_scenario import MONTH
from tests.supervision.pressing import reset
from tests.supervision.scenario import Company
from tests.support.attempts import charged
from tests.support.run_control import until
from workflows.cards.card_lifecycle import CardLifecycle
from workflows.refunds.bank_refunds import BankRefunds

Handle = WorkflowHandle[Any, Any]
DEADLINE = (
    "update duly.dunning_policies"
    " set document = document || jsonb_build_object('customer_deadline', cast(:wait as text))"
)


class LateCommit:
    """A database whose first call of a function waits until somebody lets it go."""

    def __init__(self, database: Database, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrived, self._let_go = asyncio.Event(), asyncio.Event()
        call = database.call

        async def late(name: str, **arguments: Any) -> Any:
            if name == function and not self.arrived.is_set() and arguments.get("state", "") is not None:
                self.arrived.set()
                await self._let_go.wait()
            return await call(name, **arguments)

        monkeypatch.setattr(database, "call", late)

    def let_go(self) -> None:
        """Let it be committed."""
        self._let_go.set()


async def until_it_waits(handle: Handle) -> None:
    """Wait until an execution has begun a wait of its own."""

    async def waits() -> bool:
        started = [event async for event in handle.fetch_history_events()]
        return any(event.HasField("timer_started_event_attributes") for event in started)

    await until(waits)


async def test_a_collection_that_its_deadline_had_ended_ends_and_is_charged_by_nobody(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await company.merchant.account(f"acc-{company.period}", cards=[], owes_minor=2500)
    commit = LateCommit(company.database, "close_collection", monkeypatch)
    await company.merchant.run(DEADLINE, wait="PT1S")
    handle = await company.duly.start_collection(account, company.period)
    await commit.arrived.wait()
    await company.merchant.run(DEADLINE, wait="P14D")
    await reset(company.duly.client, handle.id)
    again = company.duly.collection(account, company.period)
    await until_it_waits(again)

    await company.merchant.card(account, "pm_card_visa")
    commit.let_go()
    ended: CollectionResult = await again.result()

    assert (ended.stage, ended.reason) == ("given_up", "customer_deadline_passed")
    assert charged(company.sandbox) == (0, 0)


async def card(company: Company) -> Handle:
    """A card that is looked after."""
    account = await company.merchant.account(f"acc-{company.period}", cards=[])
    id = f"card_{company.period}"
    registration = CardRegistration(id, account, "stripe", token=await company.merchant.fresh_token("pm_card_visa"))
    handle = await company.duly.client.start_workflow(
        CardLifecycle.run, CardRequest(id, "stripe", registration), id=card_id(id), task_queue=WORKFLOW_QUEUE
    )
    await handle.execute_update("first_outcome")
    return handle


async def month(company: Company) -> Handle:
    """A month of refunds by bank transfer that waits for its release."""
    account = await company.merchant.account(f"acc-{company.period}", cards=[])
    await company.merchant.run("select duly.create_payment('credit', :account, 700, 'EUR', 'cash')", account=account)
    handle = await company.duly.client.start_workflow(
        BankRefunds.run,
        BankRefundsRequest(MONTH),
        id=bank_refunds_id(MONTH),
        task_queue=WORKFLOW_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    await until_it_waits(handle)
    return handle


@pytest.mark.parametrize(
    ("opened", "order", "function"),
    [(card, "remove", "change_card"), (month, "release", "decide_bank_refunds")],
    ids=["card", "month"],
)
async def test_what_a_person_had_ended_ends_though_the_reset_leaves_out_their_order(
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    opened: Callable[[Company], Awaitable[Handle]],
    order: str,
    function: str,
) -> None:
    handle = await opened(company)
    commit = LateCommit(company.database, function, monkeypatch)
    ordered = asyncio.create_task(company.command(handle.id, order))
    await commit.arrived.wait()
    await reset(company.duly.client, handle.id, without_orders=True)
    again = company.duly.client.get_workflow_handle(handle.id)
    await until_it_waits(again)

    commit.let_go()

    with suppress(Exception):
        await ordered
    assert await again.result()
