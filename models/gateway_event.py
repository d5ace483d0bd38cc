"""What a gateway tells us: a hint that something has happened, never the fact itself."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class GatewayEvent:
    """A verified event: which object it is about, and which of our requests that object belongs to, if any."""

    id: str
    type: str
    object_id: str
    request_id: str
    account_id: str
    created_at: datetime


class UntrustedEventError(ValueError):
    """A body that the gateway did not sign, or signed too long ago, or that is no event. It leaves no trace."""
