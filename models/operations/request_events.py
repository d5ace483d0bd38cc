"""What a payment request has committed, as logs and metrics name it."""

from dataclasses import dataclass

from models.money import Money
from models.operations.business_events import Details
from models.operations.event_names import EventName


@dataclass(frozen=True)
class PaymentRequestMoved:
    """A payment request was made, or is over."""

    name: EventName
    payment_request_id: str
    account_id: str
    amount: Money

    def details(self) -> Details:
        """Which request, of whom, and how much it asks for."""
        return {
            "payment_request_id": self.payment_request_id,
            "account_id": self.account_id,
            "amount": str(self.amount),
        }
