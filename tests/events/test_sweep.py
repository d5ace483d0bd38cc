"""The gateway's own list of events is looked through: what never came is found, and who waits for it hears of it."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.sweep import EventFeedActivities
from activities.gateway.stripe_events import event_of
from activities.gateway.stripe_gateway import StripeGateway
from models.collections.collection import Stage
from models.gateway.events import PAUSES, Delivered, SweepRequest, SweepResult, Swept
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.workflow_ids import WORKFLOW_QUEUE, mailing_id, sweep_id
from sandbox.stripe.control.client import Answer, CardOutcome, Fault, FaultKind, SandboxControl
from settings import Settings
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from worker import gateway_worker
from workflows.events.event_sweep import EventSweep

EVENTS = "GET /v1/events"
DAY = 86_400


@pytest.fixture
async def patient(merchant: Merchant) -> None:
    """A policy that looks for evidence by itself once a year: only an event ends a wait sooner."""
    await merchant.run(
        "insert into duly.dunning_policies (id, version, document) values ('standard', 2, :document)",
        document=Jsonb({"evidence_after": ["P365D"], "review_after": "P365D"}),
    )


async def sweep(duly: RunningDuly, *, provider: str = "stripe") -> SweepResult:
    """Sweep once; time does not pass for anybody else meanwhile."""
    with duly.environment.auto_time_skipping_disabled():
        return await duly.client.execute_workflow(
            EventSweep.run, SweepRequest(provider), id=sweep_id(provider), task_queue=WORKFLOW_QUEUE
        )


async def slow_payment(duly: RunningDuly, merchant: Merchant) -> WorkflowHandle[Any, Any]:
    """A collection whose payment the gateway decides a day later."""
    slowly = CardOutcome(answer=Answer.PROCESS, then=Answer.SUCCEED, after_seconds=DAY)
    account = await merchant.account(answers=[slowly], owes_minor=2500)
    handle = await duly.start_collection(account)
    first = await handle.execute_update("first_outcome", result_type=CollectResult)
    assert first.outcome is CollectOutcome.PROCESSING
    return handle


@pytest.mark.usefixtures("patient")
async def test_after_three_days_without_any_webhook_everything_still_settles(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    waiting = [await slow_payment(duly, merchant) for _ in range(3)]
    stripe_sandbox.advance(3 * DAY)

    result = await sweep(duly)
    with duly.environment.auto_time_skipping_disabled():
        ends = [await handle.result() for handle in waiting]

    assert {end.stage for end in ends} == {Stage.SETTLED}
    # What was not booked yet when it was signalled is looked at once more.
    assert result.delivered.taken + result.delivered.put_off == result.swept.found >= 3
    assert await merchant.value("select sum(balance_minor) from duly.account_balances") == 0


async def test_a_second_sweep_finds_nothing_new_and_begins_where_the_first_ended(
    duly: RunningDuly, merchant: Merchant, inbox: EventInbox
) -> None:
    await duly.collected(await account_in_collection(duly, merchant))

    first = await sweep(duly)
    mark = await inbox.swept_until()
    second = await sweep(duly)

    assert first.swept.found > 0
    assert second.swept.found == 0
    assert mark is not None
    # An event's own time may be ahead of this clock: the sweep begins before whichever is earlier.
    assert timedelta(0) <= mark - timedelta(minutes=10) - second.swept.since < timedelta(minutes=1)


async def test_a_sweep_that_is_cut_off_begins_again_and_misses_nothing(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    await duly.collected(await account_in_collection(duly, merchant))
    stripe_sandbox.add_fault(Fault(operation=EVENTS, kind=FaultKind.RESET_MID_BODY, calls=(1, 3)))
    stripe_sandbox.add_fault(Fault(operation=EVENTS, kind=FaultKind.RATE_LIMIT, calls=(2,)))

    handle = await duly.client.start_workflow(
        EventSweep.run, SweepRequest("stripe"), id=sweep_id("stripe"), task_queue=WORKFLOW_QUEUE
    )
    result = await handle.result()

    assert result.swept.listed == result.swept.found > 0


async def cut_off(feed: EventFeedActivities, *, reached: tuple[Any, ...] = ()) -> tuple[Swept | None, tuple[Any, ...]]:
    """Try once to sweep, from where the try before had come to; return what was swept, and how far it came."""
    environment, beats = ActivityEnvironment(), [reached]
    environment.on_heartbeat = lambda *details: beats.append(details)
    environment.info = dataclasses.replace(environment.info, heartbeat_details=reached)
    try:
        return await environment.run(feed.sweep_events, SweepRequest("stripe")), beats[-1]
    except ApplicationError:
        return None, beats[-1]


async def test_the_next_try_goes_on_behind_the_last_page_that_was_stored(
    duly: RunningDuly,
    merchant: Merchant,
    stripe_sandbox: SandboxControl,
    inbox: EventInbox,
    gateway: StripeGateway,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("activities.events.sweep.PAGE", 1)
    await duly.collected(await account_in_collection(duly, merchant))
    feed = EventFeedActivities(inbox, gateway)
    stripe_sandbox.add_fault(Fault(operation=EVENTS, kind=FaultKind.RATE_LIMIT, calls=(2,)))

    nothing, reached = await cut_off(feed)
    swept, _ = await cut_off(feed, reached=reached)

    stored = await merchant.value("select count(*) from duly.gateway_events")
    assert (nothing, len(reached)) == (None, 1)
    assert swept is not None
    # What the first try had stored was not read once more.
    assert (swept.listed, swept.found) == (stored, stored)


async def test_a_page_behind_which_the_gateway_has_forgotten_everything_ends_its_part(
    duly: RunningDuly, merchant: Merchant, inbox: EventInbox, gateway: StripeGateway
) -> None:
    await duly.collected(await account_in_collection(duly, merchant))
    feed = EventFeedActivities(inbox, gateway)
    first, reached = await cut_off(feed)
    forgotten = reached[0] | {"last": {"id": "evt_forgotten", "type": reached[0]["last"]["type"]}}

    again, _ = await cut_off(feed, reached=(forgotten,))

    assert first is not None
    assert again is not None
    assert again.found == first.found


async def account_in_collection(duly: RunningDuly, merchant: Merchant) -> str:
    account = await merchant.account(owes_minor=2500)
    await duly.start_collection(account)
    return account


async def test_a_sweep_after_more_than_a_month_says_that_events_may_be_lost(
    duly: RunningDuly, merchant: Merchant, inbox: EventInbox
) -> None:
    await merchant.run("select duly.note_sweep('stripe', now() - interval '40 days')")

    result = await sweep(duly)

    assert result.swept.is_late


async def test_what_came_by_webhook_already_is_no_news_to_a_sweep(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, inbox: EventInbox, stripe_client: Any
) -> None:
    await duly.collected(await account_in_collection(duly, merchant))
    for event in (await stripe_client.v1.events.list_async({"limit": 100})).data:
        await inbox.receive(event_of(event.to_dict()))

    result = await sweep(duly)

    assert result.swept.listed > 0
    assert result.swept.found == 0


async def test_a_sweep_delivers_the_events_of_its_own_provider_whoever_the_workers_pay_through(
    duly: RunningDuly, merchant: Merchant, database: Database, gateway: StripeGateway, settings: Settings
) -> None:
    await merchant.run("insert into duly.providers (id, gateway, mode) values ('other', 'stripe', 'test')")
    for provider in ("stripe", "other"):
        about = {"id": "pi_1", "metadata": {}}
        event = {"id": f"evt_{provider}", "type": "payment_intent.succeeded", "created": 1, "data": {"object": about}}
        await EventInbox(database, provider).receive(event_of(event))

    async with gateway_worker(duly.client, database, gateway, settings.model_copy(update={"provider": "other"})):
        result = await sweep(duly, provider="other")

    tries = await merchant.run("select id, tries from duly.gateway_events order by id")
    assert result.delivered.put_off == 1
    assert [tuple(row) for row in tries] == [("evt_other", 1), ("evt_stripe", 0)]


async def has_mailing(duly: RunningDuly) -> bool:
    """Say whether the last sweep has had operators written to."""
    began = (await duly.client.get_workflow_handle(sweep_id("stripe")).describe()).start_time
    try:
        await duly.client.get_workflow_handle(mailing_id(f"events/stripe/{began:%Y-%m-%dT%H}")).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


async def test_operators_are_written_to_of_what_nobody_knows_once_it_is_given_up_and_not_while_it_waits(
    duly: RunningDuly, merchant: Merchant, inbox: EventInbox
) -> None:
    about = {"id": "pi_of_another_system", "metadata": {}}
    event = {"id": "evt_1", "type": "payment_intent.succeeded", "created": 1, "data": {"object": about}}
    await inbox.receive(event_of(event))

    waiting, is_mailed_early = (await sweep(duly)).delivered, await has_mailing(duly)
    await merchant.run("update duly.gateway_events set next_try_at = now(), tries = :all", all=len(PAUSES))
    given_up, is_mailed = (await sweep(duly)).delivered, await has_mailing(duly)

    assert (waiting, is_mailed_early) == (Delivered(put_off=1), False)
    assert (given_up, is_mailed) == (Delivered(given_up=1), True)
