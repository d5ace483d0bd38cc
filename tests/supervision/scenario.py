"""What is pressed on: a workflow at each of its moments, how it is helped on, and when what it looks after is right."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar

from temporalio.client import Client, Interceptor, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from activities.database import Database
from activities.supervision.running import running_among
from activities.supervision.supervision import Progress, Supervision
from models.operator_command import OperatorCommand
from models.supervision.supervision import ObjectKind, Supervised, SupervisionRequest
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.fixtures.refunds import RefundClient
from tests.support.builders import Merchant
from tests.support.gateways import HeldGateway
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.supervision.resumption import resumable_of

NOTHING = timedelta(0)
WHO = OperatorCommand("maria", "all is well by now")


class Moment(StrEnum):
    """Where a workflow may be when somebody presses a button."""

    BEFORE_CALL = "before the call"
    OUTSTANDING = "answer outstanding"
    WAITING = "waiting"
    PAGE_OPEN = "page open"
    DONE = "done"


@dataclass
class Company:
    """A company with customers of its own names: tests share the server's ids."""

    duly: RunningDuly
    merchant: Merchant
    database: Database
    gateway: HeldGateway
    sandbox: SandboxControl
    refunds: RefundClient
    period: str

    async def supervise(self) -> None:
        """Let the supervisor compare everything, as if an hour had passed since a person ended something."""
        supervision = Supervision(self.database, self.duly.client, resumable_of, young=NOTHING, left_alone=NOTHING)
        for kind in ObjectKind:
            begun = Progress((), Supervised(kind))
            await supervision.compare(kind, SupervisionRequest(), begun=begun, beat=lambda _: None)

    async def is_running(self, workflow_id: str) -> bool:
        """Say whether a workflow runs."""
        try:
            described = await self.duly.client.get_workflow_handle(workflow_id).describe()
        except RPCError:
            return False
        return described.close_time is None

    async def signal(self, workflow_id: str, name: str = "gateway_event") -> None:
        """Signal a workflow, if it runs."""
        with suppress(RPCError):
            await self.duly.client.get_workflow_handle(workflow_id).signal(name)

    async def deliver(self) -> None:
        """Deliver the gateway's events, as if pages had been open for an hour and it were time for the next try."""
        await self.merchant.run(
            "update duly.gateway_attempts set sent_at = sent_at - interval '1 hour' where channel = 'hosted_page'"
            " and outcome is null"
        )
        await self.merchant.run("update duly.gateway_events set next_try_at = now() where state = 'waiting'")
        await self.refunds.deliver_events()

    async def command(self, workflow_id: str, update: str, command: object = WHO) -> None:
        """Send a command to a workflow, if it runs and takes it."""
        with suppress(RPCError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError):
            await self.duly.client.get_workflow_handle(workflow_id).execute_update(
                update, command, rpc_timeout=timedelta(seconds=5)
            )

    def hold_up(self, moment: Moment, call: str, evidence: str) -> None:
        """Let calls of a kind not leave, or have no answer and leave no trace that can be read."""
        if moment is Moment.BEFORE_CALL:
            self.gateway.hold(call)
        elif moment is Moment.OUTSTANDING:
            self.sandbox.add_fault(Fault(operation=call, kind=FaultKind.RESPONSE_LOST, probability=1.0))
            self.sandbox.add_fault(Fault(operation=evidence, kind=FaultKind.UNAVAILABLE_503, probability=1.0))

    def let_all_through(self) -> None:
        """Let every call through."""
        self.sandbox.clear_faults()
        self.gateway.let_go()


CompanyWith = Callable[[Interceptor], AbstractAsyncContextManager[Company]]
"""How a test gets a company all of whose calls go through an interceptor."""


@dataclass(frozen=True)
class Opened:
    """A workflow at its moment: its id, what helps it on, and what is wrong with what it looks after, if anything."""

    workflow_id: str
    go_on: Callable[[], Awaitable[None]]
    wrong: Callable[[], Awaitable[str]]


class Scenario:
    """One type of workflow. `absent` says why it has no such moment."""

    absent: ClassVar[Mapping[Moment, str]] = {}
    # What it asks of the gateway, and where that can be read afterwards.
    call: ClassVar[str] = ""
    evidence: ClassVar[str] = ""
    # Whether several stand side by side in one company; a run takes everybody.
    is_alone: ClassVar[bool] = False
    # Whether it decides itself what a Cancel means.
    answers_cancel: ClassVar[bool] = True

    def __init__(self, company: Company) -> None:
        self.company = company

    async def prepare(self, name: str) -> None:
        """Have what it needs, while the gateway answers everybody."""

    async def open(self, name: str, moment: Moment) -> Opened:
        """Start it and lead it to a moment; `before the call` it is only started."""
        raise AssertionError(f"{name}: {moment}")

    def hold_up(self, moment: Moment) -> None:
        """Make the gateway behave as the moment wants it."""
        self.company.hold_up(moment, self.call, self.evidence)

    def handle(self, workflow_id: str) -> Any:
        """The workflow of an id."""
        return self.company.duly.client.get_workflow_handle(workflow_id)


async def seen_as_running(client: Client, ids: Sequence[str], number: int) -> None:
    """Wait until visibility, which is late by a moment, lists so many of some workflows as running."""

    async def is_seen() -> bool:
        return len(await running_among(client, ids)) == number

    await until(is_seen)


async def nothing() -> None:
    """Nothing more is needed."""
