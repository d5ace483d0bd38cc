"""Only a decision fails a business workflow for good: after any other fault it goes on from its rows."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from tests.supervision.failing_activities import FailingActivities, Failure
from tests.supervision.scenario import Company, CompanyWith, Moment
from tests.supervision.scenarios import SCENARIOS
from tests.support.invariants import complaints
from workflows.faults import REPEATED

# What refuses by right what its workflow was started for: then nothing was written.
DECIDES = frozenset(
    {
        "freeze_billing_run",
        "freeze_payment_run",
        "freeze_refund_run",
        "hand_out_link",
        "open_collection",
        "open_merchant_connection",
        "open_payment_request",
        "open_reduction",
        "read_dispute",
        "refund",
        "register_card",
    }
)
# A read in the workflow's own worker, before anything has begun: what is refused there was not started.
CHECKS_STARTS = frozenset({"configured_providers"})
# Longer than a workflow stands still after a fault, and so often at most.
A_WHILE = timedelta(minutes=11)
TIMES = 30


@pytest.fixture
def failing(failure: Failure) -> FailingActivities:
    """Activities that fail in one way."""
    return FailingActivities(failure, CHECKS_STARTS | DECIDES if failure is Failure.REFUSED else CHECKS_STARTS)


@pytest.fixture
async def failing_company(company_with: CompanyWith, failing: FailingActivities) -> AsyncIterator[Company]:
    """A company whose activities fail, on a server whose clock jumps."""
    async with company_with(failing) as company:
        yield company


def cases() -> Iterator[Any]:
    """Every workflow of which each is the only one that does its work; the gate has one failure of each."""
    for place, workflow in enumerate(sorted(set(SCENARIOS) - REPEATED)):
        for number, failure in enumerate(Failure):
            marks = () if number == place % len(Failure) else pytest.mark.nightly
            yield pytest.param(workflow, failure, marks=marks, id=f"{workflow}, {failure}")


@pytest.mark.gate_cases(
    "Collection, refused by a rule that nobody knows",
    "Dispute, refused after its commit",
    "PaymentRunShard, refused by a rule that nobody knows",
    "Refund, refused after its commit",
)
@pytest.mark.slow
@pytest.mark.parametrize(("workflow", "failure"), list(cases()))
async def test_a_fault_in_any_activity_suspends_the_workflow_and_the_money_is_right_in_the_end(
    failing_company: Company, failing: FailingActivities, workflow: str
) -> None:
    company, scenario = failing_company, SCENARIOS[workflow](failing_company)
    name = f"fails-{company.period}"
    await scenario.prepare(name)
    failing.is_on = True
    opened = await scenario.open(name, Moment.BEFORE_CALL)

    wrong, statuses = "not looked at", set()
    for _ in range(TIMES):
        with suppress(RPCError):
            # The server may need more than its half minute for all that happens in a while.
            await company.duly.environment.sleep(A_WHILE)
            statuses.add((await scenario.handle(opened.workflow_id).describe()).status)
        await company.supervise()
        await opened.go_on()
        if not (wrong := await opened.wrong()):
            break

    assert wrong == ""
    assert failing.failed
    assert failing.failure is Failure.REFUSED_AFTERWARDS or WorkflowExecutionStatus.FAILED not in statuses
    assert await complaints(company.sandbox, company.database, company.gateway) == []
