"""What a merchant's connection has committed, as logs and metrics name it."""

from dataclasses import dataclass

from models.operations.business_events import Details
from models.operations.event_names import EventName


@dataclass(frozen=True)
class MerchantMoved:
    """A merchant's connection stands somewhere else now."""

    name: EventName
    merchant_id: str
    gateway_account: str
    reason: str

    def details(self) -> Details:
        """Which merchant, its account at the gateway, and the gateway's reason where it gives one."""
        return {"merchant_id": self.merchant_id, "gateway_account": self.gateway_account, "reason": self.reason}
