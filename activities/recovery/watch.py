"""Notices that a database was restored: it counts, others remember, and what is behind them has forgotten."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from activities.database import Database
from activities.recovery.account import require_account
from models.gateway.clocks import WARN_AT
from models.gateway.errors import GatewayHeldError
from models.recovery.beat import Beat
from models.recovery.recovery import RecoveryGateway

log = structlog.get_logger(__name__)

# How often the database counts, and how often others are asked to remember.
BEAT_SECONDS = 30.0
REMEMBER_SECONDS = 300.0
NEWEST_SECONDS = 3600.0


class Memory(Protocol):
    """Somebody who remembers how far a database has counted, whatever becomes of the database."""

    async def recall_beat(self, installation: str) -> Beat | None:
        """Return the furthest beat that is remembered; None when there is none."""
        ...

    async def remember_beat(self, beat: Beat) -> object:
        """Keep a beat."""
        ...


class Alarm(Protocol):
    """Who acts at once on what is noticed."""

    async def sending_held(self) -> None:
        """Sending is held since just now."""
        ...

    async def temporal_forgot(self) -> None:
        """Temporal has forgotten workflows."""
        ...


@dataclass(frozen=True)
class SeenServer:
    """What a process has seen of a server: which start of it, and how far its log was written.

    One whose log ends before what was seen has lost what was written after it.
    """

    server: str
    log_position: int


class RestoreWatch:
    """Compares the database with what this process, Temporal and the gateway remember, and holds what is sent.

    Without a gateway the others are compared alone.
    """

    def __init__(
        self,
        database: Database,
        provider: str,
        gateway: RecoveryGateway | None,
        temporal: Memory | None,
        *,
        alarm: Alarm | None = None,
    ) -> None:
        self._database = database
        self._provider = provider
        self._gateway = gateway
        self._temporal = temporal
        self._alarm = alarm
        self._seen: Beat | None = None
        self._seen_server: SeenServer | None = None
        self._asked_at = self._newest_at = float("-inf")

    async def compare(self, *, log_seen: int = 0) -> str:
        """Compare now, and let others remember when it is time; all of it when the server has started anew.

        `log_seen` is how far this process has seen the server's log since then. Return which start of the server it is.
        Raises GatewayError, RPCError and DatabaseUnavailableError where one of them cannot be asked, and
        WrongAccountError where the gateway is not the account that the provider has worked with so far.
        What is remembered is read first and the database counts after it: so it can only be behind by having forgotten.
        """
        known = await self._database.call("counted")
        server = SeenServer(known["server"], known["log_position"])
        if self._seen_server is None or server.server != self._seen_server.server:
            self._asked_at = self._newest_at = float("-inf")
        is_due = time.monotonic() >= self._asked_at + REMEMBER_SECONDS
        if is_due and self._gateway is not None:
            await require_account(self._database, self._provider, self._gateway)
        at_temporal = await self._recall(self._temporal, known["installation"]) if is_due else None
        at_gateway = await self._recall(self._gateway, known["installation"]) if is_due else None
        raised = await self._database.call("raise_beat")
        if (set_back := raised.get("set_back_seconds", 0)) > WARN_AT.total_seconds():
            log.error("database_clock_set_back", seconds=set_back, advice="duly doctor")
        beat = Beat(raised["installation"], raised["epoch"], raised["number"])
        remembered = [one for one in (self._seen, at_temporal, at_gateway) if one is not None]
        log_seen = max(log_seen, self._seen_server.log_position if self._seen_server else 0)
        if (why := _why_behind(beat, remembered)) or server.log_position < log_seen:
            furthest = max((one.epoch for one in remembered), default=beat.epoch)
            why = why or "the server's log ends before what this process has seen of it"
            await self._hold(why, raised["before"], epoch=max(furthest, beat.epoch))
            self._seen_server = server
            return server.server
        if known["line_before"] not in (None, known["line"]):
            why = f"the database was written on server {known['line_before']}, and is on {known['line']}"
            await self._hold(why, raised["before"], epoch=beat.epoch, is_certain=False)
        elif is_due:
            await self._compare_temporal(known, at_temporal)
            await self._remember(beat)
        self._seen, self._seen_server = beat, server
        await self._compare_newest(beat, raised["before"])
        return server.server

    @staticmethod
    async def _recall(memory: Memory | None, installation: str) -> Beat | None:
        return await memory.recall_beat(installation) if memory is not None else None

    async def _remember(self, beat: Beat) -> None:
        try:
            if self._temporal is not None:
                await self._temporal.remember_beat(beat)
            if self._gateway is not None:
                reference = await self._gateway.remember_beat(beat)
                await self._database.call("note_witness", provider_id=self._provider, reference=reference)
        except GatewayHeldError:
            # The gateway keeps what it had: asked again with the next beat.
            return
        if self._temporal is not None:
            await self._database.call("note_remembered", epoch=beat.epoch, number=beat.number)
        self._asked_at = time.monotonic()

    async def _compare_temporal(self, known: dict[str, Any], recalled: Beat | None) -> None:
        """See whether Temporal still has what it was given last: else it was restored, or lost."""
        if self._temporal is None or known["temporal_beat"] is None:
            return
        given = Beat(known["installation"], *known["temporal_beat"])
        if recalled is not None and (recalled.epoch, recalled.number) >= (given.epoch, given.number):
            return
        remembered = f"{recalled.number} in epoch {recalled.epoch}" if recalled else "nothing"
        reason = f"Temporal remembers {remembered}, and was given {given.number} in epoch {given.epoch}"
        log.error("temporal_forgot", reason=reason, advice="duly schedule apply, then duly supervise")
        # Repeated until Temporal remembers more than it was given: there is one message for it, and one supervisor.
        await self._database.call("note_temporal_forgot", reason=reason)
        if self._alarm is not None:
            await self._alarm.temporal_forgot()

    async def _compare_newest(self, beat: Beat, before: str) -> None:
        """Make sure that the newest payments and refunds at the gateway have rows: a gap may be shorter than a beat.

        However young they are: the row is committed before the call, and the gateway is asked before the rows are.
        """
        if self._gateway is None or time.monotonic() < self._newest_at + NEWEST_SECONDS:
            return
        keys = await self._gateway.newest_keys(beat.installation)
        unknown = await self._database.call("keys_without_row", keys=keys)
        if unknown:
            why = f"{len(unknown)} of the newest payments and refunds have no row, such as {unknown[0]}"
            await self._hold(why, before, epoch=beat.epoch)
        self._newest_at = time.monotonic()

    async def _hold(self, reason: str, before: str, *, epoch: int, is_certain: bool = True) -> None:
        is_new = await self._database.call(
            "hold_sending",
            provider_id=self._provider,
            reason=reason,
            forgot_since=before,
            epoch=epoch,
            is_certain=is_certain,
        )
        if is_new:
            log.error("sending_held", provider=self._provider, reason=reason, advice="duly recover show")
            if self._alarm is not None:
                await self._alarm.sending_held()


def _why_behind(beat: Beat, remembered: Sequence[Beat]) -> str:
    ahead = [one for one in remembered if beat.is_behind(one)]
    if not ahead:
        return ""
    furthest = max(ahead, key=lambda one: (one.epoch, one.number))
    counted = f"the database counts {beat.number} in epoch {beat.epoch}"
    return f"{counted}, and had counted {furthest.number} in {furthest.epoch}"
