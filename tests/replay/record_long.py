"""Records the histories of workflows whom signals without end made continue as new, as `record.py` does. By hand:

.venv/bin/pytest tests/replay/record_long.py
"""

from typing import Any

from temporalio.client import WorkflowHandle

from models.runs.process_run import Certificate
from models.workflow_ids import payment_run_id
from tests.replay.histories import keep
from tests.supervision.conftest import company, held
from tests.supervision.scale.signalled import OPENINGS, wrong_in_the_end
from tests.supervision.scale.test_long_waits import development_server
from tests.supervision.scenario import WHO, Company, Moment
from tests.supervision.scenarios import SCENARIOS
from tests.support.attempts import CHARGES
from tests.support.run_control import shape

__all__ = ["company", "development_server", "held"]

PAUSES_MAX = 40


async def execution_of(company: Company, workflow_id: str) -> WorkflowHandle[Any, Any]:
    """The execution that runs under an id now."""
    described = await company.duly.client.get_workflow_handle(workflow_id).describe()
    return company.duly.client.get_workflow_handle(workflow_id, run_id=described.run_id)


async def test_payment_run(company: Company) -> None:
    scenario, name = SCENARIOS["PaymentRun"](company), f"long-{company.period}"
    await scenario.prepare(name)
    await shape(company.merchant, shards=2, window=1)
    company.gateway.hold(CHARGES)
    opened = await scenario.open(name, Moment.BEFORE_CALL)
    await company.gateway.arrived(1)
    run = company.duly.client.get_workflow_handle(payment_run_id("monthly", company.period), result_type=Certificate)
    first = await execution_of(company, run.id)

    for _ in range(PAUSES_MAX):
        await run.execute_update("pause", WHO)
        await run.execute_update("resume", WHO)
        if (await execution_of(company, run.id)).run_id != first.run_id:
            break
    second = await execution_of(company, run.id)
    company.let_all_through()
    await run.result()

    assert await wrong_in_the_end(company, opened) == ""
    await keep("payment_run-goes_on_as_new", first)
    await keep("payment_run-after_it_went_on", second)


async def test_object_check(company: Company) -> None:
    scenario, name = SCENARIOS["ObjectCheck"](company), f"long-{company.period}"
    await scenario.prepare(name)
    opened = await OPENINGS["ObjectCheck"](scenario, name)
    first = await execution_of(company, opened.workflow_id)
    while (await execution_of(company, opened.workflow_id)).run_id == first.run_id:
        await company.signal(opened.workflow_id)
    company.let_all_through()

    assert await wrong_in_the_end(company, opened) == ""
    await keep("object_check-goes_on_as_new", first)
    await keep("object_check-after_it_went_on", await execution_of(company, opened.workflow_id))


async def test_bank_refunds(company: Company) -> None:
    scenario, name = SCENARIOS["BankRefunds"](company), f"long-{company.period}"
    await scenario.prepare(name)
    opened = await scenario.open(name, Moment.OUTSTANDING)
    first = await execution_of(company, opened.workflow_id)
    # It takes no signal; in its life it is the questions of years that make it long.
    while (await execution_of(company, opened.workflow_id)).run_id == first.run_id:
        await company.signal(opened.workflow_id, "nobody_takes_it")
    second = await execution_of(company, opened.workflow_id)
    await opened.go_on()
    await second.result()

    assert await wrong_in_the_end(company, opened) == ""
    await keep("bank_refunds-goes_on_as_new", first)
    await keep("bank_refunds-after_it_went_on", second)
