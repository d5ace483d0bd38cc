"""What a worker does before it does anything, and again and again: it compares its database."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client
from temporalio.service import RPCError

from activities.database import Database, DatabaseUnavailableError, SchemaMismatchError
from activities.events.repeated_task import RepeatedTask
from activities.gateway.clocks import Clocks
from activities.recovery.alarms import Alarms
from activities.recovery.dating import note_clocks
from activities.recovery.fence import Fence
from activities.recovery.temporal_memory import TemporalMemory
from activities.recovery.watch import BEAT_SECONDS, RestoreWatch
from models.recovery.recovery import RecoveryGateway

log = structlog.get_logger(__name__)

# Pauses while somebody cannot be asked, in seconds: after a restore everybody waits for this, doing nothing.
PAUSES = (1.0, 2.0, 5.0)


class GuardedGateway(RecoveryGateway, Protocol):
    """A gateway that asks before it sends."""

    def send_only_if(self, require_open: Callable[[], Awaitable[None]]) -> None:
        """Ask before every call that may change something; what it raises is raised instead of sending."""
        ...


@dataclass(frozen=True)
class _Compared:
    """The fence of what is not held: the database itself withholds messages to customers."""

    fence: Fence

    async def check(self, connection: AsyncConnection) -> None:
        await self.fence.check_compared(connection)


@dataclass(frozen=True)
class OpenFence:
    """The fence of a process, or of a command, that does not work for workflows: it remembers nothing of before."""

    fence: Fence

    async def check(self, connection: AsyncConnection) -> None:
        """Let it use a connection. Raises SendingHeldError."""
        await self.fence.check_open(connection)


class RestoreGuard:
    """Lets nothing be done on a database and sent to its gateway before it was compared with what others remember."""

    def __init__(
        self,
        database: Database,
        client: Client,
        provider: str,
        gateway: GuardedGateway | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self._task = RepeatedTask("restore_watch", self.compare, every_seconds=BEAT_SECONDS, pauses=PAUSES)
        self._database, self._provider, self._clocks = database, provider, clocks
        self._fence = Fence(database, self._task.wake)
        self._watch = RestoreWatch(database, provider, gateway, TemporalMemory(client), alarm=Alarms(client))
        database.lend_only_past(self._fence)
        if gateway is not None:
            gateway.send_only_if(self._fence.require_open)

    def lend_for_messages(self, database: Database) -> None:
        """Let a database be used while sending is held, for messages to operators, but not before it was compared."""
        database.lend_only_past(_Compared(self._fence))

    def lend_to_process(self, database: Database) -> None:
        """Let a database, another than the guard's own, be used by this process only while nothing is held."""
        database.lend_only_past(OpenFence(self._fence), also_outside_activities=True)

    async def compare(self) -> None:
        """Compare now. Raises GatewayError, RPCError and DatabaseUnavailableError."""
        server = await self._watch.compare(log_seen=self._fence.log_seen)
        await self._database.call("note_compared", server=server)
        await self._fence.compared(server)
        if self._clocks is not None:
            await note_clocks(self._database, self._provider, self._clocks)

    async def begin(self) -> None:
        """Compare for the first time. What is away is waited for, doing nothing meanwhile. Raises GatewayError."""
        try:
            await self.compare()
        except (SchemaMismatchError, DatabaseUnavailableError, RPCError) as error:
            log.warning("restore_watch_waits", reason=str(error))

    async def watch(self) -> Callable[[], object]:
        """Begin, and go on; return what ends it. Raises GatewayError."""
        await self.begin()
        return asyncio.create_task(self.run()).cancel

    async def run(self) -> None:
        """Compare for as long as the process lives, and at once when the database's server has started anew."""
        await self._task.run()
