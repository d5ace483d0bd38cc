"""Two providers on two sandboxes, with one database and one Temporal: each has keys, customers, cards and a worker."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import stripe
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from sandbox.stripe.app import build_app
from sandbox.stripe.control.client import AT_ONCE, SandboxControl
from sandbox.stripe.core import SandboxConfig
from sandbox.stripe.server import running_app
from settings import Settings
from tests.fixtures.reconciling import ReconciliationClient
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient
from tests.runs.test_who_is_due import define
from tests.support.attempts import quiet_period_passes
from tests.support.builders import API_KEY, Merchant
from tests.support.running_duly import RunningDuly
from worker import gateway_worker

OTHER = "other"
OTHER_KEY = "sk_test_other"


@dataclass(frozen=True)
class TwoProviders:
    """One company that collects through two providers, each by a client of its own; a café gives rewards."""

    duly: RunningDuly
    first: RefundClient
    second: RefundClient
    rewards: ReductionClient
    database: Database
    owner_engine: AsyncEngine
    period: str

    async def settled(self, account: str) -> str:
        """Let a collection look again at once, whatever it waits for, until it is over; return its stage."""
        handle = self.duly.collection(account, self.period)
        while (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
            # What was lost long ago is absent: the quiet period is over.
            await quiet_period_passes(self.owner_engine)
            with suppress(RPCError):
                # It may be over by now.
                await handle.signal("gateway_event")
            await asyncio.sleep(0.3)
        return str((await handle.result()).stage)

    async def provider_of(self, *request_ids: str) -> set[str]:
        """The providers of some requests."""
        rows = await self.first.merchant.run(
            "select provider_id from duly.gateway_requests where id = any (:ids)", ids=list(request_ids)
        )
        return {row.provider_id for row in rows}


@pytest.fixture(scope="session")
def stripe_app() -> Starlette:
    """The first provider's sandbox, whose clock nobody else has set; what moves is booked at once."""
    return build_app(SandboxConfig(API_KEY, "whsec_duly", delays=AT_ONCE))


@pytest.fixture(scope="session")
def stripe_address(stripe_app: Starlette) -> Iterator[str]:
    """The base URL at which it is served."""
    with running_app(stripe_app) as base_url:
        yield base_url


@pytest.fixture(scope="session")
def other_address() -> Iterator[str]:
    """The base URL of the second provider's sandbox, which knows another key."""
    with running_app(build_app(SandboxConfig(OTHER_KEY, "whsec_other", delays=AT_ONCE))) as base_url:
        yield base_url


@pytest.fixture
def other_sandbox(other_address: str) -> Iterator[SandboxControl]:
    """The controls of the second sandbox, emptied."""
    with SandboxControl(other_address) as control:
        control.reset()
        yield control


@pytest.fixture
async def other_merchant(merchant: Merchant, other_sandbox: SandboxControl) -> AsyncIterator[Merchant]:
    """The same company at the second provider, with a run of its own."""
    http = stripe.AIOHTTPClient()
    client = stripe.StripeClient(OTHER_KEY, base_addresses={"api": other_sandbox.base_url}, http_client=http)
    other = Merchant(merchant.engine, client, other_sandbox, merchant.numbers, OTHER, "wallet")
    await other.set_up_provider()
    await define(other, "others", provider_id=OTHER)
    yield other
    await http.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
async def two(
    reconciling: ReconciliationClient,
    other_merchant: Merchant,
    other_sandbox: SandboxControl,
    settings: Settings,
    period: str,
) -> AsyncIterator[TwoProviders]:
    """Both providers with their workers, and a café that takes part in rewards."""
    duly, database, owner = reconciling.duly, reconciling.database, reconciling.owner_engine
    # Tests on the development server share its ids: those of accounts and of requests begin elsewhere in each.
    number = int(period.replace("-", "")) * 1000
    reconciling.merchant.numbers = other_merchant.numbers = itertools.count(number)
    await other_merchant.run("select setval('duly.gateway_request_numbers', :number)", number=number)
    first = RefundClient(duly, reconciling.merchant, database, reconciling.gateway, owner, reconciling.sandbox)
    gateway = StripeGateway(OTHER_KEY, api_base=other_sandbox.base_url, timeout_seconds=5)
    second = RefundClient(duly, other_merchant, database, gateway, owner, other_sandbox, first.numbers, OTHER)
    rewards = ReductionClient(first, database)
    await rewards.open()
    changes = {"provider": OTHER, "stripe_api_key": SecretStr(OTHER_KEY), "stripe_api_base": other_sandbox.base_url}
    async with gateway_worker(duly.client, database, gateway, settings.model_copy(update=changes)):
        yield TwoProviders(duly, first, second, rewards, database, owner, period)
    await gateway.close()
