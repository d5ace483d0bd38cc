"""Notices that a database was restored: it counts, others remember, and what is behind them has forgotten."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import structlog
from sqlalchemy import select

from activities.database import Database
from models.gateway.errors import GatewayHeldError
from models.recovery.beat import Beat
from models.recovery.recovery import RecoveryGateway
from models.tables.configuration import InstallationRow

log = structlog.get_logger(__name__)

# How often the database counts, and how often others are asked to remember.
BEAT_SECONDS = 30.0
REMEMBER_SECONDS = 300.0
NEWEST_SECONDS = 3600.0

# A request that is younger may be on its way back to the commit that writes its answer down.
SETTLED_AFTER = timedelta(minutes=1)


class Memory(Protocol):
    """Somebody who remembers how far a database has counted, whatever becomes of the database."""

    async def recall_beat(self, installation: str) -> Beat | None:
        """Return the furthest beat that is remembered; None when there is none."""
        ...

    async def remember_beat(self, beat: Beat) -> None:
        """Keep a beat."""
        ...


class RestoreWatch:
    """Compares the database with what this process, Temporal and the gateway remember, and holds what is sent."""

    def __init__(
        self,
        database: Database,
        provider: str,
        gateway: RecoveryGateway,
        memories: Sequence[Memory],
        *,
        settled_after: timedelta = SETTLED_AFTER,
    ) -> None:
        self._database = database
        self._provider = provider
        self._gateway = gateway
        self._memories = (gateway, *memories)
        self._settled_after = settled_after
        self._seen: Beat | None = None
        self._asked_at = self._newest_at = float("-inf")

    async def compare(self) -> Beat:
        """Compare now, and let others remember when it is time.

        Raises GatewayError, RPCError and DatabaseUnavailableError where one of them cannot be asked.
        What is remembered is read first and the database counts after it: so it can only be behind by having forgotten.
        """
        installation = str((await self._database.read(select(InstallationRow.id)))[0].id)
        is_due = time.monotonic() >= self._asked_at + REMEMBER_SECONDS
        remembered = [self._seen, *[await one.recall_beat(installation) for one in self._memories if is_due]]
        raised = await self._database.call("raise_beat")
        beat = Beat(raised["installation"], raised["epoch"], raised["number"])
        if ahead := [one for one in remembered if one is not None and beat.is_behind(one)]:
            furthest = max(ahead, key=lambda one: (one.epoch, one.number))
            reason = f"the database counts {beat.number} in epoch {beat.epoch}, and had counted {furthest.number}"
            await self._hold(f"{reason} in {furthest.epoch}", raised["before"])
            return beat
        if is_due:
            await self._remember(beat)
        self._seen = beat
        await self._compare_newest(installation, raised["before"])
        return beat

    async def _remember(self, beat: Beat) -> None:
        try:
            for one in reversed(self._memories):
                await one.remember_beat(beat)
        except GatewayHeldError:
            # The gateway keeps what it had: asked again with the next beat.
            return
        self._asked_at = time.monotonic()

    async def _compare_newest(self, installation: str, before: str) -> None:
        """Make sure that the newest payments and refunds at the gateway have rows: a gap may be shorter than a beat."""
        if time.monotonic() < self._newest_at + NEWEST_SECONDS:
            return
        keys = await self._gateway.newest_keys(installation, older_than=self._settled_after)
        known = await self._database.call("keys_without_row", keys=keys)
        if known:
            await self._hold(f"{len(known)} of the newest payments and refunds have no row, such as {known[0]}", before)
        self._newest_at = time.monotonic()

    async def _hold(self, reason: str, before: str) -> None:
        is_new = await self._database.call(
            "hold_sending", provider_id=self._provider, reason=reason, forgot_since=before
        )
        if is_new:
            log.error("sending_held", provider=self._provider, reason=reason, advice="starter.py recover show")
