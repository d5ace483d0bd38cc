"""Whether one command may write and give orders: the same fence as the workers', for as long as a command lives.

A server that no worker has compared since it started is compared by the command, with what Temporal remembers.
"""

from collections.abc import Awaitable, Callable

from temporalio.client import Client

from activities.database import Database
from activities.recovery.fence import Fence
from activities.recovery.guard import OpenFence
from activities.recovery.temporal_memory import TemporalMemory
from activities.recovery.watch import RestoreWatch


class CommandFence:
    """Closed until the database is compared; `connect` is asked for Temporal only where nobody has compared it."""

    def __init__(self, database: Database, provider: str, connect: Callable[[], Awaitable[Client]]) -> None:
        self._database = database
        self._provider = provider
        self._connect = connect
        self._fence = Fence(database, _nobody_to_wake)

    async def compare(self) -> None:
        """Make sure that the server was compared since it started. Raises RPCError and DatabaseUnavailableError."""
        known = await self._database.call("counted")
        server = known["server"]
        # Where nothing has ever counted no worker has been at work yet, and nothing can be forgotten.
        if known["beat"] and known["compared_server"] != server:
            memory = TemporalMemory(await self._connect())
            server = await RestoreWatch(self._database, self._provider, None, memory).compare()
            await self._database.call("note_compared", server=server)
        await self._fence.compared(server)

    def lend(self, database: Database) -> None:
        """Let another database be used only while nothing is held."""
        database.lend_only_past(OpenFence(self._fence), also_outside_activities=True)

    async def require_open(self) -> None:
        """Compare, and raise SendingHeldError where something is held."""
        await self.compare()
        async with self._database.connection() as connection:
            await self._fence.check_open(connection)


def _nobody_to_wake() -> None:
    """A command does not wait for another comparison: what starts anew under it refuses it."""
