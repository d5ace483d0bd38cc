"""What the doctor finds while a run is on its way: why its calls are not sent faster."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from commands.operations.checks.rate import Limit, examine_rate
from models.gateway.charges import Charge, ChargeResult
from models.gateway.errors import GatewayAccessError, GatewayBusyError, GatewayError
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.support.builders import Merchant
from tests.support.gateways import GatedGateway
from tests.support.run_control import duly_at, owing, shape, until
from tests.support.running_duly import RunningDuly

pytestmark = pytest.mark.nightly


class RefusingGateway(GatedGateway):
    """Answers everybody with the same error; without one it lets them wait at the gate."""

    error: GatewayError | None = None

    async def charge(self, charge: Charge) -> ChargeResult:
        if self.error is not None:
            raise self.error
        return await super().charge(charge)


@pytest.fixture
async def gateway(stripe_sandbox: SandboxControl) -> AsyncIterator[RefusingGateway]:
    made = RefusingGateway(stripe_sandbox)
    yield made
    await made.close()


@pytest.fixture
async def duly(
    temporal_server: Client, database: Database, gateway: RefusingGateway, settings: Settings
) -> AsyncIterator[RunningDuly]:
    async with duly_at(WorkflowEnvironment.from_client(temporal_server), database, gateway, settings) as running:
        yield running


@pytest.mark.parametrize(
    ("error", "window", "found"),
    [
        (GatewayBusyError("rate_limit", retry_after_seconds=3), 2, Limit.GATEWAY),
        (GatewayBusyError("lock_timeout", retry_after_seconds=3), 2, f"{Limit.FAILING} (GatewayBusy: lock_timeout)"),
        (GatewayAccessError("api_key_expired"), 2, f"{Limit.FAILING} (GatewayAccess: api_key_expired)"),
        (None, 2, Limit.WINDOW),
        (None, 300, Limit.RUNS),
    ],
    ids=["429", "locked", "key", "window", "end"],
)
async def test_the_doctor_says_why_calls_are_not_sent_faster(
    duly: RunningDuly, gateway: RefusingGateway, merchant: Merchant, settings: Settings, period: str,
    error: GatewayError | None, window: int, found: str,
) -> None:  # fmt: skip
    gateway.error = error
    await owing(merchant, 4)
    await shape(merchant, window=window)
    run = await duly.start_run(period=period)

    async def is_found() -> bool:
        return (await examine_rate(duly.client, settings, "stripe")).found.endswith(f": {found}")

    await until(is_found)
    gateway.error = None
    gateway.gate.set()
    await run.terminate()
