"""A deployed release in the middle of its business: everything that may be open, and what an operator does with it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from sandbox.stripe.control.client import Fault, FaultKind
from tests.upgrades.deployed_release import DeployedRelease
from tests.upgrades.months import bill, start_payments
from tests.upgrades.under_way.open_collections import CHARGES, LISTS, STAGES, Receivable, ask
from tests.upgrades.under_way.open_returns import Returns

PERIOD = "2026-11"
# Nothing but a command ends a wait: a test takes as long as its machine does.
POLICY = """
[[dunning_policies]]
id = "demo"
declined_after = ["PT1H", "PT1H", "PT1H"]
technical_after = ["PT1H", "PT1H"]
customer_deadline = "P1D"
evidence_after = ["PT1S", "PT5M"]
review_after = "PT1M"
"""
# Who has one card, which is always charged unless a test says otherwise.
PAYERS = """
    select c.account_id, min(c.token) as token from duly.cards c join duly.accounts a on a.id = c.account_id
    where c.state = 'active' and a.state = 'active' and exists (
        select from duly.gateway_requests r join duly.gateway_attempts t on t.request_id = r.id
        where r.account_id = c.account_id and r.kind = 'payment' and r.period = '2026-10' and t.attempt = 1
            and t.outcome = 'succeeded')
    group by c.account_id having count(*) = 1 order by c.account_id
"""
CHARGED_TWICE = """
    select r.account_id, r.period from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id
    where r.kind = 'payment' and a.outcome = 'succeeded' group by r.account_id, r.period having count(*) > 1
"""
# More than the longest pause of the policy: an event that comes too early is followed by that.
SECONDS = 600


class OpenBusiness:
    """Collections at every stage, refunds, a reward, disputes and a card, begun by the workers of a release."""

    def __init__(self, duly: DeployedRelease, folder: Path) -> None:
        self.duly, self._folder = duly, folder
        self.receivables: list[Receivable] = []
        self.returns = Returns(duly)

    async def open(self) -> None:
        """Bill and collect a month, so that each payer's collection stands at a stage of its own."""
        duly = self.duly
        policy = self._folder / "policy.toml"
        policy.write_text(POLICY, encoding="utf-8")
        await duly.command(duly.code, "definitions", "apply", str(policy))
        await self.returns.open()
        await bill(duly, duly.code, PERIOD)
        for number, payer in enumerate(await ask(duly, PAYERS)):
            stage = STAGES[number % len(STAGES)]
            self.receivables.append(Receivable(duly, payer["account_id"], PERIOD, payer["token"], stage))
            if stage.answers:
                duly.control.script_card(payer["token"], *stage.answers)
        assert len(self.receivables) >= 2 * len(STAGES)
        self.lose_answers()
        duly.control.add_fault(Fault(operation=LISTS, kind=FaultKind.UNAVAILABLE_503))
        await (await start_payments(duly, duly.code, PERIOD)).result()
        for receivable in self.receivables:
            await self.until_it_waits(receivable)
            await receivable.stage.before(receivable)
        # What is known of the charges can be read again: a worker that starts asks for as much.
        duly.control.clear_faults()
        self.lose_answers()
        self.returns.lose_answer()

    def lose_answers(self) -> None:
        """Let no charge of those whose outcome nobody knows be answered."""
        for receivable in self.receivables:
            if kind := receivable.stage.fault:
                whose = {"duly_account": receivable.account}
                self.duly.control.add_fault(Fault(operation=CHARGES, kind=kind, metadata=whose))

    async def go_on(self, receivables: Sequence[Receivable]) -> None:
        """Do to each what brings it to its end."""
        for receivable in receivables:
            await receivable.stage.after(receivable)

    async def go_on_where_open(self, receivables: Sequence[Receivable]) -> None:
        """Do the same to those that have been resumed and wait; what was known elsewhere may have ended them."""
        for receivable in receivables:
            await self.until_it_waits(receivable)
            if (await receivable.handle.query("status"))["stage"] in {"dunning", "waiting_for_customer"}:
                await receivable.stage.after(receivable)

    async def ends(self, receivables: Sequence[Receivable]) -> dict[str, str]:
        """Wait for the ends of some, and return those that are not as they have to be, or do not come."""
        found = await asyncio.gather(*(self._end_of(receivable) for receivable in receivables))
        return {name: end for name, end in found if end}

    async def until(self, is_so: Callable[[], Awaitable[Any]]) -> None:
        """Wait until something is so; TimeoutError otherwise."""
        async with asyncio.timeout(SECONDS):
            while not await is_so():  # noqa: ASYNC110  # another process's state
                await asyncio.sleep(0.2)

    async def statuses(self) -> Counter[WorkflowExecutionStatus | None]:
        """Count every workflow of the namespace by where it stands."""
        return Counter([found.status async for found in self.duly.client.list_workflows()])

    async def charged_twice(self) -> list[dict[str, Any]]:
        """Which receivables have been paid by two attempts; what waits may still be charged once."""
        return await ask(self.duly, CHARGED_TWICE)

    async def forget(self, workflow_id: str, run_id: str = "") -> None:
        """Let the server know nothing of a workflow, as after its retention, or after a restore of its database."""
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        client = self.duly.client
        request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
        await client.workflow_service.delete_workflow_execution(request)

        async def is_gone() -> bool:
            try:
                await client.get_workflow_handle(workflow_id, run_id=run_id or None).describe()
            except RPCError as error:
                return error.status is RPCStatusCode.NOT_FOUND
            return False

        await self.until(is_gone)

    async def purge(self) -> int:
        """Forget every workflow that is over; return how many there were."""
        closed = [found async for found in self.duly.client.list_workflows("ExecutionStatus != 'Running'")]
        for found in closed:
            await self.forget(found.id, found.run_id)
        return len(closed)

    async def until_it_waits(self, receivable: Receivable) -> None:
        """Wait until a collection has made its first attempt and waits, or is over."""

        async def waits() -> bool:
            try:
                return bool((await receivable.handle.query("status"))["stage"] != "collecting")
            except RPCError:
                return False

        await self.until(waits)

    async def _end_of(self, receivable: Receivable) -> tuple[str, str]:
        name = f"{receivable.account}, {receivable.stage.name}"
        try:
            async with asyncio.timeout(SECONDS):
                result = await receivable.handle.result()
        except TimeoutError:
            return name, f"does not end: {await receivable.handle.query('status')}"
        found = (result["stage"], result["reason"])
        return name, "" if found == receivable.stage.ends else f"ended as {found}"
