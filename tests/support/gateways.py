"""Gateways for tests of runs: the real one behind a gate, or too busy for everybody, for as long as a test wants."""

import asyncio

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
        self.turned_away: set[str] = set()

    async def charge(self, charge: Charge) -> ChargeResult:
        if self.is_down:
            self.turned_away.add(charge.account_id)
            raise GatewayBusyError("busy", retry_after_seconds=0.05)
        return await super().charge(charge)
