"""A database and a gateway whose clocks can be set: every other fixture of these tests stands on them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from activities.database import Database
from activities.events.inbox import EventInbox
from sandbox.servers.migrate import migrate
from sandbox.servers.postgres import Passwords, PostgresServer, running_postgres
from sandbox.servers.postgres_home import temporary_home
from sandbox.servers.shown_clock import ShownClock
from sandbox.servers.stripe_process import StripeAccount, running_stripe
from tests.fixtures.database import TEMPLATE, Databases
from tests.fixtures.stripe import WEBHOOK_SECRET
from tests.support.builders import API_KEY
from tests.support.wrong_clocks import wrong_clock


@pytest.fixture(scope="session")
def settable_database_clock() -> Iterator[ShownClock]:
    with wrong_clock() as clock:
        yield clock


@pytest.fixture(scope="session")
def settable_gateway_clock() -> Iterator[ShownClock]:
    with wrong_clock() as clock:
        yield clock


@pytest.fixture
def database_clock(settable_database_clock: ShownClock) -> Iterator[ShownClock]:
    """The clock of the database's server, right at first."""
    yield settable_database_clock
    settable_database_clock.set(0)


@pytest.fixture
def gateway_clock(settable_gateway_clock: ShownClock) -> Iterator[ShownClock]:
    """The clock of the gateway, right at first."""
    yield settable_gateway_clock
    settable_gateway_clock.set(0)


@pytest.fixture(scope="session")
async def postgres_server(server_logs: Path, settable_database_clock: ShownClock) -> AsyncIterator[PostgresServer]:
    """A server of these tests' own, whose clock can be set."""
    log, environment = server_logs / "postgres-clock.log", settable_database_clock.environment()
    with temporary_home(in_memory=True) as home:
        async with running_postgres(Passwords.random(), home=home, log=log, environment=environment) as server:
            yield server


@pytest.fixture(scope="session")
async def migrated_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated database on this server."""
    await postgres_server.create_database(TEMPLATE)
    await migrate(postgres_server.owner_url(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
async def databases(postgres_server: PostgresServer, migrated_template: str) -> AsyncIterator[Databases]:
    """The databases on this server."""
    async with postgres_server.administration() as administration:
        yield Databases(postgres_server, administration, migrated_template)


@pytest.fixture(scope="session")
async def stripe_address(
    tmp_path_factory: pytest.TempPathFactory, server_logs: Path, settable_gateway_clock: ShownClock
) -> AsyncIterator[str]:
    """The base URL of a sandbox of these tests' own, whose clock can be set."""
    async with running_stripe(
        StripeAccount(API_KEY, WEBHOOK_SECRET),
        folder=tmp_path_factory.mktemp("stripe"),
        log=server_logs / "stripe-clock.log",
        environment=settable_gateway_clock.environment(),
    ) as address:
        yield address


@pytest.fixture
def inbox(database: Database) -> EventInbox:
    """The provider's inbox."""
    return EventInbox(database, "stripe")
