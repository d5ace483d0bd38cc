"""The port through which money goes back; its errors are those of models/gateway/errors.py."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from models.gateway.identity import Identity
from models.gateway.movements import Movement


class GatewayRefundStatus(StrEnum):
    """Where a refund stands at the gateway. One that succeeded may still fail."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True)
class RefundCall:
    """One refund to make: the same key always means the same one. `payment_reference` is the gateway's payment.

    `refunds_application_fee`: what the platform took of the payment goes back pro rata.
    """

    idempotency_key: str
    request_id: str
    account_id: str
    payment_reference: str
    amount_minor: int
    currency: str
    installation: str = ""
    purpose: str = "refund"
    refunds_application_fee: bool = False

    @property
    def identity(self) -> Identity:
        """What the gateway knows the refund by."""
        return Identity(
            self.idempotency_key,
            self.request_id,
            self.account_id,
            installation=self.installation,
            purpose=self.purpose,
        )


@dataclass(frozen=True)
class RefundAnswer:
    """What the gateway answers about a refund. `is_booked`: its money has left the gateway's balance.

    The movements of the money that left, and of the money that came back, as far as the gateway says them.
    """

    status: GatewayRefundStatus
    gateway_reference: str
    is_booked: bool
    code: str = ""
    movement: Movement | None = None
    return_movement: Movement | None = None


class RefundGateway(Protocol):
    """The part of a gateway that gives money back."""

    async def refund(self, call: RefundCall) -> RefundAnswer:
        """Give back a part of a payment, or all of it."""
        ...

    async def find_refund(self, call: RefundCall, *, gateway_reference: str) -> RefundAnswer | None:
        """Look for a refund by reference, else by listing the payment's. None: the gateway never saw it."""
        ...
