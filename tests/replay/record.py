"""Records the histories that `test_replay.py` replays. By hand, when a workflow changes on purpose:

    .venv/bin/pytest tests/replay/record.py tests/replay/record_returns.py tests/replay/record_faults.py \
        tests/replay/record_supplements.py

Look at the differences before committing them: each is something that running workflows will meet.
"""

import pytest
from temporalio.client import WithStartWorkflowOperation, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from models.cards.card import CardState
from models.collections.collection import CollectionRequest, CollectionResult, RetryCommand
from models.gateway.events import SweepRequest
from models.gateway.gateway_request import CollectResult
from models.gateway.movements import MovementsRequest
from models.operator_command import OperatorCommand
from models.runs.process_run import RunKind, ScheduledRunRequest
from models.supervision.supervision import SupervisionRequest
from models.workflow_ids import (
    REMINDERS,
    SUPERVISOR,
    WORKFLOW_QUEUE,
    billing_run_id,
    collection_id,
    mailing_id,
    movements_id,
    payment_run_id,
    reduction_id,
    sweep_id,
)
from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl
from tests.cards.test_registration import until_state
from tests.fixtures.cards import CardClient
from tests.replay.histories import keep
from tests.support.attempts import never_answer
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.run_control import shape
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection
from workflows.events.event_sweep import EventSweep
from workflows.gateway.movements import GatewayMovements
from workflows.messages.reminders import Reminders
from workflows.runs.scheduled_run import ScheduledRun
from workflows.supervision.supervisor import Supervisor

NO = declined("insufficient_funds")


def handle_of(duly: RunningDuly, workflow_id: str, run_id: str | None = None) -> WorkflowHandle[object, object]:
    return duly.client.get_workflow_handle(workflow_id, run_id=run_id)


async def test_billing_run(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.run("update duly.run_definitions set page_size = 2 where id = 'plans'")
    for currency in ("EUR", "EUR", "JPY"):
        account = await merchant.account(currency=currency, cards=[])
        await merchant.subscription(account, price_minor=1000)

    await duly.bill()

    await keep("billing_run-pages_and_a_parked_one", handle_of(duly, billing_run_id("plans", PERIOD)))


async def test_payment_run(duly: RunningDuly, merchant: Merchant) -> None:
    await shape(merchant, shards=2, window=2, page=2)
    for number in range(5):
        await merchant.account(owes_minor=1000, answers=[NO] if number == 1 else [])

    await duly.run()
    await duly.collected("acc_3")

    await handle_of(duly, mailing_id(RUN)).result()

    await keep("payment_run-two_shards", handle_of(duly, RUN))
    await keep("mailing-after_a_run", handle_of(duly, mailing_id(RUN)))


async def test_collection_settled_after_declines(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(answers=[NO, NO], owes_minor=2500)
    await duly.start_collection(account)

    await duly.collected(account)

    await keep("collection-settled_after_declines", duly.collection(account))


async def test_collection_given_up(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(answers=[NO], answers_for_ever=True, owes_minor=2500)
    await duly.start_collection(account)

    await duly.collected(account)

    await keep("collection-given_up", duly.collection(account))


async def test_collection_unknown(duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl) -> None:
    account = await merchant.account(owes_minor=2500)
    never_answer(stripe_sandbox, tries=4)
    await duly.start_collection(account)

    await duly.collected(account)

    await keep("collection-unknown_then_settled", duly.collection(account))


async def test_collection_woken_by_a_card(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(cards=[], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    await merchant.card(account, "pm_card_visa")
    await handle.signal(Collection.card_changed)

    await duly.collected(account)

    await keep("collection-woken_by_a_card", handle)


async def test_collection_retried_on_a_card_of_nobodys(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(answers=[NO], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome")
    await handle.execute_update("retry_now", RetryCommand("maria", "as agreed", "card_misspelt"))

    await duly.collected(account)

    await keep("collection-retried_on_a_card_of_nobodys", handle)


async def test_start_with_a_value_of_no_column(duly: RunningDuly, merchant: Merchant) -> None:
    award = {"award_id": "aw_1", "merchant_id": "ca\0fe", "account_id": "acc_1", "amount_minor": 100, "currency": "EUR"}
    handle = await duly.client.start_workflow(
        "BackEndReduction", {"award_id": "aw_1", "award": award}, id=reduction_id("aw_1"), task_queue=WORKFLOW_QUEUE
    )
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    await keep("back_end_reduction-refused_a_value", handle)


async def test_collection_of_nothing(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account()
    await duly.start_collection(account)

    await duly.collected(account)

    await keep("collection-nothing_owed", duly.collection(account))


async def test_collection_started_by_a_service(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(answers=[declined("stolen_card")], cards=["pm_card_visa"] * 2, owes_minor=2500)
    start = WithStartWorkflowOperation[Collection, CollectionResult](
        Collection.run,
        CollectionRequest(account, PERIOD),
        id=collection_id(account, PERIOD),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    await duly.client.execute_update_with_start_workflow(
        "first_outcome", start_workflow_operation=start, result_type=CollectResult
    )

    await duly.collected(account)

    await keep("collection-first_outcome_then_the_next_card", duly.collection(account))


async def test_collection_of_an_amount(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=12000)
    handle = await duly.client.start_workflow(
        Collection.run,
        CollectionRequest(account, f"{PERIOD}-part", amount_minor=5000, currency="EUR"),
        id=collection_id(account, f"{PERIOD}-part"),
        task_queue=WORKFLOW_QUEUE,
    )

    await handle.result()

    await keep("collection-of_an_amount", handle)


async def test_collection_of_somebody_elses(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(cards=[], owes_minor=2500)
    first = await duly.start_collection(account)
    await first.execute_update("first_outcome", result_type=CollectResult)
    await first.terminate("by mistake")

    second = await duly.start_collection(account)
    description = await second.describe()
    while description.close_time is None:
        description = await second.describe()

    await keep("collection-refused_a_second_owner", second)


async def test_scheduled_run(duly: RunningDuly, merchant: Merchant) -> None:
    for kind, definition in ((RunKind.BILLING, "plans"), (RunKind.PAYMENT, "monthly")):
        handle = await duly.client.start_workflow(
            ScheduledRun.run,
            ScheduledRunRequest(definition, kind, "Europe/Nicosia"),
            id=f"scheduled/{definition}",
            task_queue=WORKFLOW_QUEUE,
        )
        run_id = await handle.result()

        await handle_of(duly, run_id).result()

        assert run_id[: run_id.rindex("/")] in {billing_run_id("plans", "x")[:-2], payment_run_id("monthly", "x")[:-2]}
        await keep(f"scheduled_run-{kind}", handle)


async def test_event_sweep(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=2500)
    await duly.start_collection(account)
    await duly.collected(account)
    handle = await duly.client.start_workflow(
        EventSweep.run, SweepRequest("stripe"), id=sweep_id("stripe"), task_queue=WORKFLOW_QUEUE
    )

    await handle.result()

    await keep("event_sweep-of_a_payment", handle)


async def test_gateway_movements(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=2500)
    await duly.start_collection(account)
    await duly.collected(account)
    merchant.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    handle = await duly.client.start_workflow(
        GatewayMovements.run, MovementsRequest("stripe"), id=movements_id("stripe"), task_queue=WORKFLOW_QUEUE
    )

    await handle.result()

    await keep("gateway_movements-of_a_payment", handle)


async def test_supervisor(standing_duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.account(cards=[])
    handle = await standing_duly.client.start_workflow(
        Supervisor.run, SupervisionRequest(), id=SUPERVISOR, task_queue=WORKFLOW_QUEUE
    )

    await handle.result()

    await keep("supervisor-nothing_stopped", handle_of(standing_duly, handle.id))


async def test_collection_cancelled(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(answers=[NO], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome", result_type=CollectResult)

    await handle.cancel(reason="a mistake")
    await handle.result()

    await keep("collection-cancelled", duly.collection(account))


@pytest.fixture
def card_client(duly: RunningDuly, merchant: Merchant) -> CardClient:
    return CardClient(duly, merchant)


async def test_card_lifecycle(duly: RunningDuly, merchant: Merchant, card_client: CardClient) -> None:
    account = await merchant.account(cards=[])
    card, _ = await card_client.save(account)
    await card_client.workflow(card).execute_update("block", OperatorCommand("maria", "as agreed"))
    await card_client.workflow(card).execute_update("revalidate", OperatorCommand("maria", "as agreed"))
    await until_state(card_client, card, CardState.ACTIVE)
    await card_client.workflow(card).execute_update("remove", OperatorCommand("maria", "as agreed"))
    await card_client.ended(card)
    await keep("card_lifecycle-blocked_lifted_removed", card_client.workflow(card))

    left, _ = await card_client.page(account)
    await card_client.ended(left)
    await keep("card_lifecycle-abandoned", card_client.workflow(left))


async def test_reminders(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(cards=[], owes_minor=2500)
    await merchant.run("update duly.accounts set email = 'a@example.com' where id = :id", id=account)
    await merchant.configure("[[reminder_rules]]\ndays_before = [60]")
    handle = await duly.client.start_workflow(Reminders.run, id=REMINDERS, task_queue=WORKFLOW_QUEUE)
    await handle.result()
    await keep("reminders-of_one_invoice", handle)
