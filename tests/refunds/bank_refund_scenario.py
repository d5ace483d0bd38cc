"""A month's refunds by bank transfer, to be pressed on."""

from contextlib import suppress

from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from models.bank.bank_refunds import BankRefundsRequest
from models.workflow_ids import WORKFLOW_QUEUE, bank_refunds_id
from tests.supervision.scenario import Moment, Opened, Scenario
from tests.support.run_control import until
from workflows.refunds.bank_refunds import BankRefunds

MONTH = "2026-10"


class BankRefundsScenario(Scenario):
    """In the end the month is decided, each account in credit drafted once, and nothing paid."""

    absent = {
        Moment.BEFORE_CALL: "asks no gateway",
        Moment.OUTSTANDING: "asks no gateway",
        Moment.PAGE_OPEN: "opens no page",
    }
    is_alone = True

    async def prepare(self, name: str) -> None:
        account = await self.company.merchant.account(f"acc-{name}")
        await self.company.merchant.run(
            "select duly.create_payment(:key, :account, 700, 'EUR', 'cash')", key=f"cash:{account}", account=account
        )

    async def open(self, name: str, moment: Moment) -> Opened:
        workflow_id = bank_refunds_id(MONTH)
        await self._start(workflow_id)
        if moment is not Moment.BEFORE_CALL:
            await until(lambda: self._is("waiting"))
        if moment is Moment.DONE:
            await self._release(workflow_id)

        async def go_on() -> None:
            # Before its row is written there is nothing that could go on: whoever has started it does so again.
            await self._start(workflow_id)
            await self._release(workflow_id)

        return Opened(workflow_id, go_on, self._wrong)

    async def _start(self, workflow_id: str) -> None:
        with suppress(WorkflowAlreadyStartedError):
            await self.company.duly.client.start_workflow(
                BankRefunds.run,
                BankRefundsRequest(MONTH),
                id=workflow_id,
                task_queue=WORKFLOW_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            )

    async def _release(self, workflow_id: str) -> None:
        await self.company.command(workflow_id, "release")

    async def _is(self, state: str) -> bool:
        return bool(await self.company.merchant.run("select from duly.bank_refund_months where state = :s", s=state))

    async def _wrong(self) -> str:
        refunds = "select id from duly.financial_transactions where classification = 'refund' and state = 'draft'"
        drafted = await self.company.merchant.run(refunds)
        is_right = len(drafted) == 1 and await self._is("released")
        return "" if is_right else f"{len(drafted)} drafted, or not released"
