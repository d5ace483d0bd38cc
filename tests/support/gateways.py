"""Gateways for tests of runs: the real one behind a gate, or too busy for everybody, for as long as a test wants."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe

from activities.gateway.clocked_http import ClockedHttp
from activities.gateway.clocks import ObservedClock
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.charges import Charge, ChargeResult
from models.gateway.errors import GatewayBusyError
from sandbox.stripe.control.client import SandboxControl
from tests.support.builders import API_KEY


class WatchedGateway(StripeGateway):
    """The real gateway on the sandbox; remembers whose charges reached it."""

    def __init__(self, sandbox: SandboxControl) -> None:
        super().__init__(API_KEY, api_base=sandbox.base_url, timeout_seconds=5)
        self.asked: list[str] = []

    async def charge(self, charge: Charge) -> ChargeResult:
        self.asked.append(charge.account_id)
        return await super().charge(charge)


class GatedGateway(WatchedGateway):
    """Lets nobody through until the gate opens, and tells when somebody waits there."""

    def __init__(self, sandbox: SandboxControl) -> None:
        super().__init__(sandbox)
        self.gate = asyncio.Event()
        self._arrivals = asyncio.Semaphore(0)

    async def charge(self, charge: Charge) -> ChargeResult:
        self.asked.append(charge.account_id)
        self._arrivals.release()
        await self.gate.wait()
        return await StripeGateway.charge(self, charge)

    async def arrived(self, count: int) -> None:
        """Wait until so many more charges are at the gate."""
        for _ in range(count):
            await self._arrivals.acquire()


class BusyGateway(WatchedGateway):
    """Refuses as busy while it is down, and remembers whose charges it refused."""

    def __init__(self, sandbox: SandboxControl) -> None:
        super().__init__(sandbox)
        self.is_down = True
        self.retry_after_seconds = 0.05
        self.turned_away: set[str] = set()

    async def charge(self, charge: Charge) -> ChargeResult:
        if self.is_down:
            self.turned_away.add(charge.account_id)
            raise GatewayBusyError("busy", retry_after_seconds=self.retry_after_seconds)
        return await super().charge(charge)


class HeldHttp(ClockedHttp):
    """Holds requests that begin as one that is held, such as `POST /v1/refunds`, or the answers to them."""

    def __init__(self, clock: ObservedClock) -> None:
        super().__init__(clock, timeout_seconds=5)
        self.held: tuple[str, ...] = ()
        self.holds_answers = False
        self.door = asyncio.Event()
        self.arrivals = asyncio.Semaphore(0)

    async def request_stream_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[Any, int, Mapping[str, str]]:
        is_held = f"{method.upper()} {urlsplit(url).path}".startswith(self.held)
        if is_held and not self.holds_answers:
            await self._wait()
        answer = await super().request_stream_async(method, url, headers, post_data)
        if is_held and self.holds_answers:
            await self._wait()
        return answer

    async def _wait(self) -> None:
        self.arrivals.release()
        await self.door.wait()


class HeldGateway(StripeGateway):
    """Stripe on the sandbox, whose calls of one kind can be held."""

    def __init__(self, sandbox: SandboxControl) -> None:
        super().__init__(API_KEY, api_base=sandbox.base_url, timeout_seconds=5)
        self._held = HeldHttp(self.clock)
        self._http = self._held
        self._client = stripe.StripeClient(
            API_KEY, base_addresses={"api": sandbox.base_url}, max_network_retries=0, http_client=self._held
        )

    def hold(self, *operations: str, holds_answers: bool = False) -> None:
        """Let no call of these kinds leave from now on; or let each be done, and its answer not arrive."""
        self._held.door.clear()
        self._held.held = operations
        self._held.holds_answers = holds_answers

    def let_go(self) -> None:
        """Let all that were held leave, and whatever comes."""
        self._held.held = ()
        self._held.door.set()

    async def arrived(self, count: int) -> None:
        """Wait until so many more calls are held."""
        for _ in range(count):
            await self._held.arrivals.acquire()
