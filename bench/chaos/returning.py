"""What customers want beside paying: refunds, cancellations, rewards, disputes, another card."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import Row
from temporalio.common import WorkflowIDConflictPolicy

from bench.chaos.company import BrittleCompany
from bench.chaos.persistence import until_answered
from models.cards.card import CardRegistration, CardRequest
from models.gateway.amounts import charge_step
from models.gateway.gateway_request import RequestKind
from models.reductions.reduction import Award, ReductionRequest
from models.refunds.refund import RefundOrder, RefundRequest
from models.workflow_ids import WORKFLOW_QUEUE, card_id, reduction_id, refund_id
from sandbox.customers.merchant import PROVIDER
from sandbox.stripe.control.client import ControlError
from workflows.cards.card_lifecycle import CardLifecycle
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.refunds.refund import Refund
from workflows.visibility import card_label, reduction_label, refund_label

# Of the payments that were made since the last time, in this order.
SHARES = {"refund": 0.08, "cancellation": 0.03, "reward": 0.05, "dispute": 0.02, "card": 0.03}
# Of those that were made by a link so many are refunded for certain.
BY_LINK = 2
START_SECONDS_MAX = 60.0

_PAID = """
select t.id, t.account_id, t.total_minor, t.currency, r.period, a.charge_reference,
    exists (select from duly.payment_requests q where (q.account_id, q.period) = (r.account_id, r.period)) as is_by_link
from duly.gateway_requests r join duly.financial_transactions t on t.id = r.transaction_id
join duly.gateway_attempts a on a.payment_id = t.id and a.outcome = 'succeeded'
where r.kind = 'payment' and r.state = 'posted' and r.provider_id = 'stripe' and t.state = 'posted' order by t.id
"""


@dataclass
class Returning:
    """What goes back of payments; each payment is chosen for one thing at most."""

    company: BrittleCompany
    counted: Counter[str] = field(default_factory=Counter)
    disputes: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    async def give_back(self, rng: Random) -> None:
        """Look at the payments that are new, and let some of them go back."""
        rows = await until_answered(lambda: self.company.database.rows(_PAID), seconds=60) or []
        fresh = [row for row in rows if row.id not in self._seen]
        self._seen |= {str(row.id) for row in fresh}
        rng.shuffle(fresh)
        by_link = [row for row in fresh if row.is_by_link][:BY_LINK]
        # What is taken first stands last.
        fresh = [*(row for row in fresh if row not in by_link), *by_link]
        total = len(fresh)
        for kind, share in SHARES.items():
            chosen = [fresh.pop() for _ in range(min(len(fresh), max(1, round(share * total))))]
            for row in chosen:
                await getattr(self, f"_{kind}")(row)
                self.counted[f"{kind}s"] += 1

    async def decide_disputes(self) -> None:
        """Let the banks decide what is still disputed: for the company, or against it."""
        for number, dispute in enumerate(self.disputes):
            try:
                self.company.control.close_dispute(dispute, won=number % 2 == 0)
            except ControlError:
                # It was decided before.
                continue
        await asyncio.sleep(0)

    async def _refund(self, row: Row[Any], kind: RequestKind = RequestKind.REFUND) -> None:
        name = f"back.{row.id}"
        amount = _third(row) if kind is RequestKind.REFUND else 0
        order = RefundOrder(name, row.id, amount, kind, reason="as agreed", is_acknowledged=True)
        label = refund_label(name, payment=row.id, account=row.account_id, provider=PROVIDER)
        await self._start(Refund.run, RefundRequest(name, PROVIDER, order), refund_id(name), label)

    async def _cancellation(self, row: Row[Any]) -> None:
        await self._refund(row, RequestKind.PAYMENT_CANCELLATION)

    async def _reward(self, row: Row[Any]) -> None:
        award = Award(f"reward_{row.id}", row.currency.lower(), row.account_id, _third(row), row.currency, row.id)
        request = ReductionRequest(award.award_id, PROVIDER, award)
        label = reduction_label(award.award_id, merchant=award.merchant_id, account=row.account_id)
        await self._start(BackEndReduction.run, request, reduction_id(award.award_id), label)

    async def _dispute(self, row: Row[Any]) -> None:
        """The cardholder disputes the charge: the company learns of it by an event, or by the next sweep."""
        self.disputes.append(str(self.company.control.create_dispute(row.charge_reference)["id"]))

    async def _card(self, row: Row[Any]) -> None:
        made = await until_answered(
            lambda: self.company.stripe.v1.payment_methods.create_async(
                {"type": "card", "card": {"token": "tok_visa"}}
            ),
            seconds=START_SECONDS_MAX,
        )
        if made is not None:
            id = f"card_{row.id}"
            registration = CardRegistration(id, row.account_id, PROVIDER, token=made.id)
            label = card_label(id, account=row.account_id, provider=PROVIDER)
            await self._start(CardLifecycle.run, CardRequest(id, PROVIDER, registration), card_id(id), label)

    async def _start(self, run: Any, request: object, id: str, label: Any) -> None:
        await until_answered(
            lambda: self.company.client.start_workflow(
                run,
                request,
                id=id,
                task_queue=WORKFLOW_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                **label,
            ),
            seconds=START_SECONDS_MAX,
        )


def _third(row: Row[Any]) -> int:
    """Return a third of a payment, in steps that the gateway takes."""
    step, total = charge_step(row.currency), int(row.total_minor)
    return max(step, total // (3 * step) * step)
