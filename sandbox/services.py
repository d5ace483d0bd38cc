"""The services of a stack: each is taken from the environment or started, and yields the settings that reach it."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from temporalio.service import RPCError

from sandbox.data_folder import DataFolder, Ports
from sandbox.environment import LATER, Values, given
from sandbox.servers.mail import Mailbox, running_mailbox
from sandbox.servers.migrate import migrate
from sandbox.servers.postgres import running_postgres
from sandbox.servers.postgres_home import kept_home, temporary_home
from sandbox.servers.processes import ServiceError, together
from sandbox.servers.shown_clock import ShownClock
from sandbox.servers.stripe_process import StripeAccount, running_stripe
from sandbox.servers.temporal import NAMESPACE, SERVICE, TemporalServer, client_of, running_temporal
from sandbox.servers.time_skipping import running_time_skipping
from settings import Settings
from workflows.client import connect
from workflows.namespace import register_attributes

CONNECT_SECONDS = 10.0


@dataclass
class Services:
    """Starts the services; what is started is stopped when `running` is closed."""

    folder: DataFolder
    ports: Ports
    ui: bool
    stripe_options: tuple[str, ...]
    postgres_settings: Mapping[str, str]
    running: AsyncExitStack
    mailbox: Mailbox | None = None
    clock: ShownClock | None = None

    async def start(self, settings: Settings) -> Values:
        """Start or take every part, in parallel; the first ServiceError wins and the other starts are called off."""
        starts = (self._database(settings), self._temporal(settings), self._stripe(), self._mail())
        found = await together(*starts)
        return {name: value for values in found for name, value in values.items()}

    async def _database(self, settings: Settings) -> Values:
        if given("database_url"):
            await migrate(settings.owner_database_url)
            return {}
        kept = self.folder.is_kept
        home = kept_home(self.folder.path) if kept else self.running.enter_context(temporary_home())
        passwords, log = self.folder.credentials().postgres, self.folder.log("postgres")
        server = await self.running.enter_async_context(
            running_postgres(
                passwords,
                home=home,
                log=log,
                port=self.ports.postgres,
                settings=self.postgres_settings,
                environment=shown(self.clock),
            )
        )
        await migrate(server.owner_url())
        found: Values = {"database_url": server.runtime_url(), "migration_database_url": server.owner_url()}
        return LATER["database_url"] | found

    async def _temporal(self, settings: Settings) -> Values:
        if given("temporal_address"):
            await _prepare_namespace(settings)
            return {}
        server = await (self._time_skipping(self.clock) if self.clock else self._development_server())
        client = await connect(server.address, namespace=NAMESPACE)
        _ = await register_attributes(client)
        found: Values = {"temporal_address": server.address, "temporal_ui_url": server.ui_url or None}
        return LATER["temporal_address"] | found

    async def _time_skipping(self, clock: ShownClock) -> TemporalServer:
        # It moves its own clock, from where it has begun.
        address = await self.running.enter_async_context(
            running_time_skipping(log=self.folder.log("temporal-past"), environment=clock.unset_environment())
        )
        return TemporalServer(address, "")

    async def _development_server(self) -> TemporalServer:
        return await self.running.enter_async_context(
            running_temporal(
                log=self.folder.log("temporal"),
                database=self.folder.path / "temporal.db",
                ui=self.ui,
                port=self.ports.temporal,
                ui_port=self.ports.temporal_ui,
            )
        )

    async def _stripe(self) -> Values:
        if given("stripe_api_base"):
            return {}
        credentials = self.folder.credentials()
        account = StripeAccount(credentials.stripe_api_key, credentials.stripe_webhook_secret)
        address = await self.running.enter_async_context(
            running_stripe(
                account,
                folder=self.folder.path,
                log=self.folder.log("stripe"),
                port=self.ports.stripe,
                options=self._stripe_options(),
                environment=shown(self.clock),
            )
        )
        return {
            "stripe_api_base": address,
            "stripe_api_key": account.api_key,
            "stripe_webhook_secrets": account.webhook_secret,
        }

    def _stripe_options(self) -> tuple[str, ...]:
        """A kept ledger refers to the gateway's objects, so they are kept with it."""
        kept = (f"--state-file={self.folder.path / 'stripe-state'}",) if self.folder.is_kept else ()
        return (*kept, *self.stripe_options)

    async def _mail(self) -> Values:
        if given("smtp_url"):
            return {}
        folder = self.folder.path / "mail" if self.folder.is_kept else None
        self.mailbox = await self.running.enter_async_context(running_mailbox(port=self.ports.mail, folder=folder))
        return {"smtp_url": self.mailbox.url}


def shown(clock: ShownClock | None) -> Mapping[str, str]:
    """Return what a process is started with besides, so that it sees a clock; without one it sees the true time."""
    return clock.environment() if clock else {}


def ports_of(values: Values) -> Ports:
    """Return the ports of the services that were started."""
    return Ports(
        postgres=_port(values, "database_url"),
        temporal=_port(values, "temporal_address"),
        temporal_ui=_port(values, "temporal_ui_url"),
        stripe=_port(values, "stripe_api_base"),
        mail=_port(values, "smtp_url"),
    )


def _port(values: Values, field: str) -> int:
    address = values.get(field) or ""
    return urlsplit(address if "//" in address else f"//{address}").port or 0


async def _prepare_namespace(settings: Settings) -> None:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _ = await register_attributes(await client_of(settings))
    except (RPCError, RuntimeError, TimeoutError) as error:
        reason = str(error) or f"no answer in {CONNECT_SECONDS:g} s"
        raise ServiceError(SERVICE, f"DULY_TEMPORAL_ADDRESS {settings.temporal_address}: {reason}") from error
