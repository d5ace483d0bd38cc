"""Refunds and reductions, to be pressed on: what goes back goes back once."""

from models.reductions.reduction import Award, ReductionRequest
from models.refunds.refund import RefundOrder, RefundRequest
from models.workflow_ids import WORKFLOW_QUEUE, reduction_id, refund_id
from tests.reductions.reduction_client import ReductionClient
from tests.supervision.scenario import Company, Moment, Opened, Scenario
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.refunds.refund import Refund

REFUNDS = "POST /v1/refunds"
REFUND_LISTS = "GET /v1/refunds"


class RefundScenario(Scenario):
    """In the end the refund is paid and watched; one that its bank has sent back is undone."""

    absent = {Moment.PAGE_OPEN: "nobody pays a refund"}
    call = REFUNDS
    evidence = REFUND_LISTS

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self._payments: dict[str, str] = {}

    async def prepare(self, name: str) -> None:
        account = await self.company.merchant.account(f"acc-{name}")
        [self._payments[name]] = await self.company.refunds.paid(2500, account=account)

    async def open(self, name: str, moment: Moment) -> Opened:
        company, refund = self.company, f"rf-{name}"
        order = RefundOrder(refund, self._payments[name], 1000, actor="maria", reason="as agreed", is_acknowledged=True)
        handle = await company.duly.client.start_workflow(
            Refund.run, RefundRequest(refund, "stripe", order), id=refund_id(refund), task_queue=WORKFLOW_QUEUE
        )
        if moment is not Moment.BEFORE_CALL:
            await handle.execute_update("first_outcome")
        if moment is Moment.DONE:
            reference = "select gateway_reference from duly.gateway_requests where id = :id"
            company.sandbox.fail_refund(await company.merchant.value(reference, id=refund))
            await company.signal(handle.id)
            await handle.result()
        expected = ("reversed", False) if moment is Moment.DONE else ("posted", True)

        async def wrong() -> str:
            state = await company.merchant.value("select state from duly.gateway_requests where id = :id", id=refund)
            found = (state, await company.is_running(handle.id))
            return "" if found == expected else f"{refund}: {found}"

        return Opened(handle.id, lambda: company.signal(handle.id), wrong)


class ReductionScenario(Scenario):
    """In the end the customer has the reward, once."""

    absent = {Moment.PAGE_OPEN: "nobody pays a reward"}
    call = REFUNDS
    evidence = REFUND_LISTS

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self._rewards = ReductionClient(company.refunds, company.database)

    async def prepare(self, name: str) -> None:
        account = await self.company.merchant.account(f"acc-{name}")
        await self.company.refunds.paid(2500, account=account)
        await self._rewards.open()

    async def open(self, name: str, moment: Moment) -> Opened:
        company, award = self.company, f"award-{name}"
        if moment is Moment.DONE:
            # What cannot come back any more is over with its payment.
            await company.merchant.configure("[refund_rules]\nwatch_days = 0")
        workflow_id = reduction_id(award)
        await company.duly.client.start_workflow(
            BackEndReduction.run,
            ReductionRequest(award, "stripe", Award(award, "cafe", f"acc-{name}", 500, "EUR")),
            id=workflow_id,
            task_queue=WORKFLOW_QUEUE,
        )
        if moment is not Moment.BEFORE_CALL:
            await self.handle(workflow_id).execute_update("accepted")
        if moment is Moment.WAITING:
            await self.handle(workflow_id).execute_update("first_outcome")
        elif moment is Moment.DONE:
            await self.handle(workflow_id).result()

        async def go_on() -> None:
            for refund in await self._refunds_of(award):
                await company.signal(refund_id(refund))
            await company.signal(workflow_id, "payment_changed")

        async def wrong() -> str:
            states = [await self._state_of(refund) for refund in await self._refunds_of(award)]
            closed = await company.merchant.value(
                "select closed_at is not null from duly.reductions where award_id = :award", award=award
            )
            found = (states, closed or await company.is_running(workflow_id))
            return "" if found == (["posted"], True) else f"{award}: {found}"

        return Opened(workflow_id, go_on, wrong)

    async def _refunds_of(self, award: str) -> list[str]:
        parts = "select request_id from duly.reduction_parts where award_id = :award and request_id is not null"
        return [row.request_id for row in await self.company.merchant.run(parts, award=award)]

    async def _state_of(self, refund: str) -> str:
        return str(
            await self.company.merchant.value("select state from duly.gateway_requests where id = :id", id=refund)
        )
