"""The port through which money moves: the calls of a gateway, and the four ways in which it can answer.

Succeeded and declined are values. "It did not happen" and "nobody knows" are different errors, because one may be
repeated freely and the other blocks every further attempt until there is evidence (design: effects happen once).
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from models.gateway.decline import Decline
from models.gateway.events import EventCursor, GatewayEvent
from models.gateway.identity import Identity
from models.gateway.movements import Movement, MovementKind

# So many numbers are readable on a page; the gateway cuts long names off without a word.
PAGE_INVOICES = 5


class ChargeStatus(StrEnum):
    """Where a charge stands at the gateway."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    PROCESSING = "processing"
    CANCELED = "canceled"


@dataclass(frozen=True)
class PageBrand:
    """How a page of the gateway's looks: the seller's name at its top, its logo, colours of button and background.

    Colours are written #rrggbb, the logo is an address. Empty is what the gateway's account has.
    """

    name: str = ""
    color: str = ""
    background_color: str = ""
    logo_url: str = ""


NO_BRAND = PageBrand()


@dataclass(frozen=True)
class Charge:
    """One charge to make. Amount in the currency's minor units of ISO 4217; ids and tokens only.

    `invoices` are the numbers of those that it is for; a page names them to its customer, or says the `title` instead.
    `known_references` are what other attempts came to. `is_key_used`: somebody has used the key before, perhaps
    for another amount. `methods` are the provider's payment methods, of which a page offers those that fit,
    `brand` how it looks. `application_fee_minor` is what the platform takes of a payment on its merchant's account.
    `destination` is the merchant's account to which the money of a payment on the platform's goes on.
    `is_stopped`: nothing new may be taken through the provider, so that a page that is found open is closed.
    """

    idempotency_key: str
    request_id: str
    account_id: str
    payment_id: str
    amount_minor: int
    currency: str
    customer: str
    token: str
    invoices: tuple[str, ...] = ()
    installation: str = ""
    period: str = ""
    purpose: str = "payment"
    known_references: tuple[str, ...] = ()
    is_key_used: bool = False
    title: str = ""
    methods: tuple[str, ...] = ()
    brand: PageBrand = NO_BRAND
    application_fee_minor: int = 0
    destination: str = ""
    is_stopped: bool = False

    @property
    def identity(self) -> Identity:
        """What the gateway knows the charge by."""
        return Identity(
            self.idempotency_key,
            self.request_id,
            self.account_id,
            installation=self.installation,
            purpose=self.purpose,
            period=self.period,
        )


def page_title(invoices: Sequence[str]) -> str:
    """Return what a page is for, in any language: the numbers of the invoices, and how many more there are."""
    named, others = invoices[:PAGE_INVOICES], len(invoices) - PAGE_INVOICES
    return ", ".join([*named, f"+ {others}"] if others > 0 else named)


@dataclass(frozen=True)
class ChargeResult:
    """What the gateway answers about a charge. The movement, with the fee, is None until the gateway has booked it.

    `found_minor` is the amount of money that moved where it is another than was requested: only evidence has it.
    `page`: the page on which somebody may still pay. `code` says of what is processing why it is.
    `method_type`: the gateway's type of what was charged.
    """

    status: ChargeStatus
    gateway_reference: str
    charge_reference: str = ""
    decline: Decline | None = None
    movement: Movement | None = None
    found_minor: int | None = None
    page: "PaymentPage | None" = None
    code: str = ""
    # Read of pages, where the payer chooses; a charge of a saved card is the card's, and its answer is read without it.
    method_type: str = field(default="", compare=False)


@dataclass(frozen=True)
class PaymentPage:
    """A hosted page, open until `expires_at`; `is_for_charge`: it asks for what is to be charged."""

    gateway_reference: str
    url: str
    expires_at: datetime
    is_for_charge: bool = True


class ChargeGateway(Protocol):
    """What a provider must have to be charged through (docs/bank-debits.md).

    Every method may raise the errors of models/gateway/errors.py, and nothing else.
    """

    async def charge(self, charge: Charge) -> ChargeResult:
        """Charge a saved card or a mandate; the same key always means the same charge.

        One whose answer comes later is PROCESSING until find_charge says how it ended, with the code ANSWERS_LATER.
        """
        ...

    async def read_fingerprint(self, token: str) -> str:
        """Read what is the same for all tokens of one card; empty where the gateway says nothing of it."""
        ...

    async def find_charge(self, charge: Charge, *, gateway_reference: str) -> ChargeResult | None:
        """Look for evidence of a charge: by reference, else in the complete list. None: the gateway never saw it.

        What was made for the same receivable and is no other attempt's counts, under whichever key and channel.
        """
        ...

    async def find_page_payment(self, charge: Charge, *, gateway_reference: str) -> ChargeResult | None:
        """Find what a page came to: processing while it is open, None when it ended unpaid.

        Of a charge that is stopped, a page that is open is closed first.
        """
        ...

    async def verify(self) -> None:
        """Make sure that the gateway is there and takes our key."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Gateway(ChargeGateway, Protocol):
    """A payment gateway with pages, events and a balance of its own."""

    async def open_page(self, charge: Charge, *, return_url: str) -> PaymentPage:
        """Open a hosted page where the customer pays the charge; the same key always means the same page."""
        ...

    async def close_page(self, charge: Charge, *, gateway_reference: str) -> ChargeResult | None:
        """Close a page for good and return what it came to; None: nobody paid, and nobody can any more."""
        ...

    def events(self, since: datetime, after: EventCursor | None = None) -> AsyncIterator[GatewayEvent]:
        """Every event of a needed type since a moment, or of those behind the last one that was read."""
        ...

    def movements(self, since: datetime, after: str = "") -> AsyncIterator[Movement]:
        """Every booking on the gateway's balance since a moment; `after`: those behind the one of that reference."""
        ...

    async def find_movement(self, source: str, kind: MovementKind) -> Movement | None:
        """Find the booking of a charge, refund or dispute; None while there is none."""
        ...
