"""Refund runs: once a day, what is due goes back, and the certificate counts everybody once."""

from datetime import date, datetime

import pytest
from temporalio import workflow
from temporalio.client import WithStartWorkflowOperation, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from activities.database import Database
from activities.reductions.reductions import open_reduction
from models.operator_command import OperatorCommand
from models.reductions.reduction import Award
from models.runs.refund_run import RefundCertificate, RefundRunRequest
from models.workflow_ids import WORKFLOW_QUEUE, refund_run_id
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient
from tests.support.run_control import until
from workflows.runs.refund_run import RefundRun

DAY = date(2026, 11, 26)
# A history is long in a test after so many events.
LONG = 40


@pytest.fixture
async def rewards(refunds: RefundClient, database: Database) -> ReductionClient:
    """A café that takes part."""
    rewards = ReductionClient(refunds, database)
    await rewards.open()
    return rewards


async def run(refunds: RefundClient, day: date = DAY, *, over_nobody: bool = True) -> RefundCertificate:
    return await refunds.duly.client.execute_workflow(
        RefundRun.run,
        RefundRunRequest("stripe", day, not_due_yet=True, over_nobody=over_nobody),
        id=refund_run_id("stripe", f"{day}"),
        task_queue=WORKFLOW_QUEUE,
    )


def counted(certificate: RefundCertificate) -> list[tuple[str, str, int, int]]:
    return [(total.kind, total.outcome, total.members, total.refunded_minor) for total in certificate.totals]


async def test_a_day_on_which_nobody_is_due_anything_is_closed_only_when_that_is_asked_for(
    refunds: RefundClient,
) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await run(refunds, over_nobody=False)
    left_open = await refunds.merchant.value("select count(*) from duly.refund_runs")
    certificate = await run(refunds)

    assert isinstance(failed.value.cause, ActivityError)
    assert isinstance(failed.value.cause.cause, ApplicationError)
    assert failed.value.cause.cause.type == "somebody_is_due"
    assert (left_open, certificate.members, certificate.totals) == (0, 0, ())


async def test_the_schedule_closes_a_day_on_which_nobody_is_due_anything(refunds: RefundClient) -> None:
    scheduled = await refunds.duly.client.execute_workflow(
        RefundRun.run,
        RefundRunRequest("stripe"),
        id=f"{refund_run_id('stripe', 'scheduled')}-2026-11-26T03:00:00Z",
        task_queue=WORKFLOW_QUEUE,
    )

    assert (scheduled.members, scheduled.totals) == (0, ())


@pytest.mark.nightly
async def test_awards_that_are_due_go_back_and_those_on_hold_wait(
    rewards: ReductionClient, refunds: RefundClient, database: Database
) -> None:
    [payment] = await refunds.paid(2500)
    account = await refunds.account_of(payment)
    cash = await refunds.merchant.account(cards=[])
    await open_reduction(database, Award("award_due", "cafe", account, 500, "EUR"))
    await open_reduction(database, Award("award_cash", "cafe", cash, 200, "EUR"))
    await rewards.open(hold_days=7)
    await open_reduction(database, Award("award_later", "cafe", account, 300, "EUR"))

    certificate = await run(refunds)

    assert (certificate.members, counted(certificate)) == (
        2,
        [("reward", "credited", 1, 0), ("reward", "refunded", 1, 500)],
    )
    assert await refunds.merchant.value("select state from duly.reductions where award_id = 'award_later'") == "awarded"
    assert await refunds.wrong() == []


@pytest.mark.nightly
async def test_accounts_in_credit_get_their_money_back_where_the_rules_say_so(refunds: RefundClient) -> None:
    await refunds.merchant.configure("[refund_rules]\nrefunds_credit = true")
    payments = await refunds.paid(700, 500)
    account = await refunds.account_of(payments[0])
    for number, amount in enumerate((700, 500)):
        await refunds.merchant.run(
            "select duly.create_payment(:key, :account, :amount, 'EUR', 'cash')",
            key=f"again:{number}",
            account=account,
            amount=amount,
        )

    certificate = await run(refunds)

    assert counted(certificate) == [("credit", "refunded", 1, 1200)]
    assert await refunds.merchant.balance(account) == 0
    assert refunds.sandbox.movements().totals[0].refunds.count == 2
    assert await refunds.wrong() == []


async def test_credit_goes_back_in_the_gateways_steps_and_the_rest_stays_on_the_account(refunds: RefundClient) -> None:
    await refunds.merchant.configure("[refund_rules]\nrefunds_credit = true")
    [payment] = await refunds.paid(12_340, currency="KWD")
    account = await refunds.account_of(payment)
    await refunds.merchant.run("select duly.create_payment('again', :account, 1234, 'KWD', 'cash')", account=account)

    certificate = await run(refunds)

    assert counted(certificate) == [("credit", "refunded", 1, 1230)]
    assert await refunds.merchant.balance(account) == -4


async def test_without_the_rule_credit_is_left_to_the_bank(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(700)
    await refunds.merchant.run(
        "select duly.create_payment('again', :account, 700, 'EUR', 'cash')", account=await refunds.account_of(payment)
    )

    assert (await run(refunds)).members == 0


async def test_a_day_has_one_run_and_a_second_one_certifies_the_same(
    rewards: ReductionClient, refunds: RefundClient, database: Database
) -> None:
    [payment] = await refunds.paid(2500)
    await open_reduction(database, Award("award_due", "cafe", await refunds.account_of(payment), 500, "EUR"))

    first = await run(refunds)
    await open_reduction(database, Award("award_new", "cafe", await refunds.account_of(payment), 500, "EUR"))
    second = await run(refunds)

    assert first == second
    assert refunds.sandbox.movements().totals[0].refunds.count == 1


async def test_a_paused_run_begins_with_nobody_until_it_is_resumed_also_where_it_goes_on_as_new(
    refunds: RefundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given an account in credit, and a run that is paused as it starts
    monkeypatch.setattr(RefundRun, "_is_history_long", lambda _: workflow.info().get_current_history_length() > LONG)
    await refunds.merchant.configure("[refund_rules]\nrefunds_credit = true")
    [payment] = await refunds.paid(700)
    account = await refunds.account_of(payment)
    await refunds.merchant.run("select duly.create_payment('again', :account, 700, 'EUR', 'cash')", account=account)
    started = WithStartWorkflowOperation(
        RefundRun.run,
        RefundRunRequest("stripe", DAY, not_due_yet=True),
        id=refund_run_id("stripe", f"{DAY}"),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    paused = await refunds.duly.client.execute_update_with_start_workflow(
        RefundRun.pause, OperatorCommand("maria", "the bank has called"), start_workflow_operation=started
    )
    handle = await started.workflow_handle()

    # when it is paused again, and resumed once it has its members
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(RefundRun.pause, OperatorCommand("maria", "again"))

    async def is_frozen() -> bool:
        return bool(await refunds.merchant.value("select count(*) from duly.refund_run_items"))

    async def is_another() -> bool:
        return (await handle.describe()).run_id != handle.first_execution_run_id

    await until(is_frozen)
    for _ in range(LONG):
        await handle.signal(RefundRun.member_answered, "nobody")
    await until(is_another)
    handle = refunds.duly.client.get_workflow_handle_for(RefundRun.run, handle.id)
    assert (await handle.query(RefundRun.status)).stage == "paused"
    before = await refunds.merchant.value("select count(*) from duly.gateway_requests where kind = 'refund'")
    resumed = await handle.execute_update(RefundRun.resume, OperatorCommand("paul", "it was another's"))
    certificate = await handle.result()

    # then nothing was asked for before, and everybody is in the certificate
    assert (paused.stage, before, resumed.stage) == ("paused", 0, "collecting")
    moments, _, decided = zip(*(decision.partition("Z ") for decision in resumed.decisions), strict=True)
    assert decided == ("paused, says maria: the bank has called", "resumed, says paul: it was another's")
    assert all(datetime.fromisoformat(moment) for moment in moments)
    assert counted(certificate) == [("credit", "refunded", 1, 700)]
