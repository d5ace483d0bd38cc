"""A service collects one receivable now: it starts the collection and gets the first outcome back in the same call."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from docs.examples.collect_now import collect_now as example
from models.collections.collection import CollectionRequest, CollectionResult, Stage
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.workflow_ids import WORKFLOW_QUEUE, collection_id
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.support.attempts import charged, never_answer
from tests.support.builders import PERIOD, Merchant, declined
from tests.support.run_control import duly_at
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection


async def collect_now(
    duly: RunningDuly, account: str, *, again: bool = False, invoices: tuple[str, ...] = ()
) -> CollectResult:
    """What a service calls."""
    start = WithStartWorkflowOperation[Collection, CollectionResult](
        Collection.run,
        CollectionRequest(account, PERIOD, invoices=invoices),
        id=collection_id(account, PERIOD),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        id_reuse_policy=(WorkflowIDReusePolicy.ALLOW_DUPLICATE if again else WorkflowIDReusePolicy.REJECT_DUPLICATE),
    )
    outcome: CollectResult = await duly.client.execute_update_with_start_workflow(
        "first_outcome", start_workflow_operation=start, result_type=CollectResult
    )
    return outcome


async def test_a_payment_that_succeeds_is_the_answer(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)

    outcome = await collect_now(duly, account)

    assert (outcome.outcome, outcome.attempt) == (CollectOutcome.SETTLED, 1)
    assert (outcome.amount_minor, outcome.currency) == (2500, "EUR")
    assert (await duly.collected(account)).stage == Stage.SETTLED
    assert await merchant.balance(account) == 0
    assert charged(stripe_sandbox) == (1, 2500)


async def test_a_decline_is_the_answer_and_the_collection_goes_on(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)

    outcome = await collect_now(duly, account)
    result = await duly.collected(account)

    assert (outcome.outcome, outcome.decline_code) == (CollectOutcome.DECLINED, "insufficient_funds")
    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)


async def test_without_an_answer_the_service_is_told_that_nobody_knows(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    never_answer(stripe_sandbox, tries=3)

    outcome = await collect_now(duly, account)
    result = await duly.collected(account)

    assert (outcome.outcome, outcome.attempt) == (CollectOutcome.UNKNOWN, 1)
    assert (result.stage, result.attempts) == (Stage.SETTLED, 1)
    assert charged(stripe_sandbox) == (1, 2500)


async def test_only_the_invoices_that_are_named_are_collected(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=2500)
    one = await merchant.invoice(account, 700)

    outcome = await collect_now(duly, account, invoices=(one,))

    assert (outcome.outcome, outcome.amount_minor) == (CollectOutcome.SETTLED, 700)
    assert await merchant.balance(account) == 2500


async def test_an_account_that_owes_nothing_is_not_charged(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account()

    outcome = await collect_now(duly, account)

    assert outcome.outcome == CollectOutcome.NOTHING_OWED


async def test_what_was_collected_already_is_refused_and_it_says_so(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    await collect_now(duly, account)
    await duly.collected(account)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await collect_now(duly, account, again=True)
    with pytest.raises(WorkflowFailureError):
        await duly.collection(account).result()

    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "one_owner"
    assert refused.value.cause.message == f"{PERIOD} of {account} was collected already"
    assert charged(stripe_sandbox) == (1, 2500)


class TestOnTheDevelopmentServer:
    """The time-skipping server refuses a taken id in words of its own."""

    @pytest.fixture
    async def duly(
        self, temporal_server: Client, database: Database, gateway: StripeGateway, settings: Settings
    ) -> AsyncIterator[RunningDuly]:
        async with duly_at(WorkflowEnvironment.from_client(temporal_server), database, gateway, settings) as running:
            yield running

    async def test_a_collection_that_was_started_before_is_refused_by_its_id(
        self, duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
    ) -> None:
        account = await merchant.account(f"acc_{uuid4().hex}", owes_minor=2500)
        await collect_now(duly, account)
        await duly.collection(account).result()

        with pytest.raises(WorkflowAlreadyStartedError):
            await collect_now(duly, account)

        assert charged(stripe_sandbox) == (1, 2500)

    async def test_a_collection_that_is_under_way_is_refused_by_its_id(
        self, duly: RunningDuly, merchant: Merchant
    ) -> None:
        account = await merchant.account(f"acc_{uuid4().hex}", answers=[declined("do_not_honor")], owes_minor=2500)
        await collect_now(duly, account)

        with pytest.raises(WorkflowAlreadyStartedError):
            await collect_now(duly, account)

        await duly.collection(account).terminate("the test is over")

    async def test_a_service_that_got_no_answer_asks_again_and_gets_the_same_one(
        self, duly: RunningDuly, merchant: Merchant
    ) -> None:
        account = await merchant.account(f"acc_{uuid4().hex}", answers=[declined("do_not_honor")], owes_minor=2500)

        first = await example(duly.client, account, PERIOD)
        again = await example(duly.client, account, PERIOD)
        await duly.collection(account).terminate("the test is over")

        assert first.outcome is CollectOutcome.DECLINED
        assert again == first
        assert await merchant.value("select count(*) from duly.gateway_attempts") == 1
