"""What a workflow has accepted is done, also where a fault makes it go on as new from its rows before that."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from models.runs.process_run import Certificate
from models.workflow_ids import payment_run_id, shard_id
from settings import Settings
from tests.fixtures.refunds import RefundClient
from tests.supervision.accepted import CASES, NEED_NONE, SIGNALLED_ONLY, open_waiting
from tests.supervision.failing_activities import FailingActivities, Failure
from tests.supervision.scale.signalled import DEFINITIONS
from tests.supervision.scenario import Company, Moment
from tests.supervision.scenarios import SCENARIOS
from tests.support.attempts import charged
from tests.support.builders import Merchant
from tests.support.gateways import HeldGateway
from tests.support.invariants import complaints
from tests.support.run_control import duly_at, until
from workflows.faults import REPEATED, CarriesOver

# Longer than a workflow stands still after a fault, its last minute for updates included; and so often at most.
A_WHILE = timedelta(minutes=12)
TIMES = 6
# One whose order nobody waits for any more.
IN_THE_GATE = {("PaymentRequest", "pay")}


@pytest.fixture
def failing() -> FailingActivities:
    """Activities of which one is refused once."""
    return FailingActivities(Failure.REFUSED)


@pytest.fixture
async def company(
    time_skipping: WorkflowEnvironment,
    failing: FailingActivities,
    database: Database,
    held: HeldGateway,
    settings: Settings,
    merchant: Merchant,
    period: str,
) -> AsyncIterator[Company]:
    """A company on a server whose clock jumps, one of whose activities fails."""
    config = time_skipping.client.config()
    config["interceptors"] = [*config["interceptors"], failing]
    time_skipping._client = type(time_skipping.client)(**config)
    async with duly_at(time_skipping, database, held, settings) as duly:
        refunds = RefundClient(duly, merchant, database, held, merchant.engine, merchant.sandbox)
        yield Company(duly, merchant, database, held, merchant.sandbox, refunds, period)
        held.let_go()


async def until_suspended(company: Company, workflow_id: str) -> None:
    """Wait until a workflow shows that it stands still after a fault."""
    handle = company.duly.client.get_workflow_handle(workflow_id)

    async def is_suspended() -> bool:
        with suppress(RPCError):
            shown = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
            return "Suspended" in shown.current_details
        return False

    await until(is_suspended)


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
