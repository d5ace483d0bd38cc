"""Rewards for tests: a café that takes part, and awards made as a service makes them."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from activities.database import Database
from activities.reductions.merchants import Merchants, MerchantsDocument
from docs.examples.give_reward import give_reward
from models.reductions.reduction import Award, Reduction
from models.workflow_ids import reduction_id
from tests.fixtures.refunds import RefundClient


@dataclass
class ReductionClient:
    """Awards of one merchant, a café."""

    refunds: RefundClient
    database: Database
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def open(self, *, currency: str = "EUR", **settings: Any) -> None:
        """Let the café take part, with an account of its own."""
        if not await self.refunds.merchant.value("select count(*) from duly.accounts where id = 'acc_cafe'"):
            await self.refunds.merchant.account("acc_cafe", cards=[], currency=currency)
        document = {
            "merchants": [
                {"id": "cafe", "name": "Café", "currency": currency, "account": "acc_cafe", "reduction": settings}
            ]
        }
        await Merchants(self.database).apply(MerchantsDocument.model_validate(document))

    async def award(self, account: str, amount_minor: int, *, name: str = "", **options: Any) -> Reduction:
        """Award a reward, and return the reduction as it is accepted."""
        name = name or f"award_{next(self.numbers)}"
        award = Award(name, "cafe", account, amount_minor, options.pop("currency", "EUR"), **options)
        return await give_reward(self.refunds.duly.client, award)

    def workflow(self, name: str) -> WorkflowHandle[object, Reduction]:
        """The workflow of an award."""
        return self.refunds.duly.client.get_workflow_handle(reduction_id(name), result_type=Reduction)

    async def ended(self, name: str) -> Reduction:
        """Let time pass until a reduction is over."""
        async with self.refunds.duly.time_passing():
            return await self.workflow(name).result()

    async def expense(self) -> int:
        """What the café's rewards have cost us so far, its share taken off."""
        return int(
            await self.refunds.merchant.value(
                "select coalesce(sum(debit_minor - credit_minor), 0) from duly.ledger_entries"
                " where ledger_account = 'reward_expense:cafe'"
            )
        )


async def rule_of(rewards: ReductionClient, account: str, amount_minor: int = 500, **options: Any) -> str:
    """Award what may not be, and return the rule."""
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await rewards.award(account, amount_minor, **options)
    return str(getattr(refused.value.cause, "type", ""))
