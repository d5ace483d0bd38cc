"""Merchants that are being connected, to be pressed on."""

from contextlib import suppress

import httpx
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.service import RPCError

from models.merchants.connection import MerchantConnectionInput
from models.workflow_ids import WORKFLOW_QUEUE, merchant_connection_id
from tests.merchants.onboarding import participating, terms
from tests.supervision.scenario import Moment, Opened, Scenario
from tests.support.run_control import until
from workflows.merchants.merchant_connection import MerchantConnection


class MerchantConnectionScenario(Scenario):
    """In the end it is successful, on one account that is known, whatever the gateway has made beside it."""

    call = "POST /v1/accounts"
    evidence = "GET /v1/accounts/{id}"

    async def prepare(self, name: str) -> None:
        await participating(self.company.merchant, name)

    async def open(self, name: str, moment: Moment) -> Opened:
        handle = await self.company.duly.client.start_workflow(
            MerchantConnection.run,
            MerchantConnectionInput(name, "stripe", terms()),
            id=merchant_connection_id(name),
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
        # Before its row is written there is nothing that could go on; the command line writes it first.
        await until(lambda: self._is_written(name))
        if moment not in {Moment.BEFORE_CALL, Moment.OUTSTANDING}:

            async def is_made() -> bool:
                return bool(await self._account(name))

            await until(is_made)
        if moment is Moment.PAGE_OPEN:
            await self._page(handle.id)
        if moment is Moment.DONE:
            await self._onboard(handle.id)

        async def go_on() -> None:
            await self._onboard(handle.id)

        return Opened(handle.id, go_on, lambda: self._wrong(name))

    async def _page(self, workflow_id: str) -> str:
        with suppress(RPCError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError):
            page: str = await self.handle(workflow_id).execute_update("open_page", result_type=str)
            return page
        return ""

    async def _onboard(self, workflow_id: str) -> None:
        if page := await self._page(workflow_id):
            async with httpx.AsyncClient() as browser:
                await browser.post(page, data={"result": "complete"})
        await self.company.signal(workflow_id)

    async def _is_written(self, name: str) -> bool:
        return bool(
            await self.company.merchant.run("select from duly.merchant_connections where merchant_id = :id", id=name)
        )

    async def _account(self, name: str) -> str | None:
        [row] = await self.company.merchant.run(
            "select (select gateway_account from duly.merchant_connections where merchant_id = :id) as account", id=name
        )
        account: str | None = row.account
        return account

    async def _wrong(self, name: str) -> str:
        found = await self.company.merchant.run(
            "select state from duly.merchant_connections where merchant_id = :id", id=name
        )
        state = found[0].state if found else "not there"
        return "" if state == "successful" else f"{name} is {state}"
