"""The port through which cards are saved and validated; its errors are those of models/gateway/errors.py."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from models.gateway.charges import PaymentPage
from models.gateway.decline import Decline
from models.gateway.identity import Identity


class ValidationStatus(StrEnum):
    """Where a validation stands at the gateway."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ACTION_REQUIRED = "action_required"
    PROCESSING = "processing"
    CANCELED = "canceled"


@dataclass(frozen=True)
class CardData:
    """What may be kept of a card: a token and what a receipt may show (S3, X5). Never its number."""

    token: str = field(repr=False)
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str = ""
    mandate_reference: str = ""
    is_attached: bool = True
    has_mandate: bool = True


@dataclass(frozen=True)
class Validation:
    """One validation: the same key always means the same one. Without a token a page takes the card."""

    idempotency_key: str
    request_id: str
    account_id: str
    card_id: str
    customer: str
    token: str = field(default="", repr=False)
    installation: str = ""

    @property
    def identity(self) -> Identity:
        """What the gateway knows the validation by."""
        return Identity(
            self.idempotency_key,
            self.request_id,
            self.account_id,
            installation=self.installation,
            purpose="card_validation",
        )


@dataclass(frozen=True)
class ValidationAnswer:
    """What the gateway answers about a validation; `url` is where the card's holder must go."""

    status: ValidationStatus
    gateway_reference: str
    card: CardData | None = None
    decline: Decline | None = None
    url: str = field(default="", repr=False)
    expires_at: datetime | None = None


class CardGateway(Protocol):
    """The part of a gateway that saves cards."""

    async def create_customer(self, account_id: str, *, installation: str, idempotency_key: str) -> str:
        """Make the gateway's customer of an account and return its reference."""
        ...

    async def has_customer(self, customer: str) -> bool:
        """Say whether the gateway still has a customer: one that was deleted there can have no card again."""
        ...

    async def validate_card(self, validation: Validation, *, return_url: str) -> ValidationAnswer:
        """Validate a card for use without its holder."""
        ...

    async def find_validation(self, validation: Validation, *, gateway_reference: str) -> ValidationAnswer | None:
        """Find a validation by reference, else by listing. None: the gateway never saw it."""
        ...

    async def open_card_page(self, validation: Validation, *, return_url: str) -> PaymentPage:
        """Open a page on which the customer saves a card."""
        ...

    async def find_card_page(self, validation: Validation, *, gateway_reference: str) -> ValidationAnswer | None:
        """Find what a page came to; None: it ended without a card."""
        ...

    async def close_card_page(self, gateway_reference: str) -> None:
        """Close a page for good. One that is over already stays as it is."""
        ...

    async def end_validation(self, gateway_reference: str) -> None:
        """End a validation that waits for the card's holder. One that is over already stays as it is."""
        ...

    async def read_card(self, token: str, *, customer: str, mandate: str) -> CardData | None:
        """Read a stored card as the gateway has it now; None when it does not exist any more."""
        ...

    async def detach_card(self, token: str) -> None:
        """Take a card from its customer for good. A repeat changes nothing."""
        ...
