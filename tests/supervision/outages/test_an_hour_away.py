"""A part that everything needs is away for an hour under each workflow: it goes on by itself, and money is right."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.client import (
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowInput,
    WorkflowExecutionStatus,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.database import DatabaseUnavailableError
from models.workflow_ids import MAIL_QUEUE
from sandbox.stripe.control.client import Fault, FaultKind
from tests.supervision.scenario import Company, CompanyWith, Moment
from tests.supervision.scenarios import SCENARIOS
from tests.support.invariants import complaints
from workflows.faults import REPEATED

AN_HOUR = timedelta(hours=1)
A_WHILE = timedelta(minutes=11)
TIMES = 30


class Part(StrEnum):
    """What is away, and how."""

    GATEWAY = "the gateway answers 503"
    GATEWAY_SILENT = "the gateway does what it is asked and does not answer"
    DATABASE = "the database is away"
    DATABASE_SILENT = "the database commits and does not answer"
    TEMPORAL = "Temporal takes no starts and signals"
    MAIL = "no mail is taken"


class PartAway(ClientInterceptor, Interceptor):
    """Lets activities meet a database, a mail server or a Temporal that is away, while it is."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.part = part
        self.is_away = False

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Stand before a worker's activities."""
        return _MeetingNobody(next, self)

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        """Stand before what activities ask of Temporal."""
        return _TakingNothing(next, self)


class _TakingNothing(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, away: PartAway) -> None:  # noqa: A002
        super().__init__(next)
        self._away = away

    async def start_workflow(self, input: StartWorkflowInput) -> Any:  # noqa: A002
        self._refuse()
        return await super().start_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:  # noqa: A002
        self._refuse()
        await super().signal_workflow(input)

    def _refuse(self) -> None:
        if self._away.is_away and self._away.part is Part.TEMPORAL:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")


class _MeetingNobody(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, away: PartAway) -> None:  # noqa: A002
        super().__init__(next)
        self._away = away

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        if self._away.is_away and self._away.part is Part.DATABASE:
            raise DatabaseUnavailableError("away")
        if self._away.is_away and self._away.part is Part.MAIL and activity.info().task_queue == MAIL_QUEUE:
            raise ConnectionRefusedError
        result = await super().execute_activity(input)
        if self._away.is_away and self._away.part is Part.DATABASE_SILENT:
            raise DatabaseUnavailableError("no answer")
        return result


@pytest.fixture
def away(part: Part) -> PartAway:
    """The part that will be away."""
    return PartAway(part)


@pytest.fixture
async def company(company_with: CompanyWith, away: PartAway) -> AsyncIterator[Company]:
    """A company whose parts may be away, on a server whose clock jumps."""
    async with company_with(away) as company:
        yield company


def cases() -> Iterator[Any]:
    """Every workflow under each part."""
    for workflow in sorted(SCENARIOS):
        for part in Part:
            yield pytest.param(workflow, part, id=f"{workflow}, {part}")


@pytest.mark.nightly
@pytest.mark.parametrize(("workflow", "part"), list(cases()))
async def test_an_hour_without_it_is_waited_for_and_the_money_is_right(
    company: Company, away: PartAway, workflow: str, part: Part
) -> None:
    scenario = SCENARIOS[workflow](company)
    name = f"away-{company.period}"
    await scenario.prepare(name)
    opened = await scenario.open(name, Moment.BEFORE_CALL)

    leave(company, away)
    company.gateway.let_go()
    with suppress(RPCError):
        await company.duly.environment.sleep(AN_HOUR)
    statuses = [await status_of(company, opened.workflow_id)]
    company.sandbox.clear_faults()
    away.is_away = False
    wrong = "not looked at"
    for _ in range(TIMES):
        with suppress(RPCError):
            await company.duly.environment.sleep(A_WHILE)
            statuses.append(await status_of(company, opened.workflow_id))
        await company.supervise()
        await opened.go_on()
        try:
            wrong = await opened.wrong()
        except IndexError:
            # Its first read of the database is still to be repeated: there is no row yet.
            wrong = "nothing is written"
        if not wrong:
            break

    assert wrong == ""
    # One that is started again for what was left may fail.
    assert workflow in REPEATED or has_not_failed(statuses)
    assert await complaints(company.sandbox, company.database, company.gateway) == []


async def status_of(company: Company, workflow_id: str) -> WorkflowExecutionStatus | None:
    """Return what became of the last execution; None of a shard whose run is not frozen: nobody has started it."""
    try:
        return (await company.duly.client.get_workflow_handle(workflow_id).describe()).status
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return None


def has_not_failed(statuses: Sequence[WorkflowExecutionStatus | None]) -> bool:
    """Say whether it never failed until it was completed: who starts a run again that is over is refused."""
    before_end = takewhile(lambda status: status is not WorkflowExecutionStatus.COMPLETED, statuses)
    return WorkflowExecutionStatus.FAILED not in before_end


def leave(company: Company, away: PartAway) -> None:
    """Let the part be away from now on."""
    away.is_away = True
    if away.part is Part.GATEWAY:
        company.sandbox.add_fault(Fault(operation="*", kind=FaultKind.UNAVAILABLE_503))
    elif away.part is Part.GATEWAY_SILENT:
        company.sandbox.add_fault(Fault(operation="POST *", kind=FaultKind.RESPONSE_LOST))
        company.sandbox.add_fault(Fault(operation="GET *", kind=FaultKind.UNAVAILABLE_503))
