"""Payment requests, to be pressed on."""

from contextlib import suppress

from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowUpdateStage
from temporalio.service import RPCError

from models.workflow_ids import payment_request_id
from tests.payments.paying_by_link import make, reachable, terms
from tests.supervision.receivables import visit
from tests.supervision.scenario import Moment, Opened, Scenario


class PaymentRequestScenario(Scenario):
    """In the end it is paid, once; what was cancelled may be withdrawn."""

    call = "POST /v1/checkout/sessions"
    evidence = "GET /v1/checkout/sessions"

    async def prepare(self, name: str) -> None:
        merchant = self.company.merchant
        await reachable(merchant, await merchant.account(f"acc-{name}", cards=["pm_card_visa"]))

    async def open(self, name: str, moment: Moment) -> Opened:
        account = f"acc-{name}"
        handle = self.handle(payment_request_id(name))
        with suppress(WorkflowUpdateFailedError):
            # Refused after its row was written, it goes on from there.
            await make(self.company.duly, name, terms(account, is_mailed=True))
        if moment is Moment.BEFORE_CALL:
            with suppress(RPCError):
                await handle.start_update("open_page", wait_for_stage=WorkflowUpdateStage.ACCEPTED, result_type=str)
        elif moment in {Moment.OUTSTANDING, Moment.PAGE_OPEN, Moment.DONE}:
            await self._pay(handle.id, is_paid=moment is Moment.DONE)
        if moment is Moment.DONE:
            await self.company.signal(handle.id)
            await handle.result()

        async def go_on() -> None:
            await self._pay(handle.id, is_paid=True)
            await self.company.signal(handle.id)

        return Opened(handle.id, go_on, lambda: self._wrong(name, account))

    async def _pay(self, workflow_id: str, *, is_paid: bool) -> None:
        with suppress(RPCError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError):
            page: str = await self.handle(workflow_id).execute_update("open_page", result_type=str)
            if is_paid:
                await visit(page)

    async def _wrong(self, name: str, account: str) -> str:
        [row] = await self.company.merchant.run(
            "select state, end_reason from duly.payment_requests where id = :id", id=name
        )
        paid = -await self.company.merchant.balance(account)
        return "" if (row.state, paid) in {("paid", 2500), ("withdrawn", 0)} else f"{name} is {row}, {paid} was paid"
