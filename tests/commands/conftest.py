"""The command line on real parts: what an operator types, and what comes back."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from sandbox.stripe.control import SandboxControl
from tests.builders import API_KEY
from tests.commands.command_line import CommandLine
from tests.commands.shop import Shop
from tests.running import RunningDuly


@pytest.fixture
def cli(
    database_url: str,
    owner_database_url: str,
    temporal_address: str,
    temporal_server: Client,
    stripe_sandbox: SandboxControl,
) -> CommandLine:
    """The command line with the settings of this test's database, of Temporal and of the Stripe sandbox."""
    return CommandLine(
        {
            "DULY_DATABASE_URL": database_url,
            "DULY_MIGRATION_DATABASE_URL": owner_database_url,
            "DULY_TEMPORAL_ADDRESS": temporal_address,
            "DULY_TEMPORAL_NAMESPACE": temporal_server.namespace,
            "DULY_TEMPORAL_UI_URL": "http://ui.example",
            "STRIPE_API_KEY": API_KEY,
            "STRIPE_API_BASE": stripe_sandbox.base_url,
            "DULY_SMTP_URL": "",
            "DULY_LOG_LEVEL": "ERROR",
        }
    )


@pytest.fixture
def workers(standing_duly: RunningDuly) -> None:
    """Duly's workers, on the development server."""


@pytest.fixture
async def shop(cli: CommandLine, engine: AsyncEngine) -> AsyncIterator[Shop]:
    """A company with two products. Whatever a test does through the command line, the books add up at its end."""
    shop = Shop(cli, engine)
    await shop.set_up()
    yield shop
    assert await shop.violations() == []
