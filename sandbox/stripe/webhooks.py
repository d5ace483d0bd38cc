"""Signed webhooks: delivered over HTTP with retries, and late, twice, out of order or never where asked."""

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import aiohttp
import orjson
from stripe import WebhookSignature

from sandbox.stripe.control.faults import draw
from sandbox.stripe.control.messages import EventFault, EventFaultKind, WebhookEndpoint
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState
from sandbox.stripe.state.clock import Clock

log = logging.getLogger(__name__)

# Stripe retries for up to three days; a laptop's receiver is back within seconds or not at all.
RETRY_DELAYS_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
ANSWER_TIMEOUT_SECONDS = 10.0
CONCURRENT_MAX = 32
# A reordered event goes after its successor, or after this long when none comes.
REORDERED_WAIT_SECONDS = 2.0
# Deliveries run side by side; this lets the successor arrive first.
REORDERED_GAP_SECONDS = 0.1


@dataclass
class _Planned:
    fault: EventFault
    matched: int = 0


@dataclass
class Webhooks:
    """The endpoints, the faults on the way to them, and the deliveries under way."""

    clock: Clock
    secret: str
    endpoints: list[WebhookEndpoint] = field(default_factory=list)
    delivered: int = 0
    failed: int = 0
    retry_delays_seconds: tuple[float, ...] = RETRY_DELAYS_SECONDS
    injected: Counter[EventFaultKind] = field(default_factory=Counter)
    _plan: list[_Planned] = field(default_factory=list)
    _held: list[tuple[AccountState, Json]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _session: aiohttp.ClientSession | None = None
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONCURRENT_MAX))

    def __getstate__(self) -> dict[str, Any]:
        """What is under way does not outlive the process: the event list has it."""
        return vars(self) | {"_tasks": set(), "_session": None, "_slots": None, "_held": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state | {"_slots": asyncio.Semaphore(CONCURRENT_MAX)})

    def plan(self, fault: EventFault) -> None:
        self._plan.append(_Planned(fault))

    def clear_faults(self) -> None:
        self._plan.clear()

    def reset(self) -> None:
        """Forgets faults, counts and what is held back; the endpoints stay."""
        self.clear_faults()
        self._held.clear()
        self.injected.clear()
        self.delivered = self.failed = 0

    def publish(self, state: AccountState, event: Json) -> None:
        """Sends the event to every endpoint that takes its type, unless a fault says otherwise."""
        takers = self._takers(state, event)
        if not takers:
            return
        event["pending_webhooks"] = len(takers)
        state.undelivered.add(event["id"])
        held, self._held = self._held, []
        self._send_as_planned(state, event)
        for earlier_state, earlier in held:
            self._send(earlier_state, earlier, after=REORDERED_GAP_SECONDS)

    def _send_as_planned(self, state: AccountState, event: Json) -> None:
        kind, fault = self.next_fault(event["type"])
        match kind:
            case EventFaultKind.LOST:
                event["pending_webhooks"] = 0
            case EventFaultKind.DELAYED:
                self._send(state, event, after=fault.delay_seconds)
            case EventFaultKind.DUPLICATED:
                for _ in range(fault.copies):
                    self._send(state, event)
            case EventFaultKind.REORDERED:
                self._held.append((state, event))
                self._start(self._release_in(REORDERED_WAIT_SECONDS))
            case None:
                self._send(state, event)

    def next_fault(self, type: str) -> tuple[EventFaultKind | None, EventFault]:
        """What befalls the next event of the type, and the part of the plan that says so."""
        for planned in self._plan:
            fault = planned.fault
            if not fnmatchcase(type, fault.type):
                continue
            planned.matched += 1
            chance, choice = draw(fault.seed, type, planned.matched)
            if planned.matched in fault.calls if fault.calls else chance < fault.probability:
                kinds = tuple(EventFaultKind)
                kind = fault.kind or kinds[int(choice * len(kinds))]
                self.injected[kind] += 1
                return kind, fault
        return None, EventFault()

    async def _release_in(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        held, self._held = self._held, []
        for state, event in held:
            self._send(state, event)

    def _send(self, state: AccountState, event: Json, *, after: float = 0.0) -> None:
        for endpoint in self._takers(state, event):
            self._start(self._deliver(state, event, endpoint, after))

    def _takers(self, state: AccountState, event: Json) -> list[WebhookEndpoint]:
        """The endpoints that take the event: those of the controls, and those registered over the API."""
        if state.is_shut_out:
            return []
        registered = [
            WebhookEndpoint(
                url=row["url"], secret=owner.endpoint_secrets[row["id"]], enabled_events=row["enabled_events"]
            )
            for owner, row in _registered(state)
            if row["status"] == "enabled"
        ]
        return [each for each in (*self.endpoints, *registered) if _takes(each, event["type"])]

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, state: AccountState, event: Json, endpoint: WebhookEndpoint, after: float) -> None:
        for pause in (after, *self.retry_delays_seconds):
            if pause:
                await asyncio.sleep(pause)
            if await self._accepted(event, endpoint):
                self.delivered += 1
                event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
                if not event["pending_webhooks"]:
                    state.undelivered.discard(event["id"])
                return
        self.failed += 1
        log.warning("webhook_given_up", extra={"event_id": event["id"], "event_type": event["type"]})

    async def _accepted(self, event: Json, endpoint: WebhookEndpoint) -> bool:
        """Whether the receiver answered 2xx. Each attempt is signed anew, as Stripe's are."""
        payload = orjson.dumps(event)
        headers = {"Content-Type": "application/json", "Stripe-Signature": self.sign(payload, endpoint)}
        try:
            async with self._slots, self._open_session().post(endpoint.url, data=payload, headers=headers) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False

    def sign(self, payload: bytes, endpoint: WebhookEndpoint) -> str:
        """The `Stripe-Signature` header; its time is the real one, because receivers compare it with theirs."""
        header: str = WebhookSignature.generate_signature_header(payload.decode(), endpoint.secret or self.secret)
        return header

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_SECONDS), trust_env=False
            )
        return self._session

    async def settle(self) -> None:
        """Waits until nothing is under way any more."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Abandons what is under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


def _registered(state: AccountState) -> list[tuple[AccountState, Json]]:
    """An account's own endpoints, and those of its platform that were made for connected accounts."""
    own = [(state, row) for row in state.webhook_endpoints if row["application"] is None]
    if state.platform is None:
        return own
    return own + [(state.platform, row) for row in state.platform.webhook_endpoints if row["application"] is not None]


def _takes(endpoint: WebhookEndpoint, type: str) -> bool:
    return any(fnmatchcase(type, pattern) for pattern in endpoint.enabled_events)
