"""A company whose servers are backed up, lost and restored."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import stripe

from activities.gateway.stripe_gateway import StripeGateway
from sandbox.servers.migrate import migrate
from sandbox.servers.postgres_home import temporary_home
from sandbox.stripe.control.client import SandboxControl
from tests.recovery.backups.archived_postgres import ArchivedPostgres
from tests.recovery.backups.own_temporal import OwnTemporal
from tests.recovery.backups.shop import Shop


@pytest.fixture
async def shop(
    gateway: StripeGateway, stripe_sandbox: SandboxControl, stripe_client: stripe.StripeClient, tmp_path: Path
) -> AsyncIterator[Shop]:
    """A company on servers of its own."""
    with temporary_home(in_memory=True) as home:
        postgres, temporal = ArchivedPostgres(home, tmp_path / "postgres.log"), OwnTemporal(tmp_path)
        await postgres.start()
        await temporal.start()
        await migrate(postgres.running.owner_url())
        shop = Shop(postgres, temporal, await temporal.client(), gateway, stripe_sandbox, stripe_client)
        await shop.merchant.set_up()
        yield shop
        await temporal.stop()
        await postgres.stop()


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[ArchivedPostgres]:
    """A database with an archive of its log, and nobody at work on it."""
    with temporary_home(in_memory=True) as home:
        postgres = ArchivedPostgres(home, tmp_path / "postgres.log")
        await postgres.start()
        await migrate(postgres.running.owner_url())
        yield postgres
        await postgres.stop()
