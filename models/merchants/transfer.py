"""What a platform passes on to a merchant's account, and takes back: the port, and what it answers.

Source: Stripe's destination charges (docs.stripe.com/connect/destination-charges): the charge's money goes on by a
transfer of its own, which a refund or a lost dispute of the charge leaves where it is until it is reversed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from models.merchants.account import MerchantAccounts


class MoveKind(StrEnum):
    """Money that goes to a merchant's account, or comes back from there."""

    TRANSFER = "transfer"
    REVERSAL = "reversal"


@dataclass(frozen=True)
class FoundReversal:
    """A part of a transfer that came back. `connected_reference` is what left the merchant's account.

    `key` is ours, of what we sent; `moved_on` a day in UTC, as YYYY-MM-DD. Amount in minor units of ISO 4217.
    """

    reference: str
    connected_reference: str
    amount_minor: int
    currency: str
    key: str
    moved_on: str


@dataclass(frozen=True)
class FoundTransfer:
    """A transfer of a payment, by itself or given once more; `connected_reference` is what came to the account."""

    reference: str
    connected_reference: str
    amount_minor: int
    currency: str
    key: str
    moved_on: str
    is_of_payment: bool
    reversals: tuple[FoundReversal, ...] = ()


@dataclass(frozen=True)
class MoveOrder:
    """One call to make: a transfer to an account, or a reversal of a transfer, under its own key for good."""

    place: int
    kind: MoveKind
    amount_minor: int
    currency: str
    idempotency_key: str
    transfer: str
    destination: str
    group: str
    refunds_application_fee: bool
    installation: str


@dataclass(frozen=True)
class TransfersOfPayment:
    """Whose transfers are looked for: of a payment, to an account, those that were given once more by their group."""

    id: int
    payment_reference: str
    destination: str
    group: str


class MerchantTransfers(Protocol):
    """The part of a gateway that passes payments on."""

    async def transfers_of(self, payment: TransfersOfPayment) -> Sequence[FoundTransfer]:
        """Return every transfer of a payment with all that was taken back of it, the oldest first."""
        ...

    async def move(self, order: MoveOrder) -> None:
        """Make a transfer, or take one back. Raises GatewayInvalidRequestError where the money is not there."""
        ...


class MerchantGateway(MerchantAccounts, MerchantTransfers, Protocol):
    """All that merchants need of a gateway."""


def as_found(transfers: Sequence[FoundTransfer]) -> dict[str, Any]:
    """Return transfers as the database takes them."""
    return {"transfers": [{**vars(one), "reversals": [vars(each) for each in one.reversals]} for one in transfers]}
