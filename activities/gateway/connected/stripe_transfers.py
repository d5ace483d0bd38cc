"""Transfers to merchants' accounts at Stripe Connect: found with all that was taken back of them, made, reversed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import stripe

from activities.gateway.translation import metadata_at, optional, translating_errors
from models.gateway.amounts import from_books, to_gateway
from models.gateway.identity import ATTEMPT, INSTALLATION
from models.merchants.transfer import FoundReversal, FoundTransfer, MoveKind, MoveOrder, TransfersOfPayment
from models.money import Money

_PAGE = 100
_PURPOSE = "duly_purpose"


class StripeTransfers:
    """Destination charges make a transfer by themselves; what is given once more is grouped by its payment."""

    _client: stripe.StripeClient

    async def transfers_of(self, payment: TransfersOfPayment) -> Sequence[FoundTransfer]:
        """Read the payment's own transfer by its charge, and those of its group: none before the charge is booked."""
        with translating_errors():
            intent = await self._client.v1.payment_intents.retrieve_async(
                payment.payment_reference, {"expand": ["latest_charge.transfer"]}
            )
            own = optional(optional(intent, "latest_charge"), "transfer")
            again = await self._client.v1.transfers.list_async(
                {"transfer_group": payment.group, "destination": payment.destination, "limit": _PAGE}
            )
            others = [each async for each in again.auto_paging_iter()]
            mine = [own] if isinstance(own, stripe.Transfer) else []
            known = {each.id for each in mine}
            found = [*mine, *(each for each in reversed(others) if each.id not in known)]
            return [await self._with_reversals(each, is_of_payment=each.id in known) for each in found]

    async def move(self, order: MoveOrder) -> None:
        """Create a transfer, or a reversal of one, under the order's key."""
        amount = to_gateway(Money(order.amount_minor, order.currency))
        metadata = {
            ATTEMPT: order.idempotency_key,
            INSTALLATION: order.installation,
            _PURPOSE: order.kind.value,
        }
        with translating_errors():
            if order.kind is MoveKind.REVERSAL:
                await self._client.v1.transfers.reversals.create_async(
                    order.transfer,
                    {
                        "amount": amount,
                        "metadata": metadata,
                        "refund_application_fee": order.refunds_application_fee,
                    },
                    {"idempotency_key": order.idempotency_key},
                )
            else:
                await self._client.v1.transfers.create_async(
                    {
                        "amount": amount,
                        "currency": order.currency.lower(),
                        "destination": order.destination,
                        "transfer_group": order.group,
                        "metadata": metadata,
                    },
                    {"idempotency_key": order.idempotency_key},
                )

    async def _with_reversals(self, transfer: stripe.Transfer, *, is_of_payment: bool) -> FoundTransfer:
        reversals: list[stripe.TransferReversal] = []
        if transfer.amount_reversed:
            listed = await self._client.v1.transfers.reversals.list_async(transfer.id, {"limit": _PAGE})
            reversals = [each async for each in listed.auto_paging_iter()][::-1]
        return FoundTransfer(
            **_moved(transfer, optional(transfer, "destination_payment")),
            is_of_payment=is_of_payment,
            reversals=tuple(
                FoundReversal(**_moved(each, optional(each, "destination_payment_refund"))) for each in reversals
            ),
        )


def _moved(found: Any, connected: Any) -> dict[str, Any]:
    currency, (amount_minor,) = from_books(found.currency, found.amount)
    return {
        "reference": found.id,
        "connected_reference": str(connected or ""),
        "amount_minor": amount_minor,
        "currency": currency,
        "key": metadata_at(found).get(ATTEMPT, ""),
        "moved_on": datetime.fromtimestamp(found.created, UTC).date().isoformat(),
    }
