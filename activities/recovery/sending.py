"""Whether anything may be sent to a provider now: asked before every call that changes something at the gateway."""

import time

from activities.database import Database
from models.gateway.errors import GatewayHeldError

# So old may an answer of the database be. What an attempt is opened for is refused in the same commit besides.
FRESH_SECONDS = 1.0


class SendingGate:
    """Closed until the database was compared with what others remember, and while its sending is held."""

    def __init__(self, database: Database, provider: str) -> None:
        self._database = database
        self._provider = provider
        self._is_compared = False
        self._is_open = False
        self._read_at = float("-inf")

    def compared(self) -> None:
        """The database was compared, and sending is held in it if it has forgotten something."""
        self._is_compared = True
        self._read_at = float("-inf")

    async def require_open(self) -> None:
        """Return where something may be sent. Raises GatewayHeldError where not, and DatabaseUnavailableError."""
        if not self._is_compared:
            raise GatewayHeldError("not_compared_yet")
        if time.monotonic() > self._read_at + FRESH_SECONDS:
            self._is_open = bool(await self._database.call("is_sending_open", provider_id=self._provider))
            self._read_at = time.monotonic()
        if not self._is_open:
            raise GatewayHeldError("sending_is_held")
