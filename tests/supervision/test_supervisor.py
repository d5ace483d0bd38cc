"""What is open has a workflow: what was stopped, lost or never started goes on from its row, or asks a person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError

from activities.database import Database
from activities.disputes import disputes
from activities.disputes.disputes import record_dispute
from activities.events.inbox import EventInbox
from activities.supervision.supervision import Progress, Supervision
from models.collections.collection import RetryCommand, Stage
from models.disputes.dispute import DisputeData, DisputeRecord
from models.gateway.events import EventSubject, GatewayEvent
from models.gateway.gateway_request import CollectResult
from models.supervision.supervision import NextStep, ObjectKind, Supervised, SupervisionRequest
from models.workflow_ids import collection_id, dispute_id
from sandbox.stripe.control.client import SandboxControl
from tests.disputes.test_disputes import charge_of
from tests.fixtures.refunds import RefundClient
from tests.supervision.scenario import NOTHING, seen_as_running
from tests.support.attempts import charged
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly
from workflows.supervision.resumption import resumable_of


async def supervised(
    database: Database,
    client: Client,
    kind: ObjectKind = ObjectKind.COLLECTION,
    *,
    left_alone: timedelta = NOTHING,
    only: str = "",
    is_dry_run: bool = False,
) -> Supervised:
    supervision = Supervision(database, client, resumable_of, young=NOTHING, left_alone=left_alone)
    request = SupervisionRequest(is_dry_run, only, "maria" if only else "", "as agreed" if only else "")
    begun = Progress((), Supervised(kind))
    return await supervision.compare(kind, request, begun=begun, beat=lambda _: None)


async def terminate(duly: RunningDuly, account: str, period: str) -> None:
    """Terminate a collection, and wait until visibility knows of it."""
    handle = duly.collection(account, period)
    await handle.terminate(reason="it hangs")
    await seen_as_running(duly.client, [handle.id], 0)


@pytest.fixture
async def waiting(standing_duly: RunningDuly, merchant: Merchant, period: str) -> str:
    """An account whose receivable waits for its next attempt, after a decline."""
    account = await merchant.account(f"acc-{period}", answers=[declined("insufficient_funds")], owes_minor=2500)
    handle = await standing_duly.start_collection(account, period)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    return account


async def test_what_has_its_workflow_is_left_alone(
    standing_duly: RunningDuly, database: Database, waiting: str, period: str
) -> None:
    found = await supervised(database, standing_duly.client)

    assert (found.open, found.running, found.stopped) == (1, 1, ())


async def test_what_was_terminated_goes_on_from_its_row_after_a_while_and_it_is_kept_who_ended_it(
    standing_duly: RunningDuly,
    merchant: Merchant,
    database: Database,
    stripe_sandbox: SandboxControl,
    waiting: str,
    period: str,
) -> None:
    await terminate(standing_duly, waiting, period)

    at_once = await supervised(database, standing_duly.client, left_alone=timedelta(hours=1))
    later = await supervised(database, standing_duly.client)
    handle = standing_duly.collection(waiting, period)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    await handle.execute_update("retry_now", RetryCommand("maria", "the card is good by now"))

    assert (await handle.result()).stage == Stage.SETTLED
    assert (at_once.waiting, later.resumed, charged(stripe_sandbox)) == (1, 1, (1, 2500))
    (stop,) = await merchant.run("select how, actor, reason, resumed_at from duly.workflow_stops")
    assert (stop.how, stop.reason) == ("terminated", "it hangs")
    assert stop.actor
    assert stop.resumed_at is not None


async def test_a_dry_run_says_what_it_would_do_and_changes_nothing(
    standing_duly: RunningDuly, merchant: Merchant, database: Database, waiting: str, period: str
) -> None:
    await terminate(standing_duly, waiting, period)

    found = await supervised(database, standing_duly.client, is_dry_run=True)

    described = await standing_duly.collection(waiting, period).describe()
    assert [(one.next_step, one.how) for one in found.stopped] == [(NextStep.RESUME, "terminated")]
    assert described.status is WorkflowExecutionStatus.TERMINATED
    assert await merchant.value("select count(*) from duly.workflow_stops") == 0


async def test_the_fourth_time_in_a_day_a_person_is_asked_and_the_command_resumes_it(
    standing_duly: RunningDuly, merchant: Merchant, database: Database, waiting: str, period: str
) -> None:
    steps = []
    for _ in range(4):
        await terminate(standing_duly, waiting, period)
        found = await supervised(database, standing_duly.client)
        steps.append(found.stopped[0].next_step)

    by_command = await supervised(database, standing_duly.client, only=collection_id(waiting, period))

    assert steps == [NextStep.RESUME, NextStep.RESUME, NextStep.RESUME, NextStep.ASK]
    assert by_command.resumed == 1
    assert (await supervised(database, standing_duly.client)).running == 1


async def test_what_temporal_knows_nothing_of_goes_on_too(
    standing_duly: RunningDuly,
    merchant: Merchant,
    database: Database,
    stripe_sandbox: SandboxControl,
    period: str,
) -> None:
    """A database of Temporal that was lost: the row is there, and no workflow ever was on this server."""
    account = await merchant.account(f"acc-{period}", owes_minor=2500)
    await database.call(
        "open_collection",
        account_id=account,
        period=period,
        provider_id="stripe",
        run_id="",
        invoices=[],
        owner="on-the-lost-server",
    )

    found = await supervised(database, standing_duly.client)

    assert (found.resumed, found.stopped[0].how) == (1, "missing")
    assert (await standing_duly.collection(account, period).result()).stage == Stage.SETTLED
    assert charged(stripe_sandbox) == (1, 2500)


async def delivered(refunds: RefundClient, *events: GatewayEvent) -> None:
    """Events that were delivered, and nothing of what came of them is left."""
    inbox = EventInbox(refunds.database, "stripe")
    await inbox.receive(*events)
    await inbox.delivered([event.id for event in events])


async def test_a_dispute_that_was_stopped_before_its_first_reading_is_known_from_its_event(
    refunds: RefundClient,
) -> None:
    """Its event is delivered, its workflow is gone, and there is no row: nothing else would tell of it today."""
    account = await refunds.merchant.account("jo")
    [payment] = await refunds.paid(2500, account=account)
    dispute = str(refunds.sandbox.create_dispute(await charge_of(refunds, payment))["id"])
    yesterday = datetime.fromtimestamp(refunds.sandbox.now(), UTC) - timedelta(days=1)
    await delivered(refunds, *[event async for event in refunds.gateway.events(yesterday)])

    found = await supervised(refunds.database, refunds.duly.client, ObjectKind.DISPUTE)

    assert (found.resumed, [one.how for one in found.stopped]) == (1, ["missing"])
    handle = refunds.duly.client.get_workflow_handle(dispute_id(dispute))
    read = await handle.execute_update("first_reading", result_type=DisputeRecord)
    assert (read.account_id, read.amount_minor) == (account, 2500)
    again = await supervised(refunds.database, refunds.duly.client, ObjectKind.DISPUTE)
    assert (again.open, again.resumed) == (1, 0)


async def test_a_dispute_of_no_payment_of_ours_needs_no_workflow(refunds: RefundClient) -> None:
    foreign = GatewayEvent(
        "evt_1", "charge.dispute.created", EventSubject.DISPUTE, "dp_1", "", "", ("pi_1",), False, datetime.now(UTC)
    )
    await delivered(refunds, foreign)

    assert (await supervised(refunds.database, refunds.duly.client, ObjectKind.DISPUTE)).open == 0


async def test_a_dispute_that_was_refused_for_its_currency_is_not_read_again_and_again(
    refunds: RefundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    [payment] = await refunds.paid(2500, account=await refunds.merchant.account("jo"))
    dispute = str(refunds.sandbox.create_dispute(await charge_of(refunds, payment))["id"])
    yesterday = datetime.fromtimestamp(refunds.sandbox.now(), UTC) - timedelta(days=1)
    await delivered(refunds, *[event async for event in refunds.gateway.events(yesterday)])
    monkeypatch.setattr(disputes, "record_dispute", in_a_currency_without_a_ledger)
    await supervised(refunds.database, refunds.duly.client, ObjectKind.DISPUTE)
    handle = refunds.duly.client.get_workflow_handle(dispute_id(dispute))
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    found = await supervised(refunds.database, refunds.duly.client, ObjectKind.DISPUTE)
    monkeypatch.undo()
    asked_for = await supervised(refunds.database, refunds.duly.client, ObjectKind.DISPUTE, only=handle.id)

    assert (found.open, found.stopped) == (0, ())
    assert asked_for.resumed == 1


async def in_a_currency_without_a_ledger(database: Database, provider: str, data: DisputeData) -> DisputeRecord:
    """Book a dispute of an amount in a currency that only tests have."""
    return await record_dispute(database, provider, replace(data, currency="XTS"))


@pytest.mark.nightly
async def test_who_closes_a_collection_that_the_database_has_forgotten_leaves_its_member_to_the_supervisor(
    standing_duly: RunningDuly, merchant: Merchant, database: Database, stripe_sandbox: SandboxControl, period: str
) -> None:
    """A database restored to after a decline and before the collection: that one's workflow went on, and closes."""
    account = await merchant.account(f"acc-{period}", answers=[declined("insufficient_funds")], owes_minor=2500)
    await standing_duly.run(period=period)
    await standing_duly.collection(account, period).execute_update("first_outcome", result_type=CollectResult)
    await terminate(standing_duly, account, period)
    await merchant.run("delete from duly.collections where account_id = :account", account=account)
    await database.call(
        "close_collection", account_id=account, period=period, stage="settled", reason="nothing_owed", action="nothing"
    )

    found = await supervised(database, standing_duly.client, ObjectKind.HAND_OVER)
    handle = standing_duly.collection(account, period)
    first = await handle.execute_update("first_outcome", result_type=CollectResult)
    await handle.execute_update("retry_now", RetryCommand("maria", "the customer called"))

    assert (found.resumed, first.outcome) == (1, "declined")
    assert (await handle.result()).stage == Stage.SETTLED
    assert charged(stripe_sandbox) == (1, 2500)
