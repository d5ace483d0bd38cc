"""A company with customers on servers that can be killed, and proxies between it and each of them."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import stripe
from temporalio.client import Client

from activities.configuration.definitions import Definitions
from activities.configuration.document import DefinitionsDocument, Policy
from activities.database import Database, create_engine
from activities.reductions.merchants import Merchants
from bench.chaos.chaos_worker import MISSED_AFTER
from bench.chaos.cutting_proxy import CuttingProxy, cutting_proxy
from bench.chaos.fleet import Fleet
from bench.chaos.killable_temporal import KillableTemporal
from bench.faults.killable_server import KillableServer
from bench.second_opinion.merchant import SHOPS
from models.collections.dunning import DunningPolicy
from sandbox.customers.gateway_customers import GatewayCustomers, stripe_client
from sandbox.customers.generation import generate
from sandbox.customers.load import load
from sandbox.customers.merchant import POLICY, configure
from sandbox.data_folder import Credentials, DataFolder, temporary_folder
from sandbox.environment import Values, environment_with, settings_with, variables
from sandbox.servers.migrate import migrate
from sandbox.servers.postgres_home import temporary_home
from sandbox.servers.processes import together
from sandbox.servers.stripe_process import StripeAccount, running_stripe
from sandbox.servers.temporal import client_of
from sandbox.stack import Stack
from sandbox.stripe.control.client import SandboxControl
from sandbox.workers import EVENTS_PATH

RATE = 100.0
DATABASE_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class CompanyOptions:
    """How many customers there are, of which seed, and how soon what does not answer is given up.

    `missed_seconds` replaces the time after which the server misses a killed worker; 0 leaves production's.
    """

    accounts: int
    seed: int
    gateway_timeout_seconds: float = 2.0
    missed_seconds: float = 0
    workers_of_each: int = 2
    # What is configured beside the generated merchant.
    configured: DefinitionsDocument | None = None


@dataclass(frozen=True)
class BrittleCompany:
    """Everything that can be harmed, and connections past the proxies for whoever looks at it."""

    postgres: KillableServer
    temporal: KillableTemporal
    fleet: Fleet
    proxies: dict[str, CuttingProxy]
    stack: Stack
    client: Client
    database: Database
    control: SandboxControl
    stripe: stripe.StripeClient


@contextlib.asynccontextmanager
async def running_company(options: CompanyOptions) -> AsyncIterator[BrittleCompany]:
    """Start servers and proxies, make customers, and start the workers. All of it is gone in the end."""
    async with contextlib.AsyncExitStack() as running:
        folder = running.enter_context(temporary_folder())
        postgres, temporal = await _servers(folder, running)
        receiver = await running.enter_async_context(cutting_proxy(0))
        stripe_address, credentials = await _sandbox(folder, receiver, running)
        proxies = {"receiver": receiver}
        for name, port in {
            "database": postgres.postgres.port,
            "temporal": temporal.port,
            "gateway": int(stripe_address.rpartition(":")[2]),
        }.items():
            proxies[name] = await running.enter_async_context(cutting_proxy(port))
        stack = _stack(folder, postgres, temporal, stripe_address, credentials, proxies, options)
        client = await client_of(stack.settings)
        database = Database(
            create_engine(stack.settings.database_url, pool=12), timeout_seconds=DATABASE_TIMEOUT_SECONDS
        )
        running.push_async_callback(database.dispose)
        control = running.enter_context(SandboxControl(stripe_address))
        sdk = await running.enter_async_context(stripe_client(stack))
        fleet = Fleet(stack, receiver, of_each=options.workers_of_each)
        running.push_async_callback(fleet.kill)
        company = BrittleCompany(postgres, temporal, fleet, proxies, stack, client, database, control, sdk)
        await configure(database)
        # What a service collects by itself has no definition, and so the standard policy: its waits are the demo's too.
        standard = replace(POLICY, id=DunningPolicy().id, version=2)
        await Definitions(database).apply(DefinitionsDocument(dunning_policies=(Policy(policy=standard),)))
        if options.configured is not None:
            await Definitions(database).apply(options.configured)
        await Merchants(database).apply(SHOPS)
        await together(_load(company, options), fleet.start())
        yield company


async def _load(company: BrittleCompany, options: CompanyOptions) -> None:
    customers = GatewayCustomers(company.stripe, company.control)
    drawn = generate(options.accounts, options.seed)
    await load(drawn, customers, company.database, company.stack.folder.path / "customers")


async def _servers(folder: DataFolder, running: contextlib.AsyncExitStack) -> tuple[KillableServer, KillableTemporal]:
    home = running.enter_context(temporary_home())
    postgres = KillableServer(home, folder.log("postgres"))
    temporal = KillableTemporal(folder.path, folder.log("temporal"))
    running.push_async_callback(postgres.stop)
    running.push_async_callback(temporal.stop)
    await together(postgres.start(), temporal.start())
    await together(migrate(postgres.postgres.owner_url()), temporal.prepare())
    return postgres, temporal


async def _sandbox(
    folder: DataFolder, receiver: CuttingProxy, running: contextlib.AsyncExitStack
) -> tuple[str, Credentials]:
    credentials = Credentials.random()
    events = f"--webhook-url=http://127.0.0.1:{receiver.port}{EVENTS_PATH}"
    account = StripeAccount(credentials.stripe_api_key, credentials.stripe_webhook_secret)
    sandbox = running_stripe(account, folder=folder.path, log=folder.log("stripe"), options=(events,))
    return await running.enter_async_context(sandbox), credentials


def _stack(
    folder: DataFolder,
    postgres: KillableServer,
    temporal: KillableTemporal,
    stripe_address: str,
    credentials: Credentials,
    proxies: dict[str, CuttingProxy],
    options: CompanyOptions,
) -> Stack:
    """Return settings that lead past the proxies, and an environment for child processes that leads through them."""
    direct: Values = {
        "database_url": postgres.postgres.runtime_url(),
        "migration_database_url": postgres.postgres.owner_url(),
        "temporal_address": temporal.address,
        "stripe_api_base": stripe_address,
        "stripe_api_key": credentials.stripe_api_key,
        "stripe_webhook_secrets": credentials.stripe_webhook_secret,
        "smtp_url": None,
    }
    own, ports = postgres.postgres.port, {name: proxy.port for name, proxy in proxies.items()}
    through: Values = direct | {
        "database_url": postgres.postgres.runtime_url().replace(f":{own}/", f":{ports['database']}/"),
        "temporal_address": f"127.0.0.1:{ports['temporal']}",
        "stripe_api_base": f"http://127.0.0.1:{ports['gateway']}",
    }
    environment = {
        **environment_with(through),
        "DULY_GATEWAY_RATE": f"{RATE:g}",
        "DULY_GATEWAY_TIMEOUT_SECONDS": f"{options.gateway_timeout_seconds:g}",
        "DULY_LOG_LEVEL": "WARNING",
    }
    if options.missed_seconds:
        environment[MISSED_AFTER] = f"{options.missed_seconds:g}"
    return Stack(settings_with(direct), environment, variables(direct), folder, stripe_address, None)
