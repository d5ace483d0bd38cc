"""A platform and merchants that are paid on their own accounts: one key and one database, several providers."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import stripe

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from sandbox.stripe.control.client import AccountReview, SandboxControl
from settings import Settings
from tests.fixtures.reconciling import ReconciliationClient
from tests.fixtures.refunds import RefundClient
from tests.merchants.onboarding import Connected, connect, participating, stands
from tests.support.builders import API_KEY, Merchant
from tests.support.running_duly import RunningDuly
from worker import gateway_worker

READY = AccountReview(
    charges_enabled=True,
    details_submitted=True,
    payouts_enabled=True,
    capability="active",
    disabled_reason="",
    currently_due=(),
    past_due=(),
)


@dataclass(frozen=True)
class ConnectedMerchant:
    """A merchant whose account may be charged on: its customers' payments, and its connection."""

    id: str
    client: RefundClient
    account: str
    connection: Connected


@dataclass(frozen=True)
class Platform:
    """A company that collects for itself and for merchants."""

    duly: RunningDuly
    own: RefundClient
    database: Database
    sandbox: SandboxControl
    settings: Settings
    period: str

    def charges(self, account: str | None = None) -> int:
        """How many charges there were on the platform's account, or on a merchant's."""
        return sum(each.charges.count for each in self.sandbox.movements(account=account).totals)


@pytest.fixture
async def platform(reconciling: ReconciliationClient, settings: Settings, period: str) -> Platform:
    """The company, without merchants. Tests on the development server share its ids: these begin elsewhere in each."""
    duly, merchant = reconciling.duly, reconciling.merchant
    number = int(period.replace("-", "")) * 1000
    merchant.numbers = itertools.count(number)
    await merchant.run("select setval('duly.gateway_request_numbers', :number)", number=number)
    own = RefundClient(
        duly, merchant, reconciling.database, reconciling.gateway, reconciling.owner_engine, reconciling.sandbox
    )
    return Platform(duly, own, reconciling.database, reconciling.sandbox, settings, period)


@asynccontextmanager
async def connected(platform: Platform, id: str, *, flow: str = "direct") -> AsyncIterator[ConnectedMerchant]:
    """Connect a merchant, let its account be ready, and have the worker of its provider, which has the same name."""
    duly, sandbox = platform.duly, platform.sandbox
    await participating(platform.own.merchant, id)
    await platform.own.merchant.run("update duly.merchants set flow = :flow where id = :id", flow=flow, id=id)
    connection, link = await connect(duly, id)
    account = link.gateway_account
    sandbox.review_account(account, READY)
    await connection.signal("gateway_event")
    await stands(connection, "successful")
    http = stripe.AIOHTTPClient()
    sdk = stripe.StripeClient(
        API_KEY, stripe_account=account, base_addresses={"api": sandbox.base_url}, http_client=http
    )
    theirs = await provider_of(platform, id, sdk)
    gateway = StripeGateway(API_KEY, api_base=sandbox.base_url, timeout_seconds=5, account=account)
    client = RefundClient(
        duly, theirs, platform.database, gateway, platform.own.owner_engine, sandbox, platform.own.numbers, id
    )
    worker = gateway_worker(
        duly.client, platform.database, gateway, platform.settings.model_copy(update={"provider": id})
    )
    async with worker:
        yield ConnectedMerchant(id, client, account, connection)
    await gateway.close()
    await http.close_async()  # type: ignore[no-untyped-call]


async def provider_of(platform: Platform, id: str, sdk: stripe.StripeClient) -> Merchant:
    """Let a merchant have a provider, with a method of its own; return what sets up its customers."""
    merchant = platform.own.merchant
    theirs = Merchant(merchant.engine, sdk, platform.sandbox, merchant.numbers, id, _method_of(id))
    await merchant.run(
        "insert into duly.payment_methods (id, name, ledger_account) values (:method, :method, 'bank')",
        method=theirs.method,
    )
    await merchant.run(
        "update duly.transaction_types set allowed_methods = allowed_methods || cast(:method as text)"
        " where 'card' = any (allowed_methods)",
        method=theirs.method,
    )
    await theirs.set_up_provider()
    await merchant.run("select duly.assign_provider(:id, :id)", id=id)
    return theirs


def _method_of(id: str) -> str:
    """A method of the merchant's own, for one belongs to one provider; ids of methods are letters."""
    return "card_" + "".join(each if each.isalpha() else chr(ord("a") + ord(each) % 26) for each in id)


@pytest.fixture
async def cafe(platform: Platform) -> AsyncIterator[ConnectedMerchant]:
    """A merchant of the company's."""
    async with connected(platform, f"cafe-{platform.period}") as merchant:
        yield merchant
