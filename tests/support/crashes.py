"""A database and a gateway that crash at a chosen step: before it has any effect, or after it, with its answer lost."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.charges import Charge, ChargeResult
from models.gateway.refunds import RefundAnswer, RefundCall
from models.merchants.transfer import FoundTransfer, MoveOrder, TransfersOfPayment

Answer = TypeVar("Answer")


class Moment(StrEnum):
    """When the process dies: the step's effect is missing, or it is there and its answer is lost."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Crash:
    """One point at which a process can die."""

    step: str
    moment: Moment

    def __str__(self) -> str:
        return f"{self.moment} {self.step}"


class KilledError(BaseException):
    """The process is gone: no code of ours may catch this."""


class CrashTrigger:
    """Kills once, at its point; `has_blown` says whether the point was reached."""

    def __init__(self, crash: Crash) -> None:
        self._crash = crash
        self.has_fired = False

    async def guard(self, step: str, effect: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do a step, unless this is where the process dies."""
        if step != self._crash.step or self.has_fired:
            return await effect()
        self.has_fired = True
        if self._crash.moment is Moment.AFTER:
            try:
                await effect()
            finally:
                raise KilledError
        raise KilledError


class CrashingDatabase(Database):
    """The database, which crashes at the trigger's point."""

    def __init__(self, behind: Database, trigger: CrashTrigger) -> None:
        super().__init__(behind._engine)
        self._trigger = trigger

    async def call(self, function: str, *, timeout_seconds: float | None = None, **arguments: Any) -> Any:
        call = super().call
        return await self._trigger.guard(function, lambda: call(function, timeout_seconds=timeout_seconds, **arguments))


class CrashingGateway(StripeGateway):
    """The gateway, which crashes at the trigger's point, on the same connections."""

    def __init__(self, behind: StripeGateway, trigger: CrashTrigger) -> None:
        vars(self).update(vars(behind))
        self._trigger = trigger

    async def charge(self, charge: Charge) -> ChargeResult:
        effect = super().charge
        return await self._trigger.guard("charge", lambda: effect(charge))

    async def find_charge(self, charge: Charge, *, gateway_reference: str) -> ChargeResult | None:
        effect = super().find_charge
        return await self._trigger.guard("find_charge", lambda: effect(charge, gateway_reference=gateway_reference))

    async def refund(self, call: RefundCall) -> RefundAnswer:
        effect = super().refund
        return await self._trigger.guard("refund", lambda: effect(call))

    async def find_refund(self, call: RefundCall, *, gateway_reference: str) -> RefundAnswer | None:
        effect = super().find_refund
        return await self._trigger.guard("find_refund", lambda: effect(call, gateway_reference=gateway_reference))

    async def transfers_of(self, payment: TransfersOfPayment) -> Sequence[FoundTransfer]:
        effect = super().transfers_of
        return await self._trigger.guard("transfers_of", lambda: effect(payment))

    async def move(self, order: MoveOrder) -> None:
        effect = super().move
        await self._trigger.guard("move", lambda: effect(order))


def killable(
    database: Database, gateway: StripeGateway, trigger: CrashTrigger
) -> tuple[Database, StripeGateway, Clocks]:
    """What an activity needs of a gateway's worker, all of it dying by one trigger."""
    behind, at_gateway = CrashingDatabase(database, trigger), CrashingGateway(gateway, trigger)
    return behind, at_gateway, Clocks(behind, at_gateway)
