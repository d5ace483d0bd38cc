"""A payment request as a sender makes it and a payer pays it: by its link, in a browser."""

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
from models.payments.payment_request import PaymentLink, PaymentRequestInput, PaymentRequestResult
from models.payments.request_terms import PaymentRequestTerms
from models.workflow_ids import WORKFLOW_QUEUE, payment_request_id
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from webhook import Webhook, build_app
from workflows.payments.payment_request import PaymentRequest

Requested = WorkflowHandle[PaymentRequest, PaymentRequestResult]


def terms(account: str, amount_minor: int = 2500, **other: Any) -> PaymentRequestTerms:
    """Terms that are in order: an amount on account, unless invoices are named."""
    invoices = other.get("invoices", ())
    given = {
        "title": "Consulting in May",
        "sender": "maria",
        "currency": "" if invoices and not amount_minor else "EUR",
    }
    return PaymentRequestTerms(account_id=account, amount_minor=amount_minor, **(given | other))


async def make(
    duly: RunningDuly, id: str, wanted: PaymentRequestTerms, provider: str = "stripe"
) -> tuple[Requested, PaymentLink]:
    """Make a request and learn its link in one call, as a service does."""
    given = PaymentRequestInput(id, provider, wanted)
    start = WithStartWorkflowOperation(
        PaymentRequest.run,
        given,
        id=payment_request_id(id),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    link = await duly.client.execute_update_with_start_workflow(
        PaymentRequest.created, given, start_workflow_operation=start
    )
    return await start.workflow_handle(), link


async def ended(duly: RunningDuly, handle: Requested) -> PaymentRequestResult:
    """Let time pass until a request is over, and return what it came to."""
    async with duly.time_passing():
        return await handle.result()


async def reachable(merchant: Merchant, account: str) -> str:
    """Give an account an e-mail address."""
    await merchant.run("update duly.accounts set email = 'payer@example.com' where id = :id", id=account)
    return account


@dataclass(frozen=True)
class Payer:
    """Somebody with a link: what Duly shows, and what they do on the gateway's page."""

    browser: httpx.AsyncClient

    async def visit(self, path: str) -> httpx.Response:
        """Open the link."""
        return await self.browser.get(path)

    async def press(self, path: str, amount: str = "") -> str:
        """Press the button, and return the page that it leads to."""
        answer = await self.browser.post(path, data={"amount": amount} if amount else None)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def pay(self, path: str, card: str = "pm_card_visa") -> int:
        """Press the button and pay on the page; returns the gateway's answer."""
        return await submit(await self.press(path), card)


async def submit(page: str, card: str = "pm_card_visa") -> int:
    """Pay on a page of the gateway's."""
    async with httpx.AsyncClient() as browser:
        return (await browser.post(page, data={"card": card})).status_code


@asynccontextmanager
async def payer_at(database: Database, duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[Payer]:
    """Give somebody a browser on Duly's own address."""
    app = build_app(Webhook(EventInbox(database, "stripe"), duly.client, ("whsec_x",), ReceiverClock(gateway)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://duly") as client:
        yield Payer(client)
