"""What a recovery finds at the gateway, and the port that it reads it by."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from models.gateway.charges import Gateway
from models.gateway.refunds import RefundGateway
from models.merchants.account import MadeAccount
from models.recovery.beat import Beat

# What was made so long before the moment that a restore forgot is read too: neither clock has to be right.
READ_BEFORE = timedelta(days=2)


class SendingState(StrEnum):
    """Whether anything may be sent to a provider."""

    OPEN = "open"
    HELD = "held"
    RECOVERING = "recovering"


class MadeKind(StrEnum):
    """What was made at the gateway."""

    PAYMENT = "payment"
    REFUND = "refund"
    PAGE = "page"


@dataclass(frozen=True)
class MadeObject:
    """Something of this installation at the gateway. Amount in the currency's minor units of ISO 4217.

    `payment_reference` is the payment of a refund, `invoices` are the numbers of those that a payment was made for,
    `application_fee_minor` what the platform takes of it, `destination` the account to which its money goes on.
    """

    kind: MadeKind
    reference: str
    key: str
    account_id: str
    amount_minor: int
    currency: str
    made_at: datetime
    period: str = ""
    request_id: str = ""
    purpose: str = ""
    customer: str = ""
    token: str = field(default="", repr=False)
    payment_reference: str = ""
    invoices: tuple[str, ...] = ()
    is_open: bool = False
    application_fee_minor: int = 0
    destination: str = ""

    @property
    def number(self) -> int:
        """The number of the attempt, which its key ends with; 0 when it has none."""
        last = self.key.rpartition("/")[2]
        return int(last) if last.isdecimal() else 0


@dataclass(frozen=True)
class MadeCustomer:
    """A customer at the gateway, and the account that it was made for."""

    account_id: str
    reference: str


class RecoveryGateway(Gateway, RefundGateway, Protocol):
    """The part of a gateway that says what was made there, and remembers how far a database has counted."""

    def made_since(self, moment: datetime, installation: str) -> AsyncIterator[MadeObject]:
        """Everything that an installation has made since a moment: payments, refunds, pages."""
        ...

    async def made_object(self, kind: MadeKind, reference: str) -> MadeObject:
        """Return one of them by its id."""
        ...

    async def customers_since(self, moment: datetime, installation: str) -> list[MadeCustomer]:
        """Return the customers that an installation has made since a moment, the oldest first."""
        ...

    async def accounts_made(self, installation: str, since: datetime | None = None) -> list[MadeAccount]:
        """Return the merchants' accounts that an installation has made since a moment, the newest first."""
        ...

    async def newest_keys(self, installation: str) -> list[str]:
        """Return the keys of the newest payments and refunds of an installation."""
        ...

    async def close_unknown_page(self, reference: str) -> None:
        """Close a page that nobody knows of, so that it cannot be paid any more."""
        ...

    async def recall_beat(self, installation: str) -> Beat | None:
        """Return how far the installation's database had counted when the gateway was last notified."""
        ...

    async def remember_beat(self, beat: Beat) -> str:
        """Keep how far a database has counted; return the customer with whom it is kept."""
        ...

    async def has_had_customer(self, customer: str) -> bool:
        """Say whether the account has, or had, a customer."""
        ...
