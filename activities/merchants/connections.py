"""Merchants' connections in the database: begun, disconnected, read, and listed with their history."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, select
from temporalio import activity

from activities.business_events import announce
from activities.collections.stopped_pages import signal_stopped_pages
from activities.database import Database, RuleBrokenError
from models.merchants.account import ConnectionState
from models.merchants.connection import (
    ConnectionTerms,
    Disconnection,
    MerchantConnectionInput,
    StoredConnection,
)
from models.operations.event_names import EventName
from models.operations.merchant_events import MerchantMoved
from models.tables.configuration import ProviderRow
from models.tables.returns import MerchantConnectionChangeRow, MerchantConnectionRow, MerchantRow

_STORED = TypeAdapter(StoredConnection)
_EVENTS = {
    ConnectionState.PENDING: EventName.MERCHANT_PENDING,
    ConnectionState.INCOMPLETE: EventName.MERCHANT_INCOMPLETE,
    ConnectionState.SUCCESSFUL: EventName.MERCHANT_SUCCESSFUL,
    ConnectionState.RESTRICTED: EventName.MERCHANT_RESTRICTED,
    ConnectionState.DISCONNECTED: EventName.MERCHANT_DISCONNECTED,
}
_C = MerchantConnectionRow
_H = MerchantConnectionChangeRow


def stored_connection(view: dict[str, Any]) -> StoredConnection:
    """Read a connection as the database shows it."""
    return _STORED.validate_python(view)


def announce_connection(stored: StoredConnection) -> None:
    """Let logs and metrics know where a connection stands now."""
    announce(MerchantMoved(_EVENTS[stored.state], stored.merchant_id, stored.gateway_account, stored.reason))


class MerchantConnectionActivities:
    """Activities of a merchant's connection in the database. Each is one commit, and safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [
            self.open_merchant_connection,
            self.load_merchant_connection,
            self.disconnect_merchant,
        ]

    @activity.defn
    async def open_merchant_connection(self, request: MerchantConnectionInput) -> StoredConnection:
        """Begin a connection, or find it. Raises RuleBrokenError: it may not be; then nothing was written."""
        if request.terms is None:
            return await self.load_merchant_connection(request.merchant_id)
        stored = await open_connection(self._database, request.merchant_id, request.provider, request.terms)
        announce_connection(stored)
        return stored

    @activity.defn
    async def load_merchant_connection(self, merchant_id: str) -> StoredConnection:
        """Read a connection as it is now. Raises RuleBrokenError when there is none."""
        return await load_connection(self._database, merchant_id)

    @activity.defn
    async def disconnect_merchant(self, command: Disconnection) -> StoredConnection:
        """Disconnect a merchant: from this commit on nothing new is asked for on its account."""
        stored = stored_connection(
            await self._database.call(
                "disconnect_merchant", merchant_id=command.merchant_id, actor=command.actor, because=command.because
            )
        )
        announce_connection(stored)
        await end_pages(self._database)
        return stored


async def end_pages(database: Database) -> None:
    """Let pages be closed on which nothing new may be taken; outside of activities the supervisor sees to it."""
    if activity.in_activity():
        await signal_stopped_pages(database, activity.client())


async def open_connection(
    database: Database, merchant_id: str, provider: str, terms: ConnectionTerms
) -> StoredConnection:
    """Write down that a merchant is to be connected. Raises RuleBrokenError naming what has to be configured first."""
    return stored_connection(
        await database.call(
            "open_merchant_connection",
            merchant_id=merchant_id,
            provider_id=provider,
            email=terms.email,
            country=terms.country,
            is_new_account=terms.is_new_account,
            actor=terms.actor,
            because=terms.reason,
        )
    )


async def load_connection(database: Database, merchant_id: str) -> StoredConnection:
    """Read a connection. Raises RuleBrokenError when there is none."""
    view = await database.call("merchant_connection_by_id", merchant_id=merchant_id)
    if view is None:
        message = f"merchant: {merchant_id!r} was never connected: `merchants connect`"
        raise RuleBrokenError("merchant_connection_exists", message)
    return stored_connection(view)


class MerchantConnectionQueries:
    """Connections as the command line shows them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_merchant(self) -> dict[str, Row[Any]]:
        """Return the state of every merchant that was ever connected."""
        rows = await self._database.read(
            select(_C.merchant_id, _C.gateway_account, _C.state, _C.reason, _C.missing, _C.due_at, _C.checked_at)
        )
        return {row.merchant_id: row for row in rows}

    async def in_use(self) -> Sequence[Row[Any]]:
        """Return the merchants that are switched on, with their connections; `state` is None of who has none.

        `provider` is that of the merchant's account, None before one is named.
        """
        return await self._database.read(
            select(
                MerchantRow.id,
                MerchantRow.flow,
                _C.gateway_account,
                _C.state,
                _C.reason,
                _C.has_returned,
                ProviderRow.id.label("provider"),
            )
            .outerjoin(_C, _C.merchant_id == MerchantRow.id)
            .outerjoin(ProviderRow, ProviderRow.gateway_account == _C.gateway_account)
            .where(MerchantRow.takes_payments)
            .order_by(MerchantRow.id)
        )

    async def history(self, merchant_id: str) -> Sequence[Row[Any]]:
        """Return what became of a merchant's connection, the oldest first."""
        return await self._database.read(
            select(_H.at, _H.change, _H.state, _H.gateway_account, _H.reason, _H.actor, _H.because)
            .where(_H.merchant_id == merchant_id)
            .order_by(_H.id)
        )

    async def switch(self, merchant_id: str, *, is_on: bool, actor: str, reason: str) -> bool:
        """Let a merchant be paid on its own account, or not. Returns whether that was so already."""
        return bool(
            await self._database.call(
                "switch_merchant_payments", merchant_id=merchant_id, is_on=is_on, actor=actor, reason=reason
            )
        )
