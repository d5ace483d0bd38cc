"""Whether anything may be done on a database, and sent to a gateway, now: asked before each use of both.

Nothing is done before this process has compared the server with what others remember, nothing while sending is held,
and nothing ever for a workflow that began before the last restore: it believes what the database has forgotten.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.database import Database, SendingHeldError
from activities.recovery.generation import SupersededError, began_at
from models.gateway.errors import GatewayHeldError

# So old may an answer of the database be. A new connection is asked by itself: after a restore all are new.
FRESH_SECONDS = 1.0

# A server that nobody has compared yet is compared at once.
SOON = timedelta(seconds=1)
NOT_COMPARED = "not_compared_yet"

_QUESTION = "select duly.fence_state()"


@dataclass(frozen=True)
class FenceState:
    """What the database says: which start of the server, how far its log is, what is held, when its epoch began."""

    server: str
    log_position: int
    held: str
    epoch_began_at: datetime | None


class Fence:
    """Closed until `compared`; `wake` is called when a server shows up that was not compared."""

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake
        self._compared_server = ""
        self._log_seen = 0
        self._state: FenceState | None = None
        self._read_at = float("-inf")

    @property
    def log_seen(self) -> int:
        """How far this process has seen the log of the server that was compared last."""
        return self._log_seen

    async def compared(self, server: str) -> None:
        """One start of the server was compared, and is held if it has forgotten something."""
        state = await self._database.call("fence_state")
        self._compared_server, self._log_seen = server, 0
        self._note(state)

    async def check(self, connection: AsyncConnection) -> None:
        """Let an activity use a connection. Raises SendingHeldError and SupersededError."""
        await self.check_open(connection)
        epoch_began_at, began = self._known().epoch_began_at, began_at()
        if epoch_began_at is not None and began < epoch_began_at:
            raise SupersededError(began, epoch_began_at)

    async def check_open(self, connection: AsyncConnection) -> None:
        """Let somebody who remembers nothing of before use a connection. Raises SendingHeldError."""
        await self.check_compared(connection)
        if self._why_closed:
            raise SendingHeldError(self._why_closed)

    async def check_compared(self, connection: AsyncConnection) -> None:
        """Let an activity use a connection that does nothing which is held. Raises SendingHeldError."""
        if self._is_stale or self not in connection.info:
            state = (await connection.exec_driver_sql(_QUESTION)).scalar_one()
            # To the server it was a commit of its own; SQLAlchemy would let no isolation level be chosen after it.
            await connection.commit()
            connection.info[self] = True
            self._note(state)
        if self._why_closed == NOT_COMPARED:
            raise SendingHeldError(NOT_COMPARED, retry_after=SOON)

    async def require_open(self) -> None:
        """Let something be sent. Raises GatewayHeldError, and DatabaseUnavailableError."""
        if self._compared_server and self._is_stale:
            self._note(await self._database.call("fence_state"))
        if self._why_closed:
            raise GatewayHeldError(NOT_COMPARED if self._why_closed == NOT_COMPARED else "sending_is_held")

    @property
    def _is_stale(self) -> bool:
        return time.monotonic() > self._read_at + FRESH_SECONDS

    @property
    def _why_closed(self) -> str:
        if not self._compared_server or self._known().server != self._compared_server:
            self._wake()
            return NOT_COMPARED
        return self._known().held

    def _known(self) -> FenceState:
        return self._state or FenceState("", 0, "", None)

    def _note(self, state: dict[str, Any]) -> None:
        epoch_began = state["epoch_began_at"]
        epoch_began_at = datetime.fromisoformat(epoch_began) if epoch_began else None
        self._state = FenceState(state["server"], state["log_position"], state["held"], epoch_began_at)
        if self._state.server == self._compared_server:
            self._log_seen = max(self._log_seen, self._state.log_position)
        self._read_at = time.monotonic()
