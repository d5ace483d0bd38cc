"""What a workflow has accepted is done, also where a fault makes it go on as new from its rows before that."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.service import RPCError

from models.collections.collection import CollectionStatus, GraceCommand, Stage
from models.gateway.gateway_request import CollectResult
from models.payments.card_payment import CardPayment
from models.reductions.reduction import Decision, ReductionDecision
from models.runs.process_run import Certificate
from models.workflow_ids import payment_run_id, shard_id
from tests.payments.paying_by_link import make, terms
from tests.supervision.commands.accepted import CASES, GRACE, NEED_NONE, SIGNALLED_ONLY, open_waiting
from tests.supervision.commands.suspended import A_WHILE, declined_cards, until_suspended
from tests.supervision.failing_activities import FailingActivities
from tests.supervision.scale.signalled import DEFINITIONS
from tests.supervision.scenario import WHO, Company, Moment
from tests.supervision.scenarios import SCENARIOS
from tests.support.attempts import attempts, charged
from tests.support.builders import declined
from tests.support.invariants import complaints
from workflows.faults import REPEATED, CarriesOver

# So often a workflow stands still at most.
TIMES = 6
# One whose order nobody waits for any more.
IN_THE_GATE = {("PaymentRequest", "pay")}


def test_every_update_has_a_case_or_a_reason() -> None:
    updates = {(name, str(one)) for name, definition in DEFINITIONS.items() for one in definition.updates if one}

    assert CASES.keys() | NEED_NONE.keys() == updates
    assert CASES.keys() & NEED_NONE.keys() == set()


def test_whoever_takes_commands_or_signals_carries_past_a_fault_what_no_row_knows() -> None:
    listening = {
        name
        for name, definition in DEFINITIONS.items()
        if (definition.updates or definition.signals) and name not in REPEATED
    }
    carrying = {name for name in listening if issubclass(DEFINITIONS[name].cls, CarriesOver)}
    commits = {name for name in listening if all((name, str(one)) in NEED_NONE for one in DEFINITIONS[name].updates)}

    assert listening - carrying - SIGNALLED_ONLY.keys() <= commits
    assert {name for name, _ in CASES} <= carrying
    assert {"PaymentRun", "PaymentRunShard"} <= carrying


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize(
    ("workflow", "update"),
    [
        pytest.param(*case, marks=() if case in IN_THE_GATE else pytest.mark.nightly, id=", ".join(case))
        for case in CASES
    ],
)
async def test_a_command_that_is_accepted_while_a_fault_suspends_its_workflow_is_done_after_it(
    company: Company, failing: FailingActivities, workflow: str, update: str
) -> None:
    case = CASES[workflow, update]
    workflow_id = await open_waiting(company, workflow, f"accepted-{company.period}")
    failing.only(case.fails)
    await company.signal(workflow_id, case.signal)
    await until_suspended(company, workflow_id)
    assert not await case.done(company, workflow_id)

    command = case.command(await company.duly.environment.get_current_time())
    handle = company.duly.client.get_workflow_handle(workflow_id)
    asked = await handle.start_update(update, command, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    for _ in range(TIMES):
        with suppress(RPCError):
            await company.duly.environment.sleep(A_WHILE)
        if await case.done(company, workflow_id):
            break

    assert await case.done(company, workflow_id)
    assert failing.failed
    with suppress(WorkflowUpdateFailedError):
        # The execution that had accepted it is over: who waits is told so, and may ask the next one.
        await asked.result()
    assert await complaints(company.sandbox, company.database, company.gateway) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("update", "command"),
    [
        ("give_up", lambda _: WHO),
        ("skip_attempt", lambda _: WHO),
        pytest.param(
            "extend_grace", lambda now: GraceCommand("maria", "agreed", now + GRACE), marks=pytest.mark.nightly
        ),
    ],
)
async def test_what_is_accepted_while_a_fault_suspends_a_collection_comes_before_another_charge_of_any_card(
    company: Company, failing: FailingActivities, update: str, command: Callable[[datetime], object]
) -> None:
    account = f"acc-cards-{update}"
    handle = await declined_cards(company, account, attempts=2)
    failing.only("is_owed")
    await company.signal(handle.id, "receivable_changed")
    await until_suspended(company, handle.id)

    await handle.execute_update(update, command(await company.duly.environment.get_current_time()))
    with suppress(RPCError):
        await company.duly.environment.sleep(A_WHILE)
    status = await handle.query("status", result_type=CollectionStatus)

    assert [outcome for _, outcome in await attempts(company.merchant, account)] == ["declined", "declined"]
    assert status.stage is (Stage.GIVEN_UP if update == "give_up" else Stage.DUNNING)


@pytest.mark.slow
async def test_grace_that_was_taken_up_before_a_page_was_opened_is_kept_past_a_fault(
    company: Company, failing: FailingActivities
) -> None:
    handle = await declined_cards(company, "acc-page", attempts=1)
    until_then = await company.duly.environment.get_current_time() + GRACE
    await handle.execute_update("extend_grace", GraceCommand("maria", "as agreed", until_then))
    await handle.execute_update("open_page")
    failing.only("is_owed")
    await company.signal(handle.id, "receivable_changed")
    await until_suspended(company, handle.id)

    with suppress(RPCError):
        await company.duly.environment.sleep(A_WHILE)
    status = await handle.query("status", result_type=CollectionStatus)

    assert status.next_action_at == until_then


@pytest.mark.slow
async def test_a_skip_that_was_taken_up_before_a_fault_is_no_attempt_after_it(
    company: Company, failing: FailingActivities
) -> None:
    handle = await declined_cards(company, "acc-skipped", attempts=1)
    before = await handle.query("status", result_type=CollectionStatus)
    await handle.execute_update("skip_attempt", WHO)
    skipped = await handle.query("status", result_type=CollectionStatus)
    failing.only("is_owed")
    await company.signal(handle.id, "receivable_changed")
    await until_suspended(company, handle.id)

    with suppress(RPCError):
        await company.duly.environment.sleep(A_WHILE)
    after = await handle.query("status", result_type=CollectionStatus)

    assert before.next_action != skipped.next_action == after.next_action


@pytest.mark.slow
@pytest.mark.parametrize(
    ("valid_seconds", "asked_again", "tried"),
    [(86_400, "declined", [(1, "declined")]), pytest.param(300, "", [], id="expires meanwhile")],
)
async def test_a_charge_that_was_ordered_before_a_fault_is_made_once_and_not_after_the_request_has_expired(
    company: Company, failing: FailingActivities, valid_seconds: int, asked_again: str, tried: list[tuple[int, str]]
) -> None:
    account = await company.merchant.account(answers=[declined("insufficient_funds")])
    ahead = await company.duly.environment.get_current_time() - datetime.now(UTC)
    wanted = terms(account, valid_seconds=valid_seconds + int(ahead.total_seconds()))
    handle, _ = await make(company.duly, f"ordered-{valid_seconds}-{company.period}", wanted)
    failing.only("load_payment_request")
    await company.signal(handle.id, "receivable_changed")
    await until_suspended(company, handle.id)
    treat = CardPayment("maria", "our treat")
    asked = await handle.start_update("pay", treat, wait_for_stage=WorkflowUpdateStage.ACCEPTED)

    with suppress(RPCError):
        await company.duly.environment.sleep(A_WHILE)
    with suppress(WorkflowUpdateFailedError):
        await asked.result()
    answers = [(await handle.execute_update("pay", treat, result_type=CollectResult)).outcome] if asked_again else []

    assert [str(answer) for answer in answers] == [asked_again] * len(answers)
    assert await attempts(company.merchant, account) == tried
    assert await company.merchant.value("select state from duly.payment_requests") == (
        "open" if asked_again else "expired"
    )


@pytest.mark.slow
async def test_a_reward_that_is_given_up_while_a_fault_suspends_it_goes_back_to_no_payment_made_meanwhile(
    company: Company, failing: FailingActivities
) -> None:
    workflow_id = await open_waiting(company, "BackEndReduction", f"given-up-{company.period}")
    handle = company.duly.client.get_workflow_handle(workflow_id)
    failing.only("load_reduction")
    await company.signal(workflow_id, "payment_changed")
    await until_suspended(company, workflow_id)
    await handle.execute_update("decide", ReductionDecision("maria", "a mistake", decision=Decision.GIVE_UP))

    await company.refunds.paid(2500, account=await company.merchant.value("select account_id from duly.reductions"))
    with suppress(RPCError):
        await company.duly.environment.sleep(A_WHILE)

    assert await company.merchant.value("select state from duly.reductions") == "given_up"
    assert await company.merchant.value("select count(*) from duly.gateway_requests where kind = 'refund'") == 0


@pytest.mark.slow
async def test_a_run_that_is_aborted_while_a_fault_suspends_its_shard_charges_nobody(
    company: Company, failing: FailingActivities
) -> None:
    name, run_id = f"aborted-{company.period}", payment_run_id("monthly", company.period)
    scenario = SCENARIOS["PaymentRunShard"](company)
    await scenario.prepare(name)
    failing.only("due_page")
    await scenario.open(name, Moment.BEFORE_CALL)
    await until_suspended(company, shard_id(run_id, 0))

    await company.command(run_id, "abort")
    with suppress(RPCError):
        await company.duly.environment.sleep(A_WHILE)
    certificate = await company.duly.client.get_workflow_handle(run_id, result_type=Certificate).result()

    assert charged(company.sandbox) == (0, 0)
    assert [(total.outcome, total.members) for total in certificate.totals] == [("released", 3)]
