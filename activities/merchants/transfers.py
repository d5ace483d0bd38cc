"""Passing payments on to merchants, and taking back what went back: what the ledger says, the transfers follow."""

import asyncio
from typing import Any, Protocol

import structlog
from aiolimiter import AsyncLimiter
from pydantic import TypeAdapter

from activities.database import Database
from activities.gateway.clocks import Clocks, GatewayWithClock
from activities.gateway.retries import retryable_gateway_errors
from models.gateway.errors import (
    GatewayBusyError,
    GatewayError,
    GatewayHeldError,
    GatewayInvalidRequestError,
    GatewayUnansweredError,
)
from models.merchants.transfer import MerchantTransfers, MoveOrder, TransfersOfPayment, as_found

log = structlog.get_logger(__name__)

# So many payments are read in one look; the next one goes on.
MOST, PAGE = 2_000, 100
# Reading goes at a pace of its own, so that payments keep theirs.
AT_ONCE, CALLS_PER_SECOND = 10, 25
# A payment is left for the next time after so many calls.
CALLS_MOST = 10

_PAYMENTS = TypeAdapter(list[TransfersOfPayment])
_ORDER = TypeAdapter(MoveOrder | None)


class GatewayWithTransfers(MerchantTransfers, GatewayWithClock, Protocol):
    """A gateway that passes payments on, and whose answers say what time it is there."""


class TransferSettlement:
    """Lets the transfers of a provider's payments follow the ledger. Safe to repeat at any point.

    Each call is written down before it is sent, and what the gateway shows afterwards is what counts: also what
    somebody moved in its dashboard, and what a restored database has forgotten.
    """

    def __init__(self, database: Database, gateway: GatewayWithTransfers) -> None:
        self._database = database
        self._gateway = gateway
        self._clocks = Clocks(database, gateway)
        self._pace = AsyncLimiter(CALLS_PER_SECOND, 1)

    async def settle(self, provider: str) -> int:
        """Settle payments that are due; return how many were looked at.

        Raises ApplicationError of type GatewayBusy: what was settled stays, and a retry goes on. No other error of one
        payment keeps others waiting: it is put off, and a person is shown what does not pass by itself.
        """
        if not await self._clocks.are_close():
            # How old a key is, and whether a call may still be under way, is known by clocks; it is said in the log.
            return 0
        seen = 0
        while seen < MOST:
            found = _PAYMENTS.validate_python(
                await self._database.call("transfers_to_settle", provider_id=provider, limit=PAGE)
            )
            if not found:
                break
            for start in range(0, len(found), AT_ONCE):
                with retryable_gateway_errors():
                    await asyncio.gather(*(self._settle_or_put_off(one) for one in found[start : start + AT_ONCE]))
            seen += len(found)
        return seen

    async def _settle_or_put_off(self, payment: TransfersOfPayment) -> None:
        try:
            await self._settle(payment)
        except GatewayBusyError:
            raise
        except GatewayError as error:
            log.warning("transfers_not_read", payment=payment.payment_reference, code=error.code)
            passes = isinstance(error, GatewayUnansweredError | GatewayHeldError)
            await self._database.call("put_off_transfers", id=payment.id, code=error.code, passes=passes)

    async def _settle(self, payment: TransfersOfPayment) -> None:
        sent = 0
        for _ in range(CALLS_MOST):
            async with self._pace:
                found = await self._gateway.transfers_of(payment)
            order = _ORDER.validate_python(
                await self._database.call("record_transfers", id=payment.id, found=as_found(found))
            )
            if order is None:
                return
            if order.place == sent:
                # It was made, and is not shown yet.
                await self._database.call("put_off_transfers", id=payment.id, code="not_shown_yet", passes=True)
                return
            if not await self._moved(payment, order):
                return
            sent = order.place

    async def _moved(self, payment: TransfersOfPayment, order: MoveOrder) -> bool:
        """Make one call; False when it came to nothing that is known now."""
        noted: dict[str, Any] = {"id": payment.id, "place": order.place}
        try:
            await self._gateway.move(order)
        except GatewayInvalidRequestError as error:
            log.warning("transfer_refused", payment=payment.payment_reference, kind=order.kind, code=error.code)
            await self._database.call("note_move_refused", **noted, code=error.code)
            return False
        except GatewayUnansweredError as error:
            await self._database.call("note_move_unanswered", **noted, code=error.code, is_final=error.is_final)
            return False
        return True
