"""A database that goes on upon another server or timeline knows it by itself, whatever it has forgotten."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import stripe
from aiolimiter import AsyncLimiter
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from activities.collections.collect import CollectActivities
from activities.database import Database, create_engine
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery.watch import RestoreWatch
from models.gateway.gateway_request import CollectOutcome
from sandbox.stripe.control.client import SandboxControl
from tests.recovery.backups.archived_postgres import ArchivedPostgres
from tests.recovery.steps import WHO, rule_of
from tests.support.attempts import request_for
from tests.support.builders import Merchant


@dataclass(frozen=True)
class Process:
    """A process that has just started on the database."""

    database: Database
    watch: RestoreWatch
    collecting: CollectActivities

    async def state(self) -> tuple[str, bool]:
        """Whether sending is held, and whether something is known to be forgotten."""
        view = await self.database.call("recovery_view", provider_id="stripe")
        return view["state"], view["is_certain"]


@asynccontextmanager
async def process(postgres: ArchivedPostgres, gateway: StripeGateway) -> AsyncIterator[Process]:
    database = Database(create_engine(postgres.running.runtime_url(), pool=2), timeout_seconds=5)
    collecting = CollectActivities(database, gateway, Clocks(database, gateway), AsyncLimiter(1000, 1))
    yield Process(database, RestoreWatch(database, "stripe", gateway, None), collecting)
    await database.dispose()


@pytest.fixture
async def owner(
    postgres: ArchivedPostgres, stripe_client: stripe.StripeClient, stripe_sandbox: SandboxControl
) -> Merchant:
    """The merchant, who connects anew each time: the server goes away and comes back."""
    engine = create_async_engine(postgres.running.owner_url(), poolclass=NullPool)
    merchant = Merchant(engine, stripe_client, stripe_sandbox, itertools.count(1))
    await merchant.set_up()
    return merchant


@pytest.mark.nightly
async def test_a_restore_that_forgot_a_document_and_no_payment_is_noticed_before_anybody_compares(
    postgres: ArchivedPostgres, owner: Merchant, gateway: StripeGateway
) -> None:
    account = await owner.account(owes_minor=2500)
    async with process(postgres, gateway) as before:
        await before.watch.compare()
    backup = await postgres.back_up()
    moment = await owner.value("select clock_timestamp()")
    await owner.invoice(account, 900)
    await postgres.restore(backup, moment)

    async with process(postgres, gateway) as after:
        refused = await rule_of(after.collecting.collect(request_for(account)))
        shown = await after.state()
        await after.watch.compare()
        held = await after.state()

    assert await owner.value("select count(*) from duly.financial_transactions where classification = 'invoice'") == 1
    assert (refused, shown, held) == ("sending_is_held", ("held", False), ("held", False))


async def test_a_standby_that_had_everything_goes_on_when_a_person_says_so_and_a_restart_by_itself(
    postgres: ArchivedPostgres, owner: Merchant, gateway: StripeGateway
) -> None:
    account = await owner.account(owes_minor=2500)
    async with process(postgres, gateway) as first:
        await first.watch.compare()
    await postgres.stop()
    await postgres.start()
    async with process(postgres, gateway) as again:
        await again.watch.compare()
        restarted = await again.state()

    await postgres.promote()
    async with process(postgres, gateway) as after:
        promoted = await after.state()
        await after.database.call("dismiss_restore", provider_id="stripe", **WHO)
        await after.watch.compare()
        dismissed = await after.state()
        result = await after.collecting.collect(request_for(account))

    assert (restarted[0], promoted, dismissed[0]) == ("open", ("held", False), "open")
    assert result.outcome is CollectOutcome.SETTLED
