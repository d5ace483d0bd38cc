"""Money of a deployed release that is on its way back, and cards that are being validated: opened there, ended here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from temporalio.client import WorkflowHandle

from models.disputes.dispute import DisputeRequest
from models.gateway.gateway_request import RequestKind
from models.refunds.refund import RefundOrder, RefundRequest
from models.workflow_ids import WORKFLOW_QUEUE, card_id, dispute_id, reduction_id, refund_id
from sandbox.customers.merchant import PROVIDER
from sandbox.stripe.control.client import Fault, FaultKind
from tests.upgrades.deployed_release import DeployedRelease
from tests.upgrades.under_way.open_collections import WHO, ask
from workflows.visibility import dispute_label

REFUNDS = "POST /v1/refunds"
WATCHED_REFUNDS = ("lost", "plain", "cancelled")
# The month that the release was kept with is paid: what is given back comes from there.
PAID = """
    select t.id, t.account_id, a.charge_reference from duly.financial_transactions t
    join duly.gateway_attempts a on a.payment_id = t.id and a.outcome = 'succeeded'
    where t.classification = 'payment' and t.state = 'posted' and t.currency = 'EUR'
        and not exists (select from duly.gateway_requests r where r.of_request_id = a.request_id)
    order by t.id limit 5
"""
WATCHED = """
    select r.id, p.award_id, r.gateway_reference from duly.reduction_parts p
    join duly.gateway_requests r on r.id = p.request_id
    where p.undone_by is null and r.gateway_reference is not null order by r.id limit 1
"""
REMEDY = """
    select case when bool_or(p.undone_by is not null)
        and bool_or(p.undone_by is null and (r.state = 'posted' or p.request_id is null and p.credit_id is not null))
        then 'remedied' else 'open' end as state
    from duly.reduction_parts p left join duly.gateway_requests r on r.id = p.request_id where p.award_id = %(id)s
"""


@dataclass
class Returns:
    """A refund whose answer is lost, one that is watched, a reward, two disputes, and two cards."""

    duly: DeployedRelease
    disputes: tuple[str, str] = ("", "")
    page: str = ""
    award: str = ""
    _losing: str = ""

    async def open(self) -> None:
        """Open them by the command line of the release."""
        paid = await ask(self.duly, PAID)
        assert len(paid) == 5, "too few payments to give back"
        lost, plain, cancelled, first, second = paid
        self._losing = str(lost["account_id"])
        self.lose_answer()
        await (await self._refund("plain", plain, 100)).execute_update("first_outcome")
        await (await self._refund("cancelled", cancelled)).execute_update("first_outcome")
        await self._refund("lost", lost, 100)
        self.disputes = await self._dispute(first["charge_reference"]), await self._dispute(second["charge_reference"])
        words = ("cards", "register", plain["account_id"], "--card", "card_on_page")
        registered = await self.duly.command(self.duly.code, *words)
        self.page = str(registered["first_outcome"]["url"])

    def lose_answer(self) -> None:
        """Let no refund of one account be answered."""
        whose = {"duly_account": self._losing}
        self.duly.control.add_fault(Fault(operation=REFUNDS, kind=FaultKind.RESPONSE_LOST, metadata=whose))

    async def end(self) -> None:
        """Let the gateway answer, send one refund back, decide both disputes, and the holder enter the card."""
        control = self.duly.control
        control.clear_faults()
        await self._signal(refund_id("lost"))
        await self.send_reward_back()
        for dispute, won in zip(self.disputes, (True, False), strict=True):
            control.close_dispute(dispute, won=won)
            await self._signal(dispute_id(dispute))
        async with httpx.AsyncClient() as browser:
            assert (await browser.post(self.page, data={"card": "pm_card_mastercard"})).status_code == 303
        await self._signal(card_id("card_on_page"))

    async def send_reward_back(self) -> None:
        """The bank sends a reward's refund back."""
        [watched] = await ask(self.duly, WATCHED)
        self.award = str(watched["award_id"])
        self.duly.control.fail_refund(watched["gateway_reference"])
        await self._signal(refund_id(watched["id"]))

    async def is_remedied(self) -> bool:
        """Say whether what came back was given in another way: by another refund, or as credit."""
        return await self._one(REMEDY, id=self.award) == "remedied"

    async def reduction(self) -> str:
        """The workflow of a reward whose refund may still come back."""
        return reduction_id(str((await ask(self.duly, WATCHED))[0]["award_id"]))

    async def wrong(self) -> dict[str, str]:
        """Say what is not as it has to be in the end."""
        wanted = {
            **{refund: (await self._state_of(refund), "posted") for refund in WATCHED_REFUNDS},
            "won": (await self._dispute_state(self.disputes[0]), "won"),
            "lost dispute": (await self._dispute_state(self.disputes[1]), "lost"),
            "card": (await self._one("select state from duly.cards where id = 'card_on_page'"), "active"),
            "award": (await self._one(REMEDY, id=self.award), "remedied"),
        }
        return {name: f"is {found}, not {end}" for name, (found, end) in wanted.items() if found != end}

    async def _state_of(self, refund: str) -> str:
        return await self._one("select state from duly.gateway_requests where id = %(id)s", id=f"{refund}")

    async def _dispute_state(self, dispute: str) -> str:
        return await self._one("select state from duly.disputes where id = %(id)s", id=dispute)

    async def _one(self, statement: str, **arguments: Any) -> str:
        rows = await ask(self.duly, statement, **arguments)
        return str(rows[0]["state"]) if rows else "missing"

    async def _refund(self, name: str, paid: Mapping[str, Any], amount_minor: int = 0) -> WorkflowHandle[Any, Any]:
        """Give a part of a payment back, or cancel all of it."""
        kind = RequestKind.REFUND if amount_minor else RequestKind.PAYMENT_CANCELLATION
        order = RefundOrder(name, paid["id"], amount_minor, kind, WHO["actor"], WHO["reason"], is_acknowledged=True)
        return await self.duly.client.start_workflow(
            "Refund", RefundRequest(name, PROVIDER, order), id=refund_id(name), task_queue=WORKFLOW_QUEUE
        )

    async def _dispute(self, charge: str) -> str:
        dispute = str(self.duly.control.create_dispute(charge)["id"])
        handle: WorkflowHandle[Any, Any] = await self.duly.client.start_workflow(
            "Dispute",
            DisputeRequest(dispute, PROVIDER),
            id=dispute_id(dispute),
            task_queue=WORKFLOW_QUEUE,
            **dispute_label(dispute, provider=PROVIDER),
        )
        await handle.execute_update("first_reading")
        return dispute

    async def _signal(self, workflow_id: str) -> None:
        await self.duly.client.get_workflow_handle(workflow_id).signal("gateway_event")
