"""What tests of refunds share: customers who have paid, and refunds asked for as a service does."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from activities.database import Database
from activities.event_inbox import EventInbox
from activities.gateway import StripeGateway
from activities.invariants import find_violations
from models.gateway_request import CollectResult, RequestKind
from models.refund import RefundOrder, RefundRequest, RefundResult
from sandbox.reconciliation import booked_movements, clearing_balances, compare_balances, compare_objects
from sandbox.stripe.control import SandboxControl
from tests.builders import Merchant
from tests.collecting.verdict import THE_BEGINNING
from tests.running import RunningDuly
from workflows.event_delivery import EventDelivery
from workflows.refund import Refund
from workflows.visibility import WORKFLOW_QUEUE, refund_id


@dataclass
class Till:
    """One merchant's paid customers, and the refunds of what they paid."""

    duly: RunningDuly
    merchant: Merchant
    database: Database
    gateway: StripeGateway
    owner_engine: AsyncEngine
    sandbox: SandboxControl
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def paid(
        self, *amounts_minor: int, card: str = "pm_card_visa", account: str = "", **options: Any
    ) -> list[str]:
        """Let a customer pay so many invoices, one a period; return the payments, oldest first."""
        account = account or await self.merchant.account(cards=[card], **options)
        payments = []
        for amount in amounts_minor:
            period = f"2025-{next(self.numbers) % 12 + 1:02d}-{next(self.numbers)}"
            await self.merchant.invoice(account, amount, currency=options.get("currency", "EUR"))
            # Waiting for the end would let the server's clock jump, for years perhaps; ours stays where it is.
            handle = await self.duly.start_collection(account, period)
            await handle.execute_update("first_outcome", result_type=CollectResult)
            # What is paid by credit on the account needs no payment.
            payments += [
                row.transaction_id
                for row in await self.merchant.run(
                    "select transaction_id from duly.gateway_requests where account_id = :a and period = :p",
                    a=account,
                    p=period,
                )
            ]
        return payments

    async def start(self, payment: str, amount_minor: int = 0, *, name: str = "", **options: Any) -> RefundResult:
        """Ask for a refund, and return the first answer."""
        name = name or f"rf_{next(self.numbers)}"
        options = {"is_acknowledged": True, "actor": "maria", "reason": "as agreed", **options}
        order = RefundOrder(name, payment, amount_minor, **options)
        start = WithStartWorkflowOperation[Refund, RefundResult](
            Refund.run,
            RefundRequest(name, "stripe", order),
            id=refund_id(name),
            task_queue=WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        first: RefundResult = await self.duly.client.execute_update_with_start_workflow(
            "first_outcome", start_workflow_operation=start, result_type=RefundResult
        )
        return first

    async def cancel(self, payment: str, *, name: str = "") -> RefundResult:
        """Ask for a payment to be cancelled."""
        return await self.start(payment, name=name, kind=RequestKind.PAYMENT_CANCELLATION)

    def workflow(self, name: str) -> WorkflowHandle[object, RefundResult]:
        """The workflow of a refund."""
        return self.duly.client.get_workflow_handle(refund_id(name), result_type=RefundResult)

    async def ended(self, name: str) -> RefundResult:
        """Let time pass until a refund is over."""
        async with self.duly.environment.time_skipping_unlocked():  # type: ignore[attr-defined]
            return await self.workflow(name).result()

    async def account_of(self, transaction: str) -> str:
        """Whose a transaction is."""
        return str(
            await self.merchant.value(
                "select account_id from duly.financial_transactions where id = :id", id=transaction
            )
        )

    async def state_of(self, transaction: str) -> str:
        """State of a transaction."""
        return str(
            await self.merchant.value("select state from duly.financial_transactions where id = :id", id=transaction)
        )

    async def owed(self, payment: str) -> int:
        """What the customer behind a payment owes, in minor units."""
        return await self.merchant.balance(await self.account_of(payment))

    async def deliver_events(self) -> None:
        """Receive everything that the gateway has to tell, and deliver it."""
        inbox = EventInbox(self.database, "stripe")
        since = datetime.fromtimestamp(self.sandbox.now(), UTC) - timedelta(days=1)
        await inbox.receive(*[event async for event in self.gateway.events(since)])
        await EventDelivery(inbox, self.duly.client).deliver_waiting()

    async def wrong(self) -> list[object]:
        """Everything in which ledger and gateway differ, object by object, and whatever breaks an invariant."""
        movements = [movement async for movement in self.gateway.movements(THE_BEGINNING)]
        ledger = await clearing_balances(self.database, "stripe")
        gateway = {total.currency.upper(): total.balance_minor for total in self.sandbox.books().totals}
        objects = compare_objects(movements, await booked_movements(self.database, "stripe"))
        return [*objects, *compare_balances(gateway, ledger), *await find_violations(self.owner_engine)]


@pytest.fixture
def till(
    duly: RunningDuly,
    merchant: Merchant,
    database: Database,
    gateway: StripeGateway,
    owner_engine: AsyncEngine,
    stripe_sandbox: SandboxControl,
) -> Till:
    """Somewhere to give money back at."""
    return Till(duly, merchant, database, gateway, owner_engine, stripe_sandbox)
