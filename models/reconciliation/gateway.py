"""The port through which a gateway's own books are read; its errors are those of models/gateway/errors.py."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.reconciliation.movement_kinds import EntryKind
from models.reconciliation.reconciliation import ListWindow


@dataclass(frozen=True)
class BalanceMovement:
    """One booking on the gateway's balance: signed amount before the fee, and the fee, in ISO minor units.

    What the ledger cannot express is in the gateway's units, with the currency's code in lower case.
    `exchange_rate` is text, as the gateway wrote it: nothing is computed with it. `application_fee_minor` is the part
    of the fee that a platform took of its merchant; on the platform's account such fees are movements by themselves,
    and their `source` is the merchant's charge.
    """

    id: str
    type: str
    category: str
    kind: EntryKind
    pocket: str
    source: str
    amount_minor: int
    fee_minor: int
    currency: str
    exchange_rate: str
    created_at: datetime
    available_on: datetime | None
    payout: str = ""
    application_fee_minor: int = 0


@dataclass(frozen=True)
class FoundObject:
    """What the gateway says of an object that moves money: whose it is, and which attempt of ours made it, if any.

    `created` is the gateway's moment, in Unix seconds. `method_type` is the gateway's word for how a charge was paid,
    `method` the payment method of the ledger that it is, if any; `invoices` are the numbers that it was made for,
    `application_fee_minor` what a platform takes of a charge, `destination` the account to which its money goes on.
    """

    id: str
    status: str = ""
    payment_reference: str = ""
    customer: str = ""
    attempt_key: str = ""
    account_id: str = ""
    amount_minor: int = 0
    currency: str = ""
    created: int = 0
    method_type: str = ""
    method: str = ""
    invoices: tuple[str, ...] = ()
    application_fee_minor: int = 0
    destination: str = ""


@dataclass(frozen=True)
class FoundPayout(FoundObject):
    """A payout. `arrives` is when the bank should have it, in Unix seconds; its lines are complete once it says so."""

    arrives: int = 0
    trace: str = ""
    is_automatic: bool = False
    has_lines: bool = False


@dataclass(frozen=True)
class MovementPage:
    """A page of movements, newest first; `cursor` continues behind it, and is empty at the end."""

    movements: tuple[BalanceMovement, ...]
    cursor: str


@dataclass(frozen=True)
class FoundObjectPage:
    """A page of another list, newest first."""

    objects: tuple[FoundObject, ...]
    cursor: str


class ReconciledGateway(Protocol):
    """The part of a gateway that shows its books."""

    async def movement_page(self, window: ListWindow, *, after: str) -> MovementPage:
        """Return the next page of a window's movements behind an id."""
        ...

    async def object_page(self, window: ListWindow, *, after: str) -> FoundObjectPage:
        """Return the next page of a window's refunds, disputes or payouts behind an id."""
        ...

    async def payout_page(self, payout: str, *, after: str) -> MovementPage:
        """Return the next page of the movements that an automatic payout consists of, behind an id."""
        ...

    async def movements_of(self, source: str, kind: EntryKind) -> tuple[BalanceMovement, ...]:
        """Return every movement of an object; of a charge on another account, what was taken of it and given back."""
        ...

    async def fee_movements(self, fee: str) -> tuple[BalanceMovement, ...]:
        """Return what a platform's fee has moved on its own balance, and what of it was given back."""
        ...

    async def read_object(self, source: str) -> FoundObject | None:
        """Read a charge, refund, dispute or payout; None where the gateway has no such object that we can read."""
        ...

    async def balances(self) -> dict[str, int]:
        """Return what lies at the gateway, available or pending, in minor units by currency."""
        ...
