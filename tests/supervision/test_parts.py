"""What has no workflow of its own to be started: shards, which go on with their run, and events, with a sweep."""

from datetime import UTC, datetime, timedelta

from activities.events.inbox import EventInbox
from activities.supervision.supervision import YOUNG, Progress, Supervision
from models.gateway.gateway_request import CollectResult
from models.supervision.supervision import NextStep, ObjectKind, Supervised, SupervisionRequest
from models.workflow_ids import payment_run_id, shard_id, sweep_id
from tests.supervision.scenario import NOTHING, Company, seen_as_running
from tests.support.attempts import CHARGES, charged
from tests.support.run_control import shape, until
from workflows.supervision.resumption import resumable_of

MEMBERS = 3


async def compared(
    company: Company,
    kind: ObjectKind,
    *,
    left_alone: timedelta = NOTHING,
    young: timedelta = NOTHING,
    only: str = "",
) -> Supervised:
    """Compare what is open of a kind with its workflows."""
    supervision = Supervision(company.database, company.duly.client, resumable_of, young=young, left_alone=left_alone)
    request = SupervisionRequest(only=only, actor="maria" if only else "", reason="as agreed" if only else "")
    return await supervision.compare(kind, request, begun=Progress((), Supervised(kind)), beat=lambda _: None)


async def test_a_lost_shard_is_left_to_its_run_then_a_person_is_asked_and_their_command_ends_the_run_and_resumes_it(
    company: Company,
) -> None:
    await shape(company.merchant, shards=1, window=MEMBERS)
    for number in range(MEMBERS):
        await company.merchant.account(f"acc-{company.period}-{number}", owes_minor=1000)
    company.gateway.hold(CHARGES)
    run = await company.duly.start_run(period=company.period)
    await company.gateway.arrived(MEMBERS)
    shard = shard_id(payment_run_id("monthly", company.period), 0)
    at_work = await compared(company, ObjectKind.SHARD)

    await company.duly.client.get_workflow_handle(shard).terminate(reason="it hangs")
    await seen_as_running(company.duly.client, [shard], 0)
    soon = await compared(company, ObjectKind.SHARD, left_alone=timedelta(hours=1))
    later = await compared(company, ObjectKind.SHARD)
    by_command = await compared(company, ObjectKind.SHARD, only=shard)
    company.gateway.let_go()
    certificate = await company.duly.client.get_workflow_handle(run.id).result()

    assert (at_work.open, at_work.running) == (1, 1)
    assert [one.next_step for one in (*soon.stopped, *later.stopped)] == [NextStep.WAIT, NextStep.ASK]
    assert by_command.resumed == 1
    assert certificate["members"] == MEMBERS
    assert charged(company.sandbox) == (MEMBERS, MEMBERS * 1000)


async def test_the_shards_of_a_run_that_was_stopped_are_the_runs_and_not_listed_beside_it(company: Company) -> None:
    await shape(company.merchant, shards=1, window=MEMBERS)
    await company.merchant.account(f"acc-{company.period}", owes_minor=1000)
    company.gateway.hold(CHARGES)
    run = await company.duly.start_run(period=company.period)
    await company.gateway.arrived(1)

    await run.terminate("a mistake")

    async def has_ended() -> bool:
        return not await company.is_running(shard_id(run.id, 0))

    await until(has_ended)
    await seen_as_running(company.duly.client, [run.id, shard_id(run.id, 0)], 0)
    company.gateway.let_go()
    assert (await compared(company, ObjectKind.SHARD)).stopped == ()
    assert [one.next_step for one in (await compared(company, ObjectKind.RUN)).stopped] == [NextStep.ASK]


async def test_events_that_nobody_delivers_are_delivered_by_a_sweep(company: Company) -> None:
    account = await company.merchant.account(f"acc-{company.period}", owes_minor=2500)
    handle = await company.duly.start_collection(account, company.period)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    since = datetime.fromtimestamp(company.sandbox.now(), UTC) - timedelta(days=1)
    inbox = EventInbox(company.database, "stripe")
    await inbox.receive(*[event async for event in company.gateway.events(since)])
    fresh = await compared(company, ObjectKind.EVENT, young=YOUNG)
    await company.merchant.run("update duly.gateway_events set next_try_at = now() - interval '1 hour'")

    overdue = await compared(company, ObjectKind.EVENT, young=YOUNG)
    await company.duly.client.get_workflow_handle(sweep_id("stripe")).result()

    assert (fresh.open, overdue.open, overdue.resumed) == (0, 1, 1)
    assert await company.merchant.value("select count(*) from duly.gateway_events where state = 'waiting'") == 0
