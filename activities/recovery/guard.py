"""What a gateway worker does before it sends anything, and again and again: it compares its database."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from temporalio.client import Client

from activities.database import Database
from activities.recovery.sending import SendingGate
from activities.recovery.temporal_memory import TemporalMemory
from activities.recovery.watch import RestoreWatch
from models.recovery.recovery import RecoveryGateway


class GuardedGateway(RecoveryGateway, Protocol):
    """A gateway that asks before it sends."""

    def send_only_if(self, require_open: Callable[[], Awaitable[None]]) -> None:
        """Ask before every call that may change something; what it raises is raised instead of sending."""
        ...


def restore_guard(
    database: Database, gateway: GuardedGateway, client: Client, provider: str
) -> Callable[[], Awaitable[None]]:
    """Let nothing be sent before the database was compared with what others remember; return what compares it."""
    gate = SendingGate(database, provider)
    gateway.send_only_if(gate.require_open)
    watch = RestoreWatch(database, provider, gateway, [TemporalMemory(client)])

    async def compare() -> None:
        await watch.compare()
        gate.compared()

    return compare
