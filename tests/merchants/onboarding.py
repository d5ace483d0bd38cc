"""A merchant as its operator connects it, and its owner completes it: by the link, on the gateway's pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from temporalio.client import WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from models.merchants.connection import (
    ConnectionLink,
    ConnectionTerms,
    MerchantConnectionInput,
    MerchantConnectionResult,
)
from models.workflow_ids import WORKFLOW_QUEUE, merchant_connection_id
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from webhook import Webhook, build_app
from workflows.merchants.merchant_connection import MerchantConnection

Connected = WorkflowHandle[MerchantConnection, MerchantConnectionResult]
EMAIL = "owner@bakery.example"


def terms(**other: Any) -> ConnectionTerms:
    """Terms that are in order: a new account, unless one is named."""
    given = {"country": "" if other.get("gateway_account") else "DE", "actor": "maria", "reason": "as agreed"}
    return ConnectionTerms(**({"email": EMAIL} | given | other))


async def participating(merchant: Merchant, id: str, *, is_on: bool = True) -> str:
    """Name a merchant, and switch it on for payments."""
    await merchant.run("insert into duly.merchants (id, name, currency) values (:id, 'Bakery', 'EUR')", id=id)
    if is_on:
        await merchant.run("select duly.switch_merchant_payments(:id, true, 'maria', 'it asked for it')", id=id)
    return id


async def history(merchant: Merchant, id: str) -> list[str]:
    """What became of a merchant's connection, the oldest first."""
    rows = await merchant.run(
        "select change from duly.merchant_connection_changes where merchant_id = :id order by id", id=id
    )
    return [row.change for row in rows]


async def connect(duly: RunningDuly, merchant_id: str, **other: Any) -> tuple[Connected, ConnectionLink]:
    """Connect a merchant and learn its link in one call, as a service does."""
    start = WithStartWorkflowOperation(
        MerchantConnection.run,
        MerchantConnectionInput(merchant_id, "stripe", terms(**other)),
        id=merchant_connection_id(merchant_id),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    link = await duly.client.execute_update_with_start_workflow(
        MerchantConnection.created, start_workflow_operation=start
    )
    return await start.workflow_handle(), link


async def stands(handle: Connected, stage: str) -> None:
    """Wait until a connection shows itself at a stage."""

    async def is_there() -> bool:
        return (await handle.query(MerchantConnection.status)).stage == stage

    await until(is_there)


@dataclass(frozen=True)
class Owner:
    """Somebody with a merchant's link: what Duly shows, and what they do on the gateway's pages."""

    browser: httpx.AsyncClient

    async def visit(self, path: str) -> httpx.Response:
        """Open the link."""
        return await self.browser.get(path)

    async def press(self, path: str) -> str:
        """Press the button, and return the page that it leads to."""
        answer = await self.browser.post(path)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def onboard(self, path: str, result: str = "complete") -> httpx.Response:
        """Press the button, tell the gateway everything or nothing, and come back to our page."""
        async with httpx.AsyncClient() as elsewhere:
            sent = await elsewhere.post(await self.press(path), data={"result": result})
        assert sent.status_code == 303, sent.text
        return await self.browser.get(httpx.URL(sent.headers["location"]).path, follow_redirects=True)


@asynccontextmanager
async def owner_at(database: Database, duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[Owner]:
    """Give somebody a browser on Duly's own address."""
    app = build_app(Webhook(EventInbox(database, "stripe"), duly.client, ("whsec_x",), ReceiverClock(gateway)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://duly") as client:
        yield Owner(client)
