"""Customers who owe or have paid in currencies of their own, while what looks after them is stopped."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from temporalio.service import RPCError

from activities.supervision.supervision import Progress, Supervision
from models.supervision.supervision import ObjectKind, Supervised, SupervisionRequest
from sandbox.stripe.control.messages import CurrencyTotal
from tests.fixtures.refunds import RefundClient
from tests.supervision.scenario import NOTHING
from tests.support.run_control import until
from workflows.supervision.resumption import resumable_of

REFUNDS = "POST /v1/refunds"
PAYMENT = "select transaction_id from duly.gateway_requests where account_id = :a and kind = 'payment'"


@dataclass(frozen=True)
class Customer:
    """A customer of one provider, in its currency."""

    client: RefundClient
    account: str

    @property
    def refund(self) -> str:
        """The name of the customer's refund."""
        return f"rf-{self.account}"

    async def payment(self) -> str:
        """Return what was paid."""
        return str(await self.client.merchant.value(PAYMENT, a=self.account))

    async def has_moved(self) -> bool:
        """Say whether the gateway has moved money."""
        return bool(self.totals())

    def totals(self) -> Sequence[CurrencyTotal]:
        """What its gateway has moved, on the account that is charged."""
        return self.client.sandbox.movements(account=self.client.gateway.account or None).totals


async def stop(handle: Any, how: str) -> None:
    """Press a button of Temporal's UI, unless the workflow is over."""
    with suppress(RPCError):
        await (handle.terminate("it hangs") if how == "terminate" else handle.cancel())


async def quiet_passes(all_of: Sequence[Customer]) -> None:
    """Let what was sent be so long ago that whatever was lost is absent."""
    async with all_of[0].client.owner_engine.begin() as owner:
        await owner.execute(text("update duly.gateway_attempts set sent_at = sent_at - interval '20 minutes'"))
        await owner.execute(text("update duly.gateway_events set next_try_at = now() where state = 'waiting'"))


async def until_owed(all_of: Sequence[Customer], *owed: int) -> None:
    """Let events come, and the supervisor look as if an hour had passed, until each owes so much."""
    of = all_of[0].client
    supervision = Supervision(of.database, of.duly.client, resumable_of, young=NOTHING, left_alone=NOTHING)

    async def is_owed() -> bool:
        for one in all_of:
            await one.client.deliver_events()
        for kind in ObjectKind:
            begun = Progress((), Supervised(kind))
            await supervision.compare(kind, SupervisionRequest(), begun=begun, beat=lambda _: None)
        return [await one.client.merchant.balance(one.account) for one in all_of] == list(owed)

    await until(is_owed)


async def wrong(all_of: Sequence[Customer]) -> list[object]:
    """What differs between the ledger and each gateway."""
    return [found for one in all_of for found in await one.client.wrong()]


def moved(all_of: Sequence[Customer]) -> list[tuple[int, int, int, int]]:
    """What each gateway has charged and given back: how often, and how much."""
    totals = [one.totals()[0] for one in all_of]
    return [
        (one.charges.count, one.charges.amount_minor, one.refunds.count, one.refunds.amount_minor) for one in totals
    ]
